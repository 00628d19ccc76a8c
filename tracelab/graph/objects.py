"""Objects that hold tensors: dataclasses, caches, results of models, any class of Python with attributes.

They are taken apart into their fields, and put together again as objects of the same class without calling it: what a
constructor computes is in the fields already.
"""

from __future__ import annotations

import functools
import logging
import types
from collections import deque
from collections.abc import Iterator, Mapping
from typing import Any

import torch

from tracelab.graph.arrays import ArrayStandIn

_HEAP = 1 << 9
"""The flag of classes that Python code made, and of some of C."""
SYMBOLIC = (torch.SymInt, torch.SymFloat, torch.SymBool)
"""The classes of numbers that code under a recording is given."""
_FUNCTIONS = (types.FunctionType, types.MethodType, types.BuiltinFunctionType)
_CODE = (
    type,
    types.ModuleType,
    *_FUNCTIONS,
    torch.nn.Module,
    torch.optim.Optimizer,
    logging.Logger,
    ArrayStandIn,
    *SYMBOLIC,
)
_NEVER_MADE = 1 << 7
"""That of classes of C which Python code cannot make objects of."""
_BASES = (object, types.SimpleNamespace)
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
    if not is_object(item):
        return None
    found, seen = attributes_of(item), {id(item)}
    return found if any(holds_tensor(part, seen, 0) for part in found.values()) else None


def holds_tensor(item: Any, seen: set[int], depth: int) -> bool:
    """Whether a tensor, or a traced number, is reached through containers and attributes."""
    if isinstance(item, (torch.Tensor, *SYMBOLIC, ArrayStandIn)):
        return True
    if id(item) in seen or depth > _DEEPEST:
        return False
    if isinstance(item, Mapping):
        parts: Any = item.values()
    elif isinstance(item, (tuple, list, deque)):
        parts = item
    elif is_object(item):
        parts = [part for _, part in _attributes(item)]
    else:
        return False
    seen.add(id(item))
    return any(holds_tensor(part, seen, depth + 1) for part in parts)


def is_object(item: Any) -> bool:
    """Whether it is what its attributes are: of a class that Python code made, and no container, code or module."""
    cls: Any = type(item)
    return not isinstance(item, (torch.Tensor, tuple, list, dict, *_CODE)) and _is_made_of_attributes(cls)


@functools.lru_cache(maxsize=4096)
def _is_made_of_attributes(cls: type) -> bool:
    # Of a class that is built on one of C, an object is more than its attributes.
    if not cls.__flags__ & _HEAP and cls is not types.SimpleNamespace:
        return False
    return all(
        owner in _BASES
        or (
            owner.__flags__ & _HEAP
            and not owner.__flags__ & _NEVER_MADE
            and not isinstance(owner.__dict__.get("__new__"), types.BuiltinFunctionType)
        )
        for owner in cls.__mro__
    )


def attributes_of(item: Any) -> dict[str, Any]:
    """What stands in an object, by name.

    >>> attributes_of(torch.nn.Linear(2, 2))["in_features"]
    2
    """
    return dict(_attributes(item))


def _attributes(item: Any) -> Iterator[tuple[str, Any]]:
    """What stands in an object: its `__dict__`, and its slots."""
    yield from getattr(item, "__dict__", {}).items()
    for owner in type(item).__mro__:
        slots = owner.__dict__.get("__slots__", ())
        for slot in (slots,) if isinstance(slots, str) else slots:
            private = slot.startswith("__") and not slot.endswith("__")
            name = f"_{owner.__name__.lstrip('_')}{slot}" if private else slot
            if name not in ("__dict__", "__weakref__") and hasattr(item, name):
                yield name, getattr(item, name)


class ByFields:
    """Makes objects of a class from their fields, which are set as they are."""

    def __init__(self, cls: type) -> None:
        self.cls = cls
        self.__module__, self.__qualname__, self.__name__ = cls.__module__, cls.__qualname__, cls.__name__

    def __call__(self, /, **fields: Any) -> Any:
        new: Any = types.SimpleNamespace if issubclass(self.cls, types.SimpleNamespace) else object
        made: Any = new.__new__(self.cls)
        for name, part in fields.items():
            object.__setattr__(made, name, part)
        return made

    def __reduce__(self) -> Any:
        return by_fields, (self.cls,)


@functools.lru_cache(maxsize=1024)
def by_fields(cls: type) -> ByFields:
    """What makes objects of a class from their fields; one for each class."""
    return ByFields(cls)
