"""What the code asks of torch's modes is an assumption: whether gradients are enabled, autocast, the default dtype.

Regions and settings follow. A branch on them is right for calls in which the mode is the same again.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.registry import Attribute
from tracelab.capture.recording.recorder import active
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.source import is_inner

_NAMES = (
    "is_grad_enabled",
    "is_inference_mode_enabled",
    "is_autocast_enabled",
    "is_autocast_cpu_enabled",
    "get_autocast_dtype",
    "get_default_dtype",
)


def _asked(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def asked(*args: Any, **kwargs: Any) -> Any:
        result = original(*args, **kwargs)
        recorder = active.recorder
        frame = sys._getframe(1)
        if recorder is None or recorder.paused or is_inner(frame.f_code):
            return result
        shown = ", ".join([*map(repr, args), *(f"{name}={item!r}" for name, item in kwargs.items())])
        subject = f"torch.{original.__name__}({shown})"
        # In a region that the code entered it is what the region sets.
        inside = original.__name__ == "is_grad_enabled" and result != recorder.grad_modes.began
        if not inside and all(item.subject != subject for item in recorder.graph.assumptions):
            probe = functools.partial(original, *args, **kwargs)
            recorder.graph.assumptions.append(
                Assumption(AssumptionKind.MODE, subject, result, recorder.source(frame), probe=probe)
            )
        return result

    return asked


MODES = tuple(Attribute(torch, name, _asked, lent=True) for name in _NAMES if hasattr(torch, name))
"""Note what they answer the traced code."""
