"""What checks cost: the check of each trace against no check, and the memory of many inputs."""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import psutil
import torch
from torch import Tensor, nn

import tracelab
from tracelab.demo import GPT, ResNet

from .measuring import Measurement, paired, ratio_of, seconds


def cost_of_the_check(name: str, module: nn.Module, x: Tensor, rounds: int) -> Iterator[Measurement]:
    """Tracing with its check against tracing without; and the check alone against an eager call and a replay."""
    traced = tracelab.trace(module, x)
    checked, bare, eager, replay = paired(
        rounds,
        lambda: tracelab.trace(module, x),
        lambda: tracelab.trace(module, x, check_trace=False),
        lambda: module(x),
        lambda: traced(x),
    )
    alone = [mine - other for mine, other in zip(checked, bare, strict=True)]
    both = [mine + other for mine, other in zip(eager, replay, strict=True)]
    for what, ours, peer, theirs in (
        ("trace with its check", checked, "trace without", bare),
        ("the check alone", alone, "a call and a replay", both),
    ):
        yield Measurement(
            "check",
            name,
            what,
            "ms",
            statistics.median(ours) * 1e3,
            peer,
            statistics.median(theirs) * 1e3,
            ratio_of(ours, theirs),
            own=True,
        )


def inputs(count: int) -> Iterator[Tensor]:
    """Half a megabyte each, made when asked for."""
    for number in range(count):
        yield torch.full((131_072,), float(number % 100 - 50))


def branch(x: Tensor) -> Tensor:
    return x * 2 if x.sum() > 0 else -x


def memory_of_many(counts: tuple[int, int]) -> Iterator[Measurement]:
    """Peak memory over what the process had before, for many inputs against few."""
    process = psutil.Process()
    traced = tracelab.trace(branch, torch.ones(131_072))
    traced.check(inputs(20), progress=False)
    for executor, where in ((None, "in turn"), (ThreadPoolExecutor(2), "2 threads")):
        peaks = []
        for count in counts:
            before = process.memory_info().rss
            peak = [before]

            def watched(count: int = count, peak: list[int] = peak) -> Iterator[Tensor]:
                for item in inputs(count):
                    peak[0] = max(peak[0], process.memory_info().rss)
                    yield item

            seconds(lambda watched=watched, executor=executor: traced.check(watched(), executor, progress=False))
            peaks.append((peak[0] - before) / 2**20)
        few, many = peaks
        note = f"{counts[0]} inputs of 0.5 MB took {few:.1f} MB"
        yield Measurement("check", f"{counts[1]} inputs of 0.5 MB, {where}", "peak memory", "MB", many, note=note)


def measurements(full: bool) -> Iterator[Measurement]:
    rounds = 15 if full else 7
    yield from cost_of_the_check(
        "mlp", nn.Sequential(*[nn.Linear(64, 64) for _ in range(50)]), torch.randn(4, 64), rounds
    )
    yield from cost_of_the_check("resnet18", ResNet.resnet18(10, 16).eval(), torch.randn(1, 3, 64, 64), rounds)
    yield from cost_of_the_check("gpt", GPT(layers=6).eval(), torch.randint(0, 50, (1, 32)), rounds)
    yield from memory_of_many((100, 1000) if full else (20, 200))
