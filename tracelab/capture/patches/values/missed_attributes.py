"""Attributes that a tensor has not: Python asks its class for `__getattr__` then, of which torch has none."""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.many import Late
from tracelab.capture.patches.registry import patched
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.graph.ir import Role


def _missed(original: Callable[..., Any] | None) -> Callable[..., Any]:
    def __getattr__(tensor: torch.Tensor, name: str) -> Any:
        recorder = active.recorder
        if recorder is not None and not recorder.paused and not name.startswith("__"):
            value = recorder.known(tensor)
            if value is not None and value.role is Role.INPUT:
                recorder.missed.append((value, name, recorder.source(sys._getframe(1))))
        if original is not None:
            return original(tensor, name)
        # It raises the error that it raised before.
        return object.__getattribute__(tensor, name)

    return __getattr__


_members = Late(Attribute(torch.Tensor, "__getattr__", _missed))

MISSED_ATTRIBUTES = (_members,)
"""Note which attributes the code looked for in vain; it waits for code that can go on then."""

Recorder.watch_missed = staticmethod(lambda: patched.want(_members))
