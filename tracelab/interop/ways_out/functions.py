"""What torch.fx calls for the functions of a graph that are no operators."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from types import ModuleType
from typing import Any

import torch

from tracelab.graph import intrinsics
from tracelab.graph.ir import Node

_SYMBOLIC: Mapping[str, Callable[..., Any]] = {
    "truediv": operator.truediv,
    "pow": operator.pow,
    "and": operator.and_,
    "or": operator.or_,
    "min": torch.sym_min,
    "max": torch.sym_max,
    "float": torch.sym_float,
    "int": torch.sym_int,
    "not": torch.sym_not,
}
"""Spellings that take symbolic numbers as well, by the name of the intrinsic."""

CONTEXTS: Mapping[str, Callable[..., Any]] = {
    "inference_mode": torch.inference_mode,
    "record_function": torch.autograd.profiler.record_function,
    "dual_level": torch.autograd.forward_ad.dual_level,
}
"""Regions by the name of the intrinsic that makes them."""

INTRINSIC = "__tracelab_target__"
"""The attribute of a stand-in that holds what it calls."""


def fx_function(node: Node) -> Callable[..., Any]:
    """What a node of the kind `call_function` has as its target, with the same arguments."""
    target: Any = node.target
    if getattr(target, "_schema", None) is not None and hasattr(target, "_overloadname"):
        operator_: Callable[..., Any] = target
        return operator_
    entry = intrinsics.intrinsic_of(target)
    name = entry.name if entry is not None else ""
    if len(node.args) == 2 and not node.kwargs:
        if name == "Tensor.size":
            return torch.ops.aten.sym_size.int
        if name == "Tensor.stride":
            return torch.ops.aten.sym_stride.int
    if len(node.args) == 1 and not node.kwargs:
        if name == "Tensor.numel":
            return torch.ops.aten.sym_numel.default
        if name == "Tensor.storage_offset":
            return torch.ops.aten.sym_storage_offset.default
        if name == "Tensor.item":
            return torch.ops.aten.item.default
    if name in _SYMBOLIC:
        return _SYMBOLIC[name]
    return target if _is_spelled(target) else standing_for(target, node.name)


def _is_spelled(target: Any) -> bool:
    """Whether generated code can name it: a method of a class (`Function.apply`) is in no module."""
    name = getattr(target, "__name__", None)
    owner = getattr(target, "__self__", None)
    in_module = owner is None or isinstance(owner, ModuleType)
    return in_module and isinstance(name, str) and name.isidentifier() and bool(getattr(target, "__module__", None))


def standing_for(target: Any, name: str) -> Callable[..., Any]:
    """A function that calls what has no name of its own."""

    def call(*args: Any, **kwargs: Any) -> Any:
        return target(*args, **kwargs)

    word = re.sub(r"\W", "_", str(getattr(target, "__name__", None) or name))
    call.__name__ = call.__qualname__ = word if word.isidentifier() else f"_{word}"
    call.__module__ = "tracelab_calls"
    setattr(call, INTRINSIC, target)
    return call
