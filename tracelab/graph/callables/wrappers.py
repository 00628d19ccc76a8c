"""Tensors whose content is other tensors: subclasses that wrap their parts, held as attributes."""

from __future__ import annotations

import functools
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.tensors import make_wrapper_subclass
from tracelab.errors import TracelabError


class Wrapper:
    """Makes tensors of a class that wraps others, with their attributes set as they are: no constructor runs."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.__module__, self.__qualname__, self.__name__ = cls.__module__, cls.__qualname__, cls.__name__

    def __call__(self, size: Any, fields: Mapping[str, Any], /, *options: Any, **keywords: Any) -> Tensor:
        made: Tensor = make_wrapper_subclass(self.cls, torch.Size(size), *options, **keywords)
        vars(made).update(fields)
        return made

    def __reduce__(self) -> Any:
        return wrapper_of, (self.cls,)


@functools.lru_cache(maxsize=1024)
def wrapper_of(cls: type) -> Wrapper:
    """What makes tensors of a class that wraps others; one for each class."""
    return Wrapper(cls)


def part_of(tensor: Tensor, name: str) -> Tensor:
    """The tensor that another one holds as an attribute.

    Raises:
        TracelabError: If it holds none under that name, as where it is of another class than in the trace.
    """
    part = vars(tensor).get(name)
    if not isinstance(part, Tensor):
        raise TracelabError(
            f"the trace uses the tensor in the attribute `{name}` of a tensor, and this {type(tensor).__name__} holds "
            "none there: trace again with such a tensor"
        )
    return part


def parts_of(tensor: Tensor) -> dict[str, Any]:
    """The attributes of a tensor of the user's class."""
    return dict(vars(tensor))


def wrapped_parts(tensor: Tensor) -> dict[str, Tensor]:
    """The tensors that one of a class of its own holds as attributes; none for a plain one."""
    if type(tensor) in (Tensor, torch.nn.Parameter):
        return {}
    return {name: part for name, part in vars(tensor).items() if isinstance(part, Tensor)}
