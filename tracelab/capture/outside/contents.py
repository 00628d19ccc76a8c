"""What state of Python holds, kept so that a later look can tell whether it is the same.

Of a container what is in it is kept, and what is in the small containers in it.
"""

from __future__ import annotations

import array
import ctypes
import random
from collections import ChainMap, UserDict, UserList, deque
from collections.abc import Callable, Iterable, Sized
from typing import Any, TypeGuard

import numpy
import torch

from tracelab.capture.outside.positions import POSITIONED, Position
from tracelab.capture.values import SYMBOLIC

PLAIN = (bool, int, float, str, type(None))
MAPPINGS: tuple[type, ...] = (dict, UserDict, ChainMap)
CONTAINERS: tuple[type, ...] = (list, set, deque, UserList, *MAPPINGS)
_OF_C: tuple[type, ...] = (ctypes.c_int.__mro__[1], ctypes.Array)
RAW: tuple[type, ...] = (bytearray, array.array, numpy.ndarray, *_OF_C)
"""What holds numbers and no objects."""
GENERATORS: tuple[type, ...] = (random.Random, numpy.random.Generator, numpy.random.RandomState)
"""Whose numbers a replay does not draw; it draws those of torch's."""
ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()
_DEPTH = 3
"""How far into containers in containers is looked."""
_SMALL = 100
"""Items of a container that is looked into there."""
_MOST_BYTES = 1 << 16


class Contents:
    """What was in a container."""

    __slots__ = ("container", "items", "size")

    def __init__(self, container: Any, depth: int = _DEPTH) -> None:
        self.container = container
        self.size = len(container)
        # Of a long one only its length is looked at: it is data.
        self.items: Any = None if self.size > 1000 else _items_of(container, depth)

    def is_same(self, now: Any, equal: Callable[[Any, Any], bool] | None = None) -> bool:
        """Whether it is a container of the same kind, with the same in it."""
        equal = same if equal is None else equal
        if type(now) is not type(self.container) or len(now) != self.size:
            return False
        if self.items is None:
            return now is self.container
        if isinstance(now, (set, frozenset)):
            return bool(now == self.items)
        if isinstance(now, MAPPINGS):
            return all(key in self.items and equal(item, self.items[key]) for key, item in keyed(now))
        return all(map(equal, now, self.items))

    def added(self) -> list[Any] | None:
        """What a dict or a list got in addition; None where anything else was changed."""
        now, items = self.container, self.items
        if items is None or isinstance(now, set):
            return None
        if isinstance(now, dict):
            kept = all(key in now and same(now[key], item) for key, item in items.items())
            return [item for key, item in now.items() if key not in items] if kept else None
        return None

    def __repr__(self) -> str:
        kind = type(self.container).__name__
        return f"a {kind} of {self.size}" if self.size else f"an empty {kind}"


class Draws:
    """Where a generator of random numbers stood."""

    __slots__ = ("state",)

    def __init__(self, generator: Any) -> None:
        self.state = self._state_of(generator)

    @staticmethod
    def _state_of(generator: Any) -> str:
        if isinstance(generator, random.SystemRandom):
            # What it gives is the system's.
            return ""
        if isinstance(generator, random.Random):
            return repr(generator.getstate())
        if isinstance(generator, numpy.random.RandomState):
            return repr(generator.get_state(legacy=False))
        return repr(generator.bit_generator.state)

    def is_same(self, now: Any) -> bool:
        """Whether it stands there still."""
        return isinstance(now, GENERATORS) and self._state_of(now) == self.state

    def __repr__(self) -> str:
        return "a generator before its draws"


class Raw:
    """The bytes of an array of numbers."""

    __slots__ = ("content", "item", "kind")

    def __init__(self, item: Any) -> None:
        self.item, self.kind = item, _kind_of(item)
        self.content = _bytes_of(item)

    def is_same(self, now: Any) -> bool:
        """Whether it is one of the same kind and with the same numbers."""
        if type(now) is not type(self.item) or _kind_of(now) != self.kind:
            return False
        return now is self.item if self.content is None else _bytes_of(now) == self.content

    def __repr__(self) -> str:
        return f"a {type(self.item).__name__}"


def _kind_of(item: Any) -> Any:
    return (item.dtype, item.shape) if isinstance(item, numpy.ndarray) else None


def _bytes_of(item: Any) -> bytes | None:
    """None of objects, and of what is so large that it is data."""
    if isinstance(item, numpy.ndarray):
        return None if item.dtype.hasobject or item.nbytes > _MOST_BYTES else item.tobytes()
    found = memoryview(item)
    return None if found.nbytes > _MOST_BYTES else found.tobytes()


def _items_of(container: Any, depth: int) -> Any:
    if isinstance(container, set):
        return set(container)
    if isinstance(container, MAPPINGS):
        return {key: _inner(item, depth) for key, item in keyed(container)}
    return [_inner(item, depth) for item in container]


def keyed(container: Any) -> Iterable[tuple[Any, Any]]:
    """What is in a container, with its key or its place."""
    mapped = isinstance(container, MAPPINGS)
    items: Iterable[tuple[Any, Any]] = container.items() if mapped else enumerate(container)
    return items


def is_container(item: Any) -> TypeGuard[Sized]:
    """Whether it is one that is looked into."""
    return isinstance(item, CONTAINERS)


def _inner(item: Any, depth: int) -> Any:
    """What is in a container, as it is kept."""
    if depth and is_container(item) and len(item) <= _SMALL:
        return Contents(item, depth - 1)
    return Raw(item) if isinstance(item, RAW) else item


def same(now: Any, before: Any) -> bool:
    """Whether two things are the same, as far as plain Python sees it."""
    if isinstance(before, Position):
        return before.is_same(now)
    if now is before:
        return True
    if type(now) in SYMBOLIC:
        now = getattr(now.node, "number", now)
    if isinstance(before, (Contents, Draws, Raw)):
        return before.is_same(now)
    if type(now) in (*PLAIN, tuple) and type(now) is type(before):
        return bool(now == before or now != now) if type(now) is not tuple else _same_tuple(now, before)
    return False


def alike(now: Any, before: Any) -> bool:
    """The same, where one tensor is as good as another."""
    if isinstance(now, torch.Tensor) and isinstance(before, torch.Tensor):
        return True
    if isinstance(before, Contents):
        return before.is_same(now, alike)
    if isinstance(now, (list, dict, tuple)) and type(now) is type(before):
        return len(now) == len(before) and Contents(before).is_same(now, alike)
    return same(now, before)


def as_found(item: Any) -> Any:
    """What something is, as it is now: containers and generators are looked into."""
    if isinstance(item, CONTAINERS):
        return Contents(item)
    if isinstance(item, RAW):
        return Raw(item)
    return Draws(item) if isinstance(item, GENERATORS) else Position(item) if isinstance(item, POSITIONED) else item


def _same_tuple(now: Any, before: Any) -> bool:
    return len(now) == len(before) and all(map(same, now, before))
