"""Tensors that wrap others: made by the traced code itself, and taken apart by it, in ways that no operator shows."""

from __future__ import annotations

import sys
import weakref
from typing import Any

import torch

from tracelab.graph.callables.wrappers import parts_of, wrapper_of
from tracelab.graph.intrinsics import PART, SIZE
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import WRAPPER


def note_wrapper(recorder: Any, tensor: torch.Tensor, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """The traced code made a tensor of a class that wraps others, whose attributes it sets next."""
    recorder.wrappers[id(tensor)] = weakref.ref(tensor), args, keywords


def note_parts(recorder: Any, whole: torch.Tensor, value: Value) -> None:
    """A traced tensor may hold others as attributes, which the code can take out of it, now or when it is gone."""
    for name, part in parts_of(whole).items():
        if isinstance(part, torch.Tensor):
            recorder.parts[id(part)] = part, value, name


def wrapper_value(recorder: Any, tensor: torch.Tensor) -> Value | None:
    """The value of a tensor that the code put together, or took out of a traced one; None for any other."""
    made = recorder.wrappers.get(id(tensor))
    if made is not None and made[0]() is tensor:
        _, (cls, size, *options), keywords = made
        args = size, parts_of(tensor), *options
        recorder.record_call(WRAPPER, wrapper_of(cls), args, keywords, run=lambda: tensor)
        return _known(recorder, tensor)
    held = recorder.parts.get(id(tensor))
    if held is not None:
        _, value, name = held
        recorder.record_intrinsic(PART, (value, name), run=lambda: tensor)
        return _known(recorder, tensor)
    return None


def _known(recorder: Any, tensor: torch.Tensor) -> Value | None:
    value: Value | None = recorder.known(tensor)
    return value


def ragged_size_value(recorder: Any, size: Any) -> Any:
    """The value of a size that says which components a nested tensor has: it is read of one that has it."""
    for tensor, value in recorder.bound():
        if tensor.layout is torch.jagged and value.role is not Role.CONSTANT:
            sizes: Any = tensor.size()
            for dim, found in enumerate(sizes):
                if type(found) is torch.SymInt and found.node.nested_int() == size.node.nested_int():
                    return _read_size(recorder, value, dim)
    return size


def _read_size(recorder: Any, value: Value, dim: int) -> Value:
    source = recorder.source(sys._getframe(3))
    node = Node(SIZE.kind, SIZE.function, (value, dim), None, (), recorder.scope, source)
    made = Value("size", "int", node)
    node.outputs = (made,)
    recorder.nodes.append(node)
    return made
