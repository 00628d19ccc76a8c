"""Gradients inside the traced code: `backward`, what it fills, and the modes and marks that decide of it.

Training steps are traced too: what one run leaves in `.grad`, the next one must find as Python would.
"""

from __future__ import annotations

import functools
import sys
import weakref
from collections.abc import Callable
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.recording.recorder import Recorder
from tracelab.capture.values import listed
from tracelab.compat.modes import set_grad_enabled
from tracelab.graph import intrinsics
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Node, Role
from tracelab.graph.kinds import ENTER_GRAD_MODE, EXIT_GRAD_MODE
from tracelab.graph.source import is_inner

_properties: Any = Tensor
"""The class without its annotations, which hide descriptors behind the types of their values."""

Handler = Callable[[Recorder, tuple[Any, ...], dict[str, Any]], Any]


def _grad(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor = args[0]
    recorder.paused = True
    try:
        present = tensor.grad is not None
    finally:
        recorder.paused = False
    if _is_to_be_cleared(sys._getframe(2)):
        # There is none afterwards, whether there was one or not: a replay clears it in any case.
        if not present:
            recorder.record_intrinsic(intrinsics.SET_GRAD, (tensor, None))
            return None
    else:
        _assume_grad(recorder, tensor, present, sys._getframe(1))
    return recorder.record_intrinsic(intrinsics.GRAD, args) if present else None


def _is_to_be_cleared(frame: FrameType) -> bool:
    """Whether torch's own `zero_grad()` asks, which takes away what is there."""
    code = frame.f_code
    return code.co_name == "zero_grad" and is_inner(code) and bool(frame.f_locals.get("set_to_none"))


def _assume_grad(recorder: Recorder, tensor: Tensor, present: bool, frame: FrameType) -> None:
    """Whether there is a gradient decides what is recorded, where it is from before."""
    if recorder.gradients_changed():
        return
    if recorder.known(tensor) is not None or id(tensor) in recorder.names:
        value = recorder.value_of(tensor)
        if value.role is not Role.COMPUTED:
            recorder.assume(AssumptionKind.GRAD, "no_grad", value, not present, frame, subject="{}.grad is None")
        return
    # A parameter that no module that ran has shown yet.
    asked = recorder.gradients_asked.setdefault((recorder.source(frame), present), [])
    asked.append(weakref.ref(tensor))
    probe = functools.partial(_have_gradients, asked, present)
    subject = "whether parameters have gradients"
    recorder.assume_outside(AssumptionKind.GRAD, subject, present, probe, frame, asked)


def _have_gradients(asked: list[weakref.ref[Tensor]], before: bool) -> bool:
    found = [tensor for reference in asked if (tensor := reference()) is not None]
    return before if all((tensor.grad is not None) == before for tensor in found) else not before


def _set_grad(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    tensor, gradient = args if len(args) == 2 else (args[0], None)
    return recorder.record_intrinsic(intrinsics.SET_GRAD, (tensor, gradient))


def _retain_grad(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return recorder.record_intrinsic(intrinsics.RETAIN_GRAD, args)


def _requires_grad(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    return recorder.record_intrinsic(intrinsics.REQUIRES_GRAD, args, kwargs)


def _backward(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    args, kwargs = tuple(map(listed, args)), {name: listed(item) for name, item in kwargs.items()}
    return recorder.record_intrinsic(intrinsics.BACKWARD, args, kwargs)


def _set_grad_enabled(recorder: Recorder, args: tuple[Any, ...], kwargs: dict[str, Any]) -> Any:
    # One frame further than the function mode, which called this.
    caller = sys._getframe(2)
    if _within(caller, recorder.boundary):
        mode = bool(args[0] if args else kwargs["arg"])
        region, method = _region_around(caller)
        modes = recorder.grad_modes
        if method in ("__exit__", "__call__"):
            # `@torch.set_grad_enabled(mode)` sets the mode when it is made, and takes that back when it decorates.
            ended, again = modes.leave(region, mode)
            for _ in range(ended):
                _record_mode(recorder, EXIT_GRAD_MODE, ())
            if again:
                _record_mode(recorder, ENTER_GRAD_MODE, (mode,))
            return NotImplemented
        # `with torch.set_grad_enabled(mode)` sets the mode when it is made, and once more when it is entered.
        entered = method == "__enter__" and type(region) is torch.set_grad_enabled
        if not entered:
            modes.note_found(region)
        if not (entered and modes.is_innermost(region)):
            modes.enter(region, mode)
            _record_mode(recorder, ENTER_GRAD_MODE, (mode,))
    return NotImplemented


def _within(frame: FrameType | None, boundary: CodeType | None) -> bool:
    """Whether the frame belongs to the traced call.

    A generator that is garbage-collected inside `no_grad` sets the mode at odd moments, from no frame of that call.
    """
    while frame is not None and frame.f_code is not boundary:
        frame = frame.f_back
    return frame is not None


def _region_around(frame: FrameType | None) -> tuple[Any, str]:
    """The context manager of torch that sets the mode, and in which of its methods; none where other code does."""
    region, method = None, ""
    while frame is not None and frame.f_code.co_filename.endswith("grad_mode.py"):
        name = frame.f_code.co_name
        # `no_grad.__enter__` sets the mode by making a `set_grad_enabled`; `clone` makes one for each decorated call.
        if region is None or name in ("__enter__", "__exit__", "__call__"):
            region, method = frame.f_locals.get("self"), name
        frame = frame.f_back
    return region, method


def _record_mode(recorder: Recorder, kind: str, args: tuple[Any, ...]) -> None:
    source = recorder.source(sys._getframe(1))
    recorder.nodes.append(Node(kind, None, args, None, (), recorder.scope, source))


HANDLERS: dict[Any, Handler] = {
    _properties.grad.__get__: _grad,
    _properties.grad.__set__: _set_grad,
    _properties.grad.__delete__: _set_grad,
    _properties.requires_grad.__set__: _requires_grad,
    Tensor.requires_grad_: _requires_grad,
    Tensor.retain_grad: _retain_grad,
    Tensor.backward: _backward,
    set_grad_enabled: _set_grad_enabled,
}
