"""Calls of modules: each becomes a scope."""

from __future__ import annotations

from typing import Any

import torch

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.capture.scopes import call_module


def patch_modules(registry: Registry) -> None:
    """Let the recording know which module runs."""
    original = torch.nn.Module.__call__

    def call(module: torch.nn.Module, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(module, *args, **kwargs)
        return call_module(recorder, original, module, args, kwargs)

    registry.set(torch.nn.Module, "__call__", call)
