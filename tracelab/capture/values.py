"""What an argument is now: its plain value, its memory, the Python function and closure behind a callable."""

from __future__ import annotations

import functools
from collections.abc import Iterator, ValuesView
from types import CellType, FunctionType
from typing import Any

import torch

from tracelab.graph.objects import SYMBOLIC as SYMBOLIC

PLAIN_TENSORS = (torch.Tensor, torch.nn.Parameter)
_OF_TORCH = frozenset({"torch", "torchao"})
PLAIN = frozenset(
    {
        int,
        float,
        bool,
        complex,
        str,
        type(None),
        torch.dtype,
        torch.device,
        torch.layout,
        torch.memory_format,
    }
)


def storage_of(tensor: torch.Tensor) -> int | None:
    """Where a tensor's memory is; None for an empty one, and where it has none."""
    try:
        return tensor.untyped_storage().data_ptr() or None
    except (RuntimeError, NotImplementedError):
        return None


def is_wrapper_of_torch(tensor: torch.Tensor) -> bool:
    """Whether it is of a class of torch's that wraps others, whose attributes and name are no matter of the user's."""
    return type(tensor) not in PLAIN_TENSORS and type(tensor).__module__.partition(".")[0] in _OF_TORCH


def listed(item: Any) -> Any:
    """What an iterator or a view of a dict gives, as a tuple, which can be gone through again; others as they are."""
    return tuple(item) if isinstance(item, (Iterator, ValuesView)) else item


def python_function(function: Any) -> FunctionType | None:
    """The Python function behind a callable: of a method or a `functools.partial`, too; None where there is none."""
    if isinstance(function, functools.partial):
        function = function.func
    function = getattr(function, "__func__", function)
    return function if isinstance(function, FunctionType) else None


def is_filled(cell: CellType) -> bool:
    """Whether a variable of a closure is bound."""
    try:
        cell.cell_contents  # noqa: B018 - an empty cell raises
    except ValueError:
        return False
    return True


def holds_number(item: Any) -> bool:
    """Whether there is a traced number among arguments."""
    if isinstance(item, dict):
        item = item.values()
    for child in item:
        type_ = type(child)
        if type_ in SYMBOLIC or ((isinstance(child, (list, tuple)) or type_ is dict) and holds_number(child)):
            return True
    return False


def concrete(item: Any) -> Any:
    """The same argument with traced numbers replaced by the numbers that they are now."""
    type_ = type(item)
    if type_ in PLAIN:
        return item
    if isinstance(item, SYMBOLIC):
        # One of a nested tensor is no number.
        return getattr(item.node, "number", item)
    if isinstance(item, torch.Tensor):
        number = getattr(item, "_wrapped_number", None)
        return number.node.number if number is not None and isinstance(number, SYMBOLIC) else item
    if isinstance(item, (list, tuple)):
        children = [concrete(child) for child in item]
        if type_ is torch.Size:
            return torch.Size(children)
        return type_(*children) if hasattr(item, "_fields") else type_(children)
    if isinstance(item, dict):
        plain = {key: concrete(child) for key, child in item.items()}
        return item if all(plain[key] is child for key, child in item.items()) else plain
    if type_ is slice:
        return slice(concrete(item.start), concrete(item.stop), concrete(item.step))
    return item


def leaf_copy(tensor: torch.Tensor) -> torch.Tensor:
    """A copy that depends on nothing, which asks for a gradient where the tensor does; of a parameter, a parameter."""
    return as_kind_of(tensor, tensor.detach().clone(memory_format=torch.preserve_format))


def as_kind_of(tensor: torch.Tensor, made: torch.Tensor) -> torch.Tensor:
    """A tensor made in the place of another: a parameter, a buffer, one that asks for a gradient, as that is.

    It has the attributes that the user gave the other.
    """
    if type(tensor) is torch.nn.Parameter:
        made = torch.nn.Parameter(made, tensor.requires_grad)
    elif isinstance(tensor, torch.nn.Buffer):
        made = torch.nn.Buffer(made, persistent=tensor.persistent)
    own = vars(tensor)
    if own:
        vars(made).update(own)
    return made.requires_grad_(tensor.requires_grad)
