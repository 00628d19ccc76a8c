"""Tensors that wrap others: made by the traced code itself, and taken apart by it, in ways that no operator shows."""

from __future__ import annotations

import sys
from dataclasses import dataclass
from typing import Any

import torch

from tracelab.graph.callables.wrappers import parts_of, wrapper_of
from tracelab.graph.intrinsics import PART, SIZE
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import WRAPPER


@dataclass(slots=True)
class Made:
    """A tensor of a class that wraps others, which the traced code made."""

    tensor: torch.Tensor
    args: tuple[Any, ...]
    """Its class and size, and what else it was made with."""
    keywords: dict[str, Any]
    fields: dict[str, Any] | None = None
    """Its attributes when a call first took it, or last gave it; None before."""


def note_wrapper(recorder: Any, tensor: torch.Tensor, args: tuple[Any, ...], keywords: dict[str, Any]) -> None:
    """The traced code made a tensor of a class that wraps others, whose attributes it sets next."""
    recorder.wrappers[id(tensor)] = Made(tensor, args, keywords)


def note_parts(recorder: Any, whole: torch.Tensor, value: Value) -> None:
    """A traced tensor may hold others as attributes, which the code can take out of it, now or when it is gone."""
    fields = parts_of(whole)
    made = recorder.wrappers.get(id(whole))
    if made is not None:
        made.fields = fields
    for name, part in fields.items():
        if isinstance(part, torch.Tensor):
            recorder.parts[id(part)] = part, value, name


def wrapper_value(recorder: Any, tensor: torch.Tensor) -> Value | None:
    """The value of a tensor that the code put together, or took out of a traced one; None for any other."""
    made = recorder.wrappers.get(id(tensor))
    held = recorder.parts.get(id(tensor))
    if made is not None:
        cls, size, *options = made.args
        args = size, parts_of(tensor), *options
        recorder.record_call(WRAPPER, wrapper_of(cls), args, made.keywords, run=lambda: tensor)
    elif held is not None:
        _, whole, name = held
        recorder.record_intrinsic(PART, (whole, name), run=lambda: tensor)
    else:
        return None
    value: Value | None = recorder.known(tensor)
    return value


def changed_wrappers(recorder: Any) -> list[torch.Tensor]:
    """Those whose attributes the code has set to others since a call took them: of that, no call was seen."""
    return [made.tensor for made in recorder.wrappers.values() if made.fields is not None and _changed(made)]


def _changed(made: Made) -> bool:
    assert made.fields is not None
    now = parts_of(made.tensor)
    kept = (now.get(name) is part for name, part in made.fields.items() if isinstance(part, torch.Tensor))
    return not all(kept)


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
