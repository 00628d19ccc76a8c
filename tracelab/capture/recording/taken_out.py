"""What a cell takes out of tensors, `x.numpy()`, `x.tolist()`, `float(loss)`, and may have as a result."""

from __future__ import annotations

import pickle
import zlib
from dataclasses import dataclass
from typing import Any

import numpy
import torch

from tracelab.capture.recording.state import RecordingState
from tracelab.graph.intrinsics import ITEM, TO_ARRAY, TO_LIST, Intrinsic
from tracelab.graph.ir import Value
from tracelab.graph.source import Source

_SHARED = range(-5, 257)
"""Whole numbers of which Python has one object each: none can be told from another of the same value."""

_MOST_BYTES = 1 << 26
_MOST_ITEMS = 100_000
"""What is larger is no result: to see that the code did not write to it takes long."""


@dataclass(slots=True)
class TakenOut:
    """An array, a list or a number that a tensor gave."""

    item: Any
    tensor: torch.Tensor | None
    intrinsic: Intrinsic
    print: int
    """What would be another number, had the code written to it."""
    value: Value | None = None
    """That of a number that was followed before."""


def note_taken_out(recorder: RecordingState, item: Any, tensor: Any, source: Source | None) -> None:
    """Note what a tensor gave; of one place, the last is kept."""
    intrinsic = _INTRINSICS.get(type(item))
    large = tensor.numel() > _MOST_ITEMS and (type(item) is list or tensor.nbytes > _MOST_BYTES)
    if intrinsic is None or large or not recorder.in_code or (type(item) is int and item in _SHARED):
        return
    recorder.taken_out[source] = TakenOut(item, tensor, intrinsic, _print_of(item))


def note_number_taken_out(recorder: RecordingState, item: Any, value: Value | None, source: Source | None) -> None:
    """Note a number that was read from a tensor, and then given to code that takes no traced one."""
    if value is not None and not (type(item) is int and item in _SHARED):
        recorder.taken_out[source] = TakenOut(item, None, ITEM, 0, value)


def taken_out(recorder: RecordingState, item: Any) -> TakenOut | None:
    """What is known of an object that a tensor gave; None where it is no result of the trace."""
    if not recorder.taken_out or type(item) not in _INTRINSICS:
        return None
    found = next((each for each in recorder.taken_out.values() if each.item is item), None)
    if found is None or found.tensor is None:
        return found
    if _print_of(item) != found.print:
        return None
    before, recorder.paused = recorder.paused, True
    try:
        now = found.intrinsic.function(found.tensor.detach())
    finally:
        recorder.paused = before
    return found if type(now) is type(item) and _print_of(now) == found.print else None


def _print_of(item: Any) -> int:
    if isinstance(item, numpy.ndarray):
        shape = hash((item.dtype.str, item.shape))
        return shape ^ zlib.crc32(item.data if item.flags.c_contiguous and item.size else item.tobytes())
    return zlib.crc32(pickle.dumps(item, protocol=5))


_INTRINSICS: dict[type, Intrinsic] = {numpy.ndarray: TO_ARRAY, list: TO_LIST, float: ITEM, int: ITEM}
