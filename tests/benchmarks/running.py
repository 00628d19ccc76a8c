"""Running in place, side by side with eager, TorchLens and torch.compile: medians, as ratios.

python tests/benchmarks/running.py [stepper] [statistics] [inductor] [profile] [cuda]

`statistics` needs torchlens (`pip install --no-deps torchlens`), `inductor` a C++ compiler, `cuda` a CUDA device.
"""

from __future__ import annotations

import shutil
import statistics
import subprocess
import sys
import time
import warnings
from collections.abc import Callable
from functools import partial
from typing import Any

import torch
from torch import Tensor, nn

import tracelab
from tracelab.demo import ResNet


def medians(rounds: int, *functions: Callable[[], Any]) -> list[float]:
    """Median seconds of each, taken in turns so that a busy machine slows all alike."""
    for function in functions:
        function()
    times: list[list[float]] = [[] for _ in functions]
    for _ in range(rounds):
        for function, found in zip(functions, times, strict=True):
            start = time.perf_counter()
            function()
            found.append(time.perf_counter() - start)
    return [statistics.median(found) for found in times]


def resnet50() -> tuple[nn.Module, Tensor]:
    return ResNet.resnet50().eval(), torch.randn(1, 3, 224, 224)


def resnet18() -> tuple[nn.Module, Tensor]:
    return ResNet.resnet18().eval(), torch.randn(1, 3, 224, 224)


def gpt2(layers: int = 12) -> tuple[nn.Module, Tensor]:
    from transformers import GPT2Config, GPT2Model

    config = GPT2Config(use_cache=False, n_layer=layers)
    config.return_dict = False
    return GPT2Model(config).eval(), torch.randint(0, 50000, (1, 64))


def row(what: str, ours: float, theirs: float, bar: str) -> None:
    print(f"{what:62}{ours * 1e3:10.2f}{theirs * 1e3:10.2f}{ours / theirs:8.3f}   {bar}")


def stepper() -> None:
    model, example = resnet50()
    traced = tracelab.trace(model, example, check_trace=False)
    with torch.no_grad():
        eager, ours, bare = medians(
            20, lambda: model(example), lambda: traced.run(example), lambda: traced.run(example, check_finite=False)
        )
    row("stepper, no watching / eager, ResNet-50 1x3x224x224", ours, eager, "<= 1.15")
    row("  without looking for NaN", bare, eager, "")


def with_statistics() -> None:
    try:
        import torchlens
    except ImportError:
        print("statistics: torchlens is not installed")
        return
    model, example = resnet50()
    traced = tracelab.trace(model, example, check_trace=False)
    with torch.no_grad():
        ours, theirs = medians(5, lambda: traced.run(example, statistics=True), lambda: torchlens.trace(model, example))
    row("stepper, statistics of every node / TorchLens' full capture", ours, theirs, "<= 0.3")
    start = time.perf_counter()
    first: list[float] = []

    def heard(record: Any) -> None:
        if record.statistics and not first:
            first.append(time.perf_counter() - start)

    traced.run(example, statistics=True, progress=heard)
    print(f"  first statistics are there after {first[0] * 1e3:.1f} ms")


def inductor() -> None:
    if shutil.which("g++") is None:
        print("inductor: there is no C++ compiler")
        return
    for name, make in (("ResNet-18 1x3x224x224", resnet18), ("GPT-2 of 4 layers, 1x64", lambda: gpt2(4))):
        model, example = make()
        traced = tracelab.trace(model, example, check_trace=False, strict=False)
        ours, theirs = traced.with_backend("inductor"), torch.compile(model)
        with torch.no_grad():
            mine, eager = medians(20, partial(ours, example), partial(theirs, example))
        row(f"inductor backend / torch.compile of eager, {name}", mine, eager, "<= 1.05")


def profile() -> None:
    model, example = resnet50()
    found = tracelab.trace(model, example, check_trace=False).profile(example, repeat=10)
    row("profile: sum over nodes / the whole", found.seconds, found.whole, "0.85 to 1.15")


def cuda() -> None:
    if not torch.cuda.is_available():
        print("cuda: there is no CUDA device")
        return
    print(torch.cuda.get_device_name())
    model, example = gpt2()
    model, example = model.cuda(), example.cuda()
    traced = tracelab.trace(model, example, check_trace=False, strict=False)
    fast = traced.with_backend("cudagraph")

    def waited(function: Callable[..., Any]) -> Callable[[], None]:
        def call() -> None:
            function(example)
            torch.cuda.synchronize()

        return call

    with torch.no_grad():
        eager, graph, stepping = medians(50, waited(model), waited(fast), waited(traced.run))
        row("cudagraph / eager, GPT-2 batch 1", graph, eager, "<= 0.35")
        row("stepper / eager, GPT-2 batch 1", stepping, eager, "")
        torch.cuda.reset_peak_memory_stats()
        model(example)
        peak = torch.cuda.max_memory_allocated()
    ours = traced.run(example).peak_memory
    print(f"peak memory of a run / eager's: {ours / peak:.3f}   <= 1.1")


CASES = {
    "stepper": stepper,
    "statistics": with_statistics,
    "inductor": inductor,
    "profile": profile,
    "cuda": cuda,
}


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    torch.manual_seed(0)
    print(f"torch {torch.__version__}; medians in ms")
    print(f"{'':62}{'ours':>10}{'theirs':>10}{'ratio':>8}")
    for name in names:
        CASES[name]()
        sys.stdout.flush()
    if not names:
        # Each in a process of its own: TorchLens wraps torch's functions for good.
        for name in CASES:
            subprocess.run([sys.executable, __file__, name], check=True)


if __name__ == "__main__":
    main(sys.argv[1:])
