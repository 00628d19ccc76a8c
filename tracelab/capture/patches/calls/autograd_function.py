"""Functions of the user's with a backward of their own: one node each.

`Function.apply` is Python in some versions of torch, and is seen by every reference. Where it is C, the attribute is
replaced; an `apply` that was fetched before is seen as it asks its class for `forward`.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable
from types import CodeType
from typing import Any

import torch
from torch.autograd import Function
from torch.autograd.function import FunctionCtx

from tracelab.capture.analysis.instructions import listing_at
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import Recorder, active, recording_paused
from tracelab.compat.modes import CHECKPOINT_SAVES
from tracelab.compat.tensors import version_of
from tracelab.graph.kinds import PYTHON_CALL


def _recorded(original: Callable[..., Any]) -> Callable[..., Any]:
    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(cls, *args, **kwargs)
        if cls is CHECKPOINT_SAVES:
            with recording_paused(recorder):
                return original(cls, *args, **kwargs)
        return _record(recorder, cls, args, kwargs, original)

    return apply


_apply: Any = vars(Function)["apply"]
_is_python = isinstance(_apply, classmethod)


def _apply_in_c(cls: Any, *args: Any, **kwargs: Any) -> Any:
    return _apply.__get__(None, cls)(*args, **kwargs)


def _of_the_class(original: Any) -> Any:
    return classmethod(_recorded(_apply_in_c))


def _seen_forward(original: Any) -> Any:
    def found(cls: Any, name: str) -> Any:
        item = type.__getattribute__(cls, name)
        recorder = active.recorder
        if name != "forward" or recorder is None or recorder.paused:
            return item
        frame = sys._getframe(1)
        # Code that asks for it itself does so by an instruction for attributes.
        return functools.partial(_forward, recorder, cls, item) if _is_call(frame.f_code, frame.f_lasti) else item

    return found


def _forward(recorder: Recorder, cls: Any, forward: Callable[..., Any], *args: Any) -> Any:
    """The forward pass of an `apply` that was fetched before: its arguments are those of the call, behind a context."""
    given = args[1:] if args and isinstance(args[0], FunctionCtx) else args
    return _record(recorder, cls, given, {}, lambda cls, *_: forward(*args))


def _is_call(code: CodeType, offset: int) -> bool:
    listing, at = listing_at(code, offset)
    return at is not None and listing[at].opname.startswith("CALL")


AUTOGRAD_FUNCTION = (
    (Code(_apply.__func__, _recorded),)
    if _is_python
    else (Attribute(Function, "apply", _of_the_class), Attribute(type(Function), "__getattribute__", _seen_forward))
)
"""Make nodes of `Function.apply`."""


def _record(
    recorder: Recorder, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], original: Callable[..., Any]
) -> Any:
    versions = [(arg, version_of(arg)) for arg in args if isinstance(arg, torch.Tensor) and not arg.is_inference()]
    attributes: dict[str, Any] = {"name": cls.__name__, "inplace": False}
    target = cls.apply if _is_python else _apply.__get__(None, cls)

    def call() -> Any:
        result = original(cls, *args, **kwargs)
        results = result if isinstance(result, tuple) else (result,)
        changed = [arg for arg, version in versions if version_of(arg) != version]
        attributes["inplace"] = any(arg is item for arg in changed for item in results)
        return result

    result = recorder.record_call(PYTHON_CALL, target, args, kwargs, run=call, attributes=attributes)
    if recorder.force_outplace and attributes["inplace"]:
        node = next(node for node in reversed(recorder.nodes) if node.kind == PYTHON_CALL)
        node.target = _refuse_inplace(cls.__name__)
    return result


def _refuse_inplace(name: str) -> Callable[..., Any]:
    def refuse(*args: Any, **kwargs: Any) -> Any:
        raise RuntimeError(
            f"inplace {name} cannot run in a trace that was recorded with force_outplace: "
            "record it without, or write the function out of place"
        )

    return refuse
