"""What a device can do at best: operations per second of a matrix product, bytes per second of a copy.

The two limits of the roofline model (Williams, Waterman and Patterson, 2009, doi:10.1145/1498765.1498785), measured
once per process.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

_ROUNDS = 7


@dataclass(frozen=True, slots=True)
class Peak:
    """A device's measured peak: floating-point operations and bytes per second."""

    flops: float
    bandwidth: float

    def seconds(self, flops: int, moved: int) -> float:
        """The least time in which so many operations on so many bytes can be done."""
        return max(flops / self.flops, moved / self.bandwidth)

    def bound(self, flops: int, moved: int) -> str:
        """What limits them: `compute` or `memory`."""
        return "compute" if flops / self.flops >= moved / self.bandwidth else "memory"


def peak_of(device: torch.device, dtype: torch.dtype) -> Peak:
    """The peak of a device for products of one dtype, in the number of threads that torch has now."""
    return _measured(str(device), dtype, torch.get_num_threads() if device.type == "cpu" else 0)


@functools.lru_cache(maxsize=32)
def _measured(device: str, dtype: torch.dtype, threads: int) -> Peak:
    size, count = (1024, 1 << 25) if torch.device(device).type == "cpu" else (4096, 1 << 28)
    with torch.no_grad():
        product = torch.ones(size, size, device=device, dtype=dtype)
        into = torch.empty_like(product)
        flops = 2 * size**3 / _fastest(device, lambda: torch.mm(product, product, out=into))
        source = torch.ones(count, device=device, dtype=torch.uint8)
        target = torch.empty_like(source)
        bandwidth = 2 * count / _fastest(device, lambda: target.copy_(source))
    return Peak(flops, bandwidth)


def _fastest(device: str, function: Callable[[], Any]) -> float:
    """Seconds of the second fastest of a few calls: a peak, but no fluke."""
    wait = waiting(torch.device(device))
    times = []
    for _ in range(_ROUNDS):
        wait()
        start = time.perf_counter()
        function()
        wait()
        times.append(time.perf_counter() - start)
    return max(sorted(times)[1], 1e-9)


def waiting(device: torch.device) -> Callable[[], None]:
    """A function that waits until the device has done what it was given."""
    if device.type == "cpu":
        return lambda: None
    return lambda: torch.accelerator.synchronize(device)
