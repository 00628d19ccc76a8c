"""NumPy arrays from outside of the traced code that became tensors: constants; a later write to one is told."""

from __future__ import annotations

import functools
import weakref
from types import FrameType
from typing import Any

import numpy

from tracelab.capture.recording.state import RecordingState
from tracelab.graph.assumptions import AssumptionKind, Words

_MOST_BYTES = 80_000
"""A larger array is not compared at each call."""
_MOST_FRAMES = 6
_THEN = Words("an array as it was")


def assume_outer_array(recorder: RecordingState, array: Any, frame: FrameType | None) -> None:
    """Note what is in an array that a tensor was made of, where it is a global, a closure's or an attribute."""
    if type(array) is not numpy.ndarray or array.nbytes > _MOST_BYTES or array.dtype.hasobject:
        return
    users = recorder.user_frame(frame)
    for _ in range(_MOST_FRAMES):
        if users is None or _is_outer(array, users):
            break
        # A function that was given the array.
        users = recorder.user_frame(users.f_back)
    if users is not None and _is_outer(array, users):
        probe = functools.partial(_array_now, weakref.ref(array), array.copy())
        source = recorder.source(frame)
        subject = source.expression if source is not None else "a NumPy array"
        recorder.assume_outside(AssumptionKind.STATE, subject, _THEN, probe, frame, array)


def _is_outer(array: Any, frame: FrameType) -> bool:
    """Whether the code of a frame names an array that it does not make."""
    code, known = frame.f_code, frame.f_locals
    if any(frame.f_globals.get(name) is array for name in code.co_names):
        return True
    if any(known.get(name) is array for name in code.co_freevars):
        return True
    tables = [vars(item) for item in known.values() if hasattr(item, "__dict__")]
    return any(table.get(name) is array for table in tables for name in code.co_names)


def _array_now(reference: weakref.ref[Any], before: Any) -> Words:
    array = reference()
    if array is None or (array.shape == before.shape and numpy.array_equal(array, before, equal_nan=_has_nan(before))):
        return _THEN
    return Words("one that was written to since")


def _has_nan(array: Any) -> bool:
    return bool(array.dtype.kind in "fc")
