"""Calls of modules: each becomes a scope."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.capture.scopes import call_module


def _recorded(original: Callable[..., Any]) -> Callable[..., Any]:
    def call(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(module, *args, **kwargs)
        return call_module(recorder, original, module, args, kwargs)

    return call


MODULES = (Code(torch.nn.Module.__call__, _recorded),)
"""Let the recording know which module runs."""
