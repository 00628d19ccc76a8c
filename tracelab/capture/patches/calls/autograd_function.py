"""Functions of the user's with a backward of their own: one node each."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.patches.code import Code
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.compat.tensors import version_of
from tracelab.graph.kinds import PYTHON_CALL


def _recorded(original: Callable[..., Any]) -> Callable[..., Any]:
    def apply(cls: Any, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(cls, *args, **kwargs)
        return _record(recorder, cls, args, kwargs, original)

    return apply


AUTOGRAD_FUNCTION = (Code(torch.autograd.Function.__dict__["apply"].__func__, _recorded),)
"""Make nodes of `Function.apply`."""


def _record(
    recorder: Recorder, cls: Any, args: tuple[Any, ...], kwargs: dict[str, Any], original: Callable[..., Any]
) -> Any:
    versions = [(arg, version_of(arg)) for arg in args if isinstance(arg, torch.Tensor) and not arg.is_inference()]
    attributes: dict[str, Any] = {"name": cls.__name__, "inplace": False}
    target = cls.apply

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
