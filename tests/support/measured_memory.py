"""The most bytes that a call holds on the CPU, by torch's profiler, the work space of kernels included."""

from __future__ import annotations

import gc
from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor
from torch.profiler import ProfilerActivity, profile


def measured_peak(call: Callable[[], Any]) -> int:
    """The most bytes that are held at once during a call, beside what was there before it."""
    gc.collect()
    with profile(activities=[ProfilerActivity.CPU], profile_memory=True) as seen:
        kept = call()
    events = [event for event in seen.profiler.kineto_results.events() if event.name() == "[memory]"]
    held = most = 0
    for event in sorted(events, key=lambda event: event.start_ns()):
        held += event.nbytes()
        most = max(most, held)
    del kept
    return most


def one_call(model: Any, args: Any, kwargs: Any, gradients: bool) -> Any:
    """A call, and with gradients the backward pass of the sum of its outputs; what it returned."""
    with torch.set_grad_enabled(gradients):
        returned = model(*args, **kwargs)
        if gradients:
            ends = [tensor for tensor in _tensors(returned) if tensor.requires_grad]
            torch.autograd.backward(ends, [torch.ones_like(tensor) for tensor in ends])
    return returned


def peak_of_a_call(model: torch.nn.Module, args: Any, kwargs: Any, gradients: bool) -> int:
    """The same of the second call, without gradients from before."""
    one_call(model, args, kwargs, gradients)
    model.zero_grad()
    return measured_peak(lambda: one_call(model, args, kwargs, gradients))


def _tensors(item: Any) -> Iterator[Tensor]:
    if isinstance(item, Tensor):
        yield item
    elif isinstance(item, (list, tuple, dict)):
        for child in item.values() if isinstance(item, dict) else item:
            yield from _tensors(child)
