"""Running in place, side by side with eager, TorchLens and torch.compile."""

from __future__ import annotations

import shutil
import statistics
import time
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import tracelab
from tracelab.demo import ResNet

from .measuring import Measurement, against, paired, ratio_of
from .peers import is_installed, torchlens_trace


def resnet50() -> tuple[nn.Module, Tensor]:
    return ResNet.resnet50().eval(), torch.randn(1, 3, 224, 224)


def resnet18() -> tuple[nn.Module, Tensor]:
    return ResNet.resnet18().eval(), torch.randn(1, 3, 224, 224)


def gpt2(layers: int = 12) -> tuple[nn.Module, Tensor]:
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(use_cache=False, n_layer=layers)
    config.return_dict = False
    return GPT2Model(config).eval(), torch.randint(0, 50000, (1, 64))


def measurements(full: bool) -> Iterator[Measurement]:
    yield from stepper(20 if full else 7)
    yield from with_statistics(7 if full else 3)
    yield from profile()
    if full and shutil.which("g++") is not None:
        yield from inductor()
    if full and torch.cuda.is_available():
        yield from cuda()


def stepper(rounds: int) -> Iterator[Measurement]:
    model, example = resnet50()
    traced = tracelab.trace(model, example, check_trace=False)
    eager = {"plain Python": lambda: model(example)}
    with torch.no_grad():
        yield from against("run", "resnet50, 224", "node by node", lambda: traced.run(example), eager, rounds)
        bare = partial(traced.run, example, check_finite=False)
        yield from against("run", "resnet50, 224", "node by node, no look for NaN", bare, eager, rounds)


def with_statistics(rounds: int) -> Iterator[Measurement]:
    model, example = resnet50()
    traced = tracelab.trace(model, example, check_trace=False)
    ours = partial(traced.run, example, statistics=True)
    peers = {"TorchLens": lambda: torchlens_trace(model, example)} if is_installed("torchlens") else {}
    with torch.no_grad():
        yield from against("run", "resnet50, 224", "statistics of every node", ours, peers, rounds)
        start = time.perf_counter()
        first: list[float] = []

        def heard(record: Any) -> None:
            if record.statistics and not first:
                first.append(time.perf_counter() - start)

        traced.run(example, statistics=True, progress=heard)
    yield Measurement("run", "resnet50, 224", "the first statistics are there", "ms", first[0] * 1e3)


def inductor() -> Iterator[Measurement]:
    for name, make in (("resnet18, 224", resnet18), ("gpt2 of 4 layers", lambda: gpt2(4))):
        model, example = make()
        traced = tracelab.trace(model, example, check_trace=False, strict=False)
        ours, theirs = traced.with_backend("inductor"), torch.compile(model)
        with torch.no_grad():
            peers = {"torch.compile": partial(theirs, example)}
            yield from against("run", name, "call, inductor backend", partial(ours, example), peers, 20)


def profile() -> Iterator[Measurement]:
    """A sum that fits the whole is a ratio of 1."""
    model, example = resnet50()
    found = tracelab.trace(model, example, check_trace=False).profile(example, repeat=5)
    total, whole = found.seconds * 1e3, found.whole * 1e3
    what = "profile: sum of all nodes"
    yield Measurement("run", "resnet50, 224", what, "ms", total, "the whole", whole, total / whole, own=True)


def cuda() -> Iterator[Measurement]:
    model, example = gpt2()
    model, example = model.cuda(), example.cuda()
    traced = tracelab.trace(model, example, check_trace=False, strict=False)
    fast = traced.with_backend("cudagraph")

    def waited(function: Callable[..., Any]) -> Callable[[], None]:
        def call() -> None:
            function(example)
            torch.cuda.synchronize()

        return call

    where = torch.cuda.get_device_name()
    with torch.no_grad():
        eager, graph, stepping = paired(50, waited(model), waited(fast), waited(traced.run))
        for what, ours in (("call, cudagraph backend", graph), ("node by node", stepping)):
            middle, theirs = statistics.median(ours) * 1e3, statistics.median(eager) * 1e3
            ratio = ratio_of(ours, eager)
            yield Measurement("run", f"gpt2, {where}", what, "ms", middle, "plain Python", theirs, ratio)
        torch.cuda.reset_peak_memory_stats()
        model(example)
        peak = torch.cuda.max_memory_allocated() / 2**20
        ours = (traced.run(example).peak_memory or 0) / 2**20
    yield Measurement("run", f"gpt2, {where}", "peak memory of a run", "MB", ours, "plain Python", peak, ours / peak)
