"""What checks cost: the check of each trace against no check, and the memory of many inputs.

python tests/benchmarks/checking.py
"""

from __future__ import annotations

import statistics
import time
import warnings
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import psutil
import torch
from torch import Tensor, nn

import tracelab
from tracelab.demo import GPT, ResNet


def timed(call: Callable[[], Any]) -> float:
    start = time.perf_counter()
    call()
    return time.perf_counter() - start


def cost_of_the_check(name: str, module: nn.Module, x: Tensor) -> None:
    """Tracing with and without its check, and the eager call, in turns; medians."""
    rows: dict[str, list[float]] = {"with": [], "without": [], "eager": [], "replay": []}
    traced = tracelab.trace(module, x)
    for _ in range(7):
        rows["with"].append(timed(lambda: tracelab.trace(module, x)))
        rows["without"].append(timed(lambda: tracelab.trace(module, x, check_trace=False)))
        rows["eager"].append(timed(lambda: module(x)))
        rows["replay"].append(timed(lambda: traced(x)))
    found = {key: statistics.median(values) for key, values in rows.items()}
    check = found["with"] - found["without"]
    both = found["eager"] + found["replay"]
    ratio = found["with"] / found["without"]
    print(
        f"{name:<12} trace {found['without'] * 1e3:7.1f} ms, with its check {ratio:.2f} times; "
        f"the check is {check / both:.2f} times an eager call and a replay"
    )


def inputs(count: int) -> Iterator[Tensor]:
    """Half a megabyte each, made when asked for."""
    for number in range(count):
        yield torch.full((131_072,), float(number % 100 - 50))


def branch(x: Tensor) -> Tensor:
    return x * 2 if x.sum() > 0 else -x


def memory_of_many() -> None:
    """Peak memory over what the process had before, for more and more inputs."""
    process = psutil.Process()
    traced = tracelab.trace(branch, torch.ones(131_072))
    traced.check(inputs(20), progress=False)
    for executor in (None, ThreadPoolExecutor(2)):
        for count in (100, 1000):
            before = process.memory_info().rss
            peak = [before]

            def watched(count: int = count, peak: list[int] = peak) -> Iterator[Tensor]:
                for item in inputs(count):
                    peak[0] = max(peak[0], process.memory_info().rss)
                    yield item

            seconds = timed(
                lambda watched=watched, executor=executor: traced.check(watched(), executor, progress=False)
            )
            where = "in turn" if executor is None else "2 threads"
            print(
                f"{count:>5} inputs of 0.5 MB {where:<9} {seconds:6.2f} s, peak +{(peak[0] - before) / 2**20:5.1f} MB"
            )


def main() -> None:
    torch.set_num_threads(1)
    warnings.simplefilter("ignore", tracelab.TracerWarning)
    cost_of_the_check("mlp", nn.Sequential(*[nn.Linear(64, 64) for _ in range(50)]), torch.randn(4, 64))
    cost_of_the_check("resnet18", ResNet.resnet18(10, 16).eval(), torch.randn(1, 3, 64, 64))
    cost_of_the_check("gpt", GPT(layers=6).eval(), torch.randint(0, 50, (1, 32)))
    memory_of_many()


if __name__ == "__main__":
    main()
