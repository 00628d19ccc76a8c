"""Whether an input is a parameter, where the code asks: `isinstance(x, torch.nn.Parameter)`."""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

from torch.nn import Parameter

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import active
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Role
from tracelab.graph.source import is_inner


def _noted(original: Callable[..., bool]) -> Callable[..., bool]:
    @functools.wraps(original)
    def asked(cls: Any, instance: Any) -> bool:
        result = original(cls, instance)
        recorder = active.recorder
        if cls is Parameter and recorder is not None and not recorder.paused:
            # The stand-in, and the code that calls it.
            frame = sys._getframe(2)
            value = None if is_inner(frame.f_code) else recorder.known(instance)
            if value is not None and value.role is Role.INPUT:
                subject = "isinstance({}, Parameter)"
                recorder.assume(AssumptionKind.CLASS, "parameter", value, result, frame, subject=subject)
        return result

    return asked


CLASSES = (Code(type(Parameter).__instancecheck__, _noted),)
"""Note what the code asks."""
