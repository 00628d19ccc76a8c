"""Which attributes of its objects the code of a class sets, and which it reads."""

from __future__ import annotations

import dis
import functools
import sys
import types
import weakref
from collections.abc import Iterator
from types import CodeType
from typing import Any

from tracelab.capture.outside.reads import names_read

NOT_LOOKED_AT = frozenset(("torch", "tracelab", "numpy", "builtins")) | sys.stdlib_module_names - {"__main__"}
"""Packages whose objects keep nothing that decides, or are looked at by other means."""
_NO_CALL = frozenset(
    "__init__ __new__ __repr__ __str__ extra_repr __getstate__ __setstate__ __reduce__ __reduce_ex__ __copy__ "
    "__deepcopy__ __getattr__ __setattr__ __delattr__ __getattribute__ __dir__ __init_subclass__ __del__".split()
)
"""Methods that are no part of a call."""
_STORE = bytes([dis.opmap["STORE_ATTR"]])
_EXTENDED = dis.opmap["EXTENDED_ARG"]
WATCHED: list[type] = []
"""The class of what stands in a class for an attribute that is watched."""

_known: weakref.WeakKeyDictionary[type, frozenset[str]] = weakref.WeakKeyDictionary()


def attributes_set(cls: type) -> frozenset[str]:
    """The attributes of its objects that a class sets in a call, and that its own table does not hold."""
    found = _known.get(cls)
    if found is None:
        stored = frozenset().union(*(_stored(code) for code in _codes(cls)))
        found = _known[cls] = stored - {"training"} if _can_be_watched(cls) else frozenset()
    return frozenset(name for name in found if not _is_of_class(cls, name))


def reads(cls: type, name: str) -> bool:
    """Whether the methods of a class read an attribute, for more than to change it."""
    return any(name in code.co_names and name in names_read(code) for code in _codes(cls))


def looks_at_all(cls: type) -> bool:
    """Whether methods of a class look at the table of all attributes."""
    return any(not {"__dict__", "vars"}.isdisjoint(code.co_names) for code in _codes(cls))


def is_looked_at(cls: Any) -> bool:
    """Whether a class of an installed package may keep state."""
    return cls.__module__.partition(".")[0] not in NOT_LOOKED_AT


def _can_be_watched(cls: type) -> bool:
    getter: Any = cls.__getattribute__
    return getter is object.__getattribute__ and "__dict__" in dir(cls)


def _is_of_class(cls: type, name: str) -> bool:
    return any(name in vars(owner) and type(vars(owner)[name]) not in WATCHED for owner in cls.__mro__)


def _codes(cls: type) -> Iterator[CodeType]:
    for owner in cls.__mro__:
        if is_looked_at(owner):
            for name, item in vars(owner).items():
                if name not in _NO_CALL:
                    yield from _codes_of(item)


def _codes_of(item: Any) -> Iterator[CodeType]:
    if isinstance(item, property):
        yield from (code for each in (item.fget, item.fset) for code in _codes_of(each))
    elif isinstance(item, (staticmethod, classmethod)):
        yield from _codes_of(item.__func__)
    elif isinstance(item, functools.cached_property):
        yield from _codes_of(item.func)
    elif isinstance(item, types.FunctionType):
        inner: Any = item
        while isinstance(getattr(inner, "__wrapped__", None), types.FunctionType):
            inner = inner.__wrapped__
        yield inner.__code__


def _stored(code: CodeType) -> frozenset[str]:
    """The attributes that code sets; its bytes are searched, as large classes have hundreds of methods."""
    raw = code.co_code
    kinds, found, at = raw[::2], set(), -1
    while (at := kinds.find(_STORE, at + 1)) >= 0:
        number, before, shift = raw[2 * at + 1], at - 1, 8
        while before >= 0 and kinds[before] == _EXTENDED:
            number |= raw[2 * before + 1] << shift
            before, shift = before - 1, shift + 8
        found.add(code.co_names[number])
    inner = (_stored(item) for item in code.co_consts if isinstance(item, CodeType))
    return frozenset(found).union(*inner)
