"""Modes of torch that the traced code asks for: each answer is that of the recording, which a call may not find again.

What the code set itself is the same at each call. torch's own code asks too, in order to put a mode back: only its
layers decide by one what they run.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch

from tracelab.capture.analysis.mode_readers import AUTOCAST_READERS
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.replacement import Replacement
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.intrinsics import AUTOCAST, INFERENCE_MODE
from tracelab.graph.source import is_inner

_LAYERS = "torch.nn.modules."

_default_dtype = torch.get_default_dtype


def _noted(name: str, changed: Callable[[Recorder], bool], depth: int) -> Callable[[Any], Any]:
    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def read(*args: Any, **kwargs: Any) -> Any:
            result = original(*args, **kwargs)
            recorder = active.recorder
            if recorder is not None and not recorder.paused and not changed(recorder):
                frame = sys._getframe(depth)
                if _decides(frame, name, result):
                    given = ", ".join(map(repr, args))
                    probe = functools.partial(original, *args, **kwargs)
                    recorder.assume_outside(AssumptionKind.MODE, f"torch.{name}({given})", result, probe, frame)
            return result

        return read

    return make


def _decides(frame: FrameType, name: str, result: Any) -> bool:
    if not is_inner(frame.f_code):
        return True
    # Without gradients, some layers run operators that have none.
    layer = str(frame.f_globals.get("__name__", "")).startswith(_LAYERS)
    return layer and name == "is_grad_enabled" and result is False


def _sets_grad_mode(recorder: Recorder) -> bool:
    return recorder.grad_modes.is_changed or _sets_inference(recorder)


def _sets_inference(recorder: Recorder) -> bool:
    return INFERENCE_MODE in recorder.contexts


def _sets_autocast(recorder: Recorder) -> bool:
    return AUTOCAST in recorder.contexts


def _sets_dtype(recorder: Recorder) -> bool:
    return recorder.default_dtype is not _default_dtype()


def _sets_nothing(recorder: Recorder) -> bool:
    return False


_ASKED = {
    "is_grad_enabled": _sets_grad_mode,
    "is_inference_mode_enabled": _sets_inference,
    **dict.fromkeys(AUTOCAST_READERS, _sets_autocast),
    "get_default_dtype": _sets_dtype,
    "get_default_device": _sets_nothing,
    "are_deterministic_algorithms_enabled": _sets_nothing,
    "get_num_threads": _sets_nothing,
    "get_float32_matmul_precision": _sets_nothing,
}


def _asked() -> tuple[Replacement, ...]:
    found: list[Replacement] = []
    for name, changed in _ASKED.items():
        function = getattr(torch, name)
        if hasattr(function, "__code__"):
            # The stand-in, and the code that calls it.
            found.append(Code(function, _noted(name, changed, 2)))
        else:
            found.append(Attribute(torch, name, _noted(name, changed, 1), lent=True))
    return tuple(found)


MODES = _asked()
"""Note what modes were found."""
