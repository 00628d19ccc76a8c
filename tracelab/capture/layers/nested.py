"""Nested tensors: one of their sizes is no number, and the others are read where no number of a trace could go on."""

from __future__ import annotations

from collections.abc import Callable
from types import FrameType
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.layers.regions import record_region
from tracelab.capture.messages import size_message
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.intrinsics import SIZE

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]


def assume_sizes(recorder: Recorder, tensor: Any, dim: Any, frame: FrameType) -> None:
    """The code read one size of a nested tensor, or all: those that are numbers become constants, and are told."""
    if not isinstance(tensor, Tensor) or not tensor.is_nested or not recorder.is_dynamic(tensor):
        return
    for place in range(tensor.dim()) if dim is None else (dim,):
        size = _regular_size(recorder, tensor, place)
        if size is not None:
            number = recorder.record_intrinsic(SIZE, (tensor, place)).node
            recorder.warn("int", size_message("int", size), size, number.value, frame)
            recorder.assume(AssumptionKind.NUMBER, "int", number.value, size, frame)


def _regular_size(recorder: Recorder, tensor: Tensor, dim: int) -> int | None:
    with recording_paused(recorder):
        try:
            size = tensor.size(dim)
        except (RuntimeError, IndexError):
            # Its components differ there.
            return None
    return size if type(size) is int else None


def _whole(function: Callable[..., Any]) -> Handler:
    """What torch computes of jagged tensors in Python, from tables of their sizes, is one node."""

    def handle(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
        tensor = args[0] if args else None
        if not isinstance(tensor, Tensor) or tensor.layout is not torch.jagged:
            return NotImplemented
        return record_region(recorder, function.__name__, function, args, kwargs)

    return handle


HANDLERS: dict[Any, Handler] = {
    function: _whole(function)
    for function in (
        torch.nn.functional.scaled_dot_product_attention,
        torch.rms_norm,
        torch.flatten,
        Tensor.flatten,
    )
}
"""Calls with nested tensors."""
