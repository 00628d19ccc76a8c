"""Compiled TorchScript functions: one node each. What the traced code scripts sees torch as it is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.compat import script
from tracelab.graph.kinds import CALL_FUNCTION


def patch_script(registry: Registry) -> None:
    """Make nodes of calls of script functions; answer `torch.jit.is_tracing`."""
    _patch_calls(registry)
    for module, function in script.entry_points("script"):
        registry.set(module, "script", _with_originals(registry, function))
    for module, function in script.entry_points("is_tracing"):
        registry.set(module, "is_tracing", _is_tracing(function))


def _patch_calls(registry: Registry) -> None:
    functions = script.function_class()
    if functions is None:
        return
    original = functions.__call__

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

    registry.set(functions, "__call__", call)


def _with_originals(registry: Registry, original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compiled(*args: Any, **kwargs: Any) -> Any:
        if active.recorder is None:
            return original(*args, **kwargs)
        with registry.originals():
            return original(*args, **kwargs)

    return compiled


def _is_tracing(original: Callable[[], bool]) -> Callable[[], bool]:
    # Libraries ask before they look at data; their answer to "yes" is the code that generalises.
    def is_tracing() -> bool:
        # functional_call asks in order to refuse script modules; for plain modules it traces well.
        if sys._getframe(1).f_code.co_filename.endswith("stateless.py"):
            return original()
        return active.recorder is not None or original()

    return is_tracing
