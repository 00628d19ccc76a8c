"""Calls of modules: each becomes a scope."""

from __future__ import annotations

import sys
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.capture.scopes import call_module, enter_block


def _recorded(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(module, *args, **kwargs)
        return call_module(recorder, original, module, args, kwargs)

    return call


def _block(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or recorder.rounds is None or _goes_on(sys._getframe(2)):
            return original(module, *args, **kwargs)
        frame = sys._getframe(2)
        method = frame.f_code.co_name if original.__name__ == "_apply" else original.__name__
        outer = enter_block(recorder, module, f"{type(module).__name__}.{method}", frame)
        try:
            return original(module, *args, **kwargs)
        finally:
            recorder.scope = outer

    return call


def _goes_on(frame: FrameType) -> bool:
    """Whether a module does this to one in it."""
    return frame.f_code.co_name in ("_apply", "load")


MODULES = (
    Code(torch.nn.Module.__call__, _recorded),
    Code(torch.nn.Module._apply, _block),
    Code(torch.nn.Module.load_state_dict, _block),
)
"""Let the recording know which module runs, and in a cell what moves one, or loads its state."""
