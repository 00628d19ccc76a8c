"""Objects that hold tensors: dataclasses, caches, results of models, any class of Python with attributes.

They are taken apart into their fields, and put together again as objects of the same class without calling it: what a
constructor computes is in the fields already.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Iterator, Mapping
from typing import Any

import torch

_HEAP = 1 << 9
"""The flag of classes that Python code made."""
_CODE = (type, types.ModuleType, types.FunctionType, types.MethodType, types.BuiltinFunctionType, torch.nn.Module)
_DEEPEST = 50


def fields_of(item: Any) -> dict[str, Any] | None:
    """The attributes of an object that holds a tensor; None for anything else, and for tuples, lists and mappings.

    >>> class Pair:
    ...     def __init__(self, x):
    ...         self.x, self.name = x, "pair"
    >>> list(fields_of(Pair(torch.ones(2))))
    ['x', 'name']
    >>> fields_of(Pair(1)) is None
    True
    """
    if not _is_object(item):
        return None
    found = dict(_attributes(item))
    return found if any(holds_tensor(part, {id(item)}, 0) for part in found.values()) else None


def holds_tensor(item: Any, seen: set[int], depth: int) -> bool:
    """Whether a tensor, or a traced number, is reached through containers and attributes."""
    if isinstance(item, (torch.Tensor, torch.SymInt, torch.SymFloat, torch.SymBool)):
        return True
    if id(item) in seen or depth > _DEEPEST:
        return False
    if isinstance(item, Mapping):
        parts: Any = item.values()
    elif isinstance(item, (tuple, list)):
        parts = item
    elif _is_object(item):
        parts = [part for _, part in _attributes(item)]
    else:
        return False
    seen.add(id(item))
    return any(holds_tensor(part, seen, depth + 1) for part in parts)


def _is_object(item: Any) -> bool:
    cls = type(item)
    if not cls.__flags__ & _HEAP or isinstance(item, (torch.Tensor, tuple, list, dict, *_CODE)):
        return False
    # Of a class that is built on one of C, an object is more than its attributes.
    return all(owner is object or owner.__flags__ & _HEAP for owner in cls.__mro__)


def _attributes(item: Any) -> Iterator[tuple[str, Any]]:
    """What stands in an object: its `__dict__`, and its slots."""
    yield from getattr(item, "__dict__", {}).items()
    for owner in type(item).__mro__:
        slots = owner.__dict__.get("__slots__", ())
        for name in (slots,) if isinstance(slots, str) else slots:
            if name not in ("__dict__", "__weakref__") and hasattr(item, name):
                yield name, getattr(item, name)


class ByFields:
    """Makes objects of a class from their fields, which are set as they are."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.__module__, self.__qualname__, self.__name__ = cls.__module__, cls.__qualname__, cls.__name__

    def __call__(self, /, **fields: Any) -> Any:
        made: Any = object.__new__(self.cls)
        for name, part in fields.items():
            object.__setattr__(made, name, part)
        return made

    def __reduce__(self) -> Any:
        return by_fields, (self.cls,)


@functools.lru_cache(maxsize=1024)
def by_fields(cls: type) -> ByFields:
    """What makes objects of a class from their fields; one for each class."""
    return ByFields(cls)
