"""Environment variables that the user's own code reads: each may be another at a call."""

from __future__ import annotations

import functools
import os
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.graph.assumptions import AssumptionKind

_ON_THE_WAY = frozenset({"os", "_collections_abc", "collections.abc"})
"""`os.getenv`, `os.environ.get` and `in` lead to the same method."""
_OF_ALL = frozenset({"copy", "__iter__", "__or__", "__ror__"})


def _noted(original: Callable[..., str]) -> Callable[..., str]:
    @functools.wraps(original)
    def read(environment: Any, key: Any) -> str:
        recorder = active.recorder
        if recorder is not None and not recorder.paused and isinstance(key, str):
            # The stand-in, and the code that calls it.
            frame = _reader(sys._getframe(2))
            if frame is not None:
                now = _value(environment, key)
                probe = functools.partial(_value, environment, key)
                subject = f"os.environ.get({key!r})"
                recorder.assume_outside(AssumptionKind.ENVIRONMENT, subject, now, probe, frame)
        return original(environment, key)

    def _value(environment: Any, key: str) -> str | None:
        try:
            return original(environment, key)
        except KeyError:
            return None

    return read


def _reader(frame: FrameType | None) -> FrameType | None:
    """Who wants one variable: the user's code, not that of a library."""
    while frame is not None and frame.f_globals.get("__name__") in _ON_THE_WAY:
        if frame.f_code.co_name in _OF_ALL:
            return None
        frame = frame.f_back
    return None if frame is None or is_library(frame.f_code) else frame


ENVIRONMENT = (Code(type(os.environ).__getitem__, _noted),)
"""Note which are read."""
