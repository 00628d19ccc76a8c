"""How long each node takes: the processor's clock, or a CUDA stream's events.

Events are recorded on the stream and read when somebody asks, so that a run on a GPU never waits between its nodes.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import torch

Stop = Callable[[], Any]
"""Ends a measurement; what it gives becomes seconds through `seconds_of`."""


def clock_for(device: torch.device, has_data: bool = True) -> Callable[[], Stop]:
    """A function that starts a measurement on `device` and gives the function that ends it.

    Tensors without data (`meta`, fake) take no time worth telling: `seconds_of` gives None for them.
    """
    if device.type == "meta" or not has_data:
        return lambda: _nothing
    if device.type == "cuda":
        return lambda: _start_cuda(device)
    if device.type != "cpu":
        return lambda: _start_waiting(device)
    return _start_cpu


def seconds_of(measured: Any) -> float | None:
    """Seconds of a finished measurement; waits for the GPU where it has not come so far yet."""
    if isinstance(measured, tuple):
        first, last = measured
        last.synchronize()
        return float(first.elapsed_time(last)) / 1e3
    return None if measured is None else float(measured)


def _start_cpu() -> Stop:
    start = time.perf_counter()
    return lambda: time.perf_counter() - start


def _start_cuda(device: torch.device) -> Stop:
    stream = torch.cuda.current_stream(device)
    first = torch.cuda.Event(enable_timing=True)
    first.record(stream)

    def stop() -> tuple[Any, Any]:
        last = torch.cuda.Event(enable_timing=True)
        last.record(stream)
        return first, last

    return stop


def _start_waiting(device: torch.device) -> Stop:
    torch.accelerator.synchronize(device)
    start = time.perf_counter()

    def stop() -> float:
        torch.accelerator.synchronize(device)
        return time.perf_counter() - start

    return stop


def _nothing() -> None:
    return None
