"""Compiled TorchScript functions: one node each. What the traced code scripts sees torch as it is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.capture.torch_private import ScriptFunction
from tracelab.graph.kinds import CALL_FUNCTION


def patch_script(registry: Registry) -> None:
    """Make nodes of calls of script functions; answer `torch.jit.is_tracing`."""
    original = ScriptFunction.__call__

    def call(function: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(function, *args, **kwargs)
        return recorder.record_call(
            CALL_FUNCTION,
            function,
            args,
            kwargs,
            run=lambda: original(function, *args, **kwargs),
            attributes={"name": function.name, "graph": function.graph},
        )

    registry.set(ScriptFunction, "__call__", call)
    script: Callable[..., Any] = torch.jit.script

    @functools.wraps(script)
    def compiled(*args: Any, **kwargs: Any) -> Any:
        if active.recorder is None:
            return script(*args, **kwargs)
        with registry.originals():
            return script(*args, **kwargs)

    registry.set(torch.jit, "script", compiled)
    _patch_is_tracing(registry)


def _patch_is_tracing(registry: Registry) -> None:
    # Libraries ask before they look at data; their answer to "yes" is the code that generalises.
    original: Callable[[], bool] = torch.jit._trace.is_tracing

    def is_tracing() -> bool:
        # functional_call asks in order to refuse script modules; for plain modules it traces well.
        if sys._getframe(1).f_code.co_filename.endswith("stateless.py"):
            return original()
        return active.recorder is not None or original()

    for module in (torch.jit, torch.jit._trace):
        if hasattr(module, "is_tracing"):
            registry.set(module, "is_tracing", is_tracing)
