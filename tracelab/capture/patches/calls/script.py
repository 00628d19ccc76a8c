"""Compiled TorchScript functions: one node each. What the traced code scripts sees torch as it is."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterable
from typing import Any

from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.patches.many import Group
from tracelab.capture.patches.registry import patched
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.compat import script
from tracelab.graph.kinds import CALL_FUNCTION
from tracelab.graph.source import is_inner

_known: dict[Any, Code] = {}


def _functions() -> Iterable[Replacement]:
    for name, make in (("script", _with_originals), ("is_tracing", _is_tracing)):
        for function in script.entry_points(name):
            if function not in _known:
                _known[function] = Code(function, make)
    return _known.values()


def _recorded(original: Callable[..., Any]) -> Callable[..., Any]:
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

    return call


def _calls() -> list[Replacement]:
    functions = script.function_class()
    return [] if functions is None else [Attribute(functions, "__call__", _recorded)]


SCRIPT = (*_calls(), Group(_functions))
"""Make nodes of calls of script functions; answer `torch.jit.is_tracing`."""


def _with_originals(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def compiled(*args: Any, **kwargs: Any) -> Any:
        if active.recorder is None:
            return original(*args, **kwargs)
        with patched.originals():
            return original(*args, **kwargs)

    return compiled


def _is_tracing(original: Callable[[], bool]) -> Callable[[], bool]:
    # Libraries ask before they look at data; their answer to "yes" is the code that generalises. Where it computes
    # something else than Python does, `trace` records again with the other answer; where nothing is checked, as in a
    # cell, they get that one at once.
    def is_tracing() -> bool:
        # functional_call asks in order to refuse script modules; for plain modules it traces well.
        code = sys._getframe(2).f_code
        if active.recorder is None or code.co_filename.endswith("stateless.py"):
            return original()
        if is_inner(code):
            # torch's own functions then do what holds for every size, and the same as in Python.
            return True
        active.was_asked = active.was_asked or active.says_tracing
        return active.says_tracing or original()

    return is_tracing
