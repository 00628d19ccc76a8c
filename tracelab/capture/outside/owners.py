"""Whose a class, an object or a module is: the user's, whose state is looked at, or an installed package's."""

from __future__ import annotations

import argparse
import dataclasses
import enum
import functools
import types
from typing import Any

import torch

from tracelab.capture.analysis.libraries import is_library, is_library_file
from tracelab.capture.outside.attributes import NOT_LOOKED_AT, is_looked_at
from tracelab.capture.outside.contents import ABSENT

_NAMESPACES = (types.SimpleNamespace, argparse.Namespace)


def is_own_module(module: types.ModuleType) -> bool:
    """Whether a module is the user's: of no installed package and not of Python's library."""
    if module.__name__.partition(".")[0] in NOT_LOOKED_AT:
        return False
    file = getattr(module, "__file__", None)
    return file is None or not is_library_file(file)


@functools.lru_cache(maxsize=4096)
def is_own(cls: Any) -> bool:
    """Whether a class is the user's: no built-in one, and of no installed package."""
    if not cls.__flags__ & _HEAP or issubclass(cls, (torch.Tensor, BaseException)):
        return False
    module = cls.__module__
    # That of a class of C is no text where its own class says what it is.
    if not isinstance(module, str) or module.partition(".")[0] in (
        "torch",
        "tracelab",
        "numpy",
        "builtins",
        "collections",
        "typing",
    ):
        return False
    codes = (getattr(item, "__code__", None) for item in vars(cls).values())
    return not any(code is not None and is_library(code) for code in codes if not _is_made_up(code))


_NOT_OWN = frozenset({"torch", "tracelab", "numpy", "builtins", "collections", "typing"})


def _is_made_up(code: Any) -> bool:
    return code is None or code.co_filename.startswith("<") or code.co_filename in _MAKERS


_MAKERS = frozenset({dataclasses.__file__, enum.__file__})
"""Modules that write methods of their own into classes of the user's."""
_HEAP = 1 << 9
"""The flag of classes that Python code made."""


def is_own_object(item: Any) -> bool:
    """Whether it is an object with attributes of a class of the user's."""
    cls: Any = type(item)
    if cls in _NAMESPACES:
        return True
    if isinstance(item, (type, types.ModuleType, torch.nn.Module)):
        return False
    return (hasattr(item, "__dict__") or bool(slots_of(cls))) and is_own(cls)


@functools.lru_cache(maxsize=4096)
def slots_of(cls: Any) -> tuple[str, ...]:
    """The names of the slots that a class of Python code gives its objects."""
    if not cls.__flags__ & _HEAP:
        return ()
    tables = (vars(owner) for owner in cls.__mro__ if "__slots__" in vars(owner))
    return tuple(name for table in tables for name, item in table.items() if type(item) is types.MemberDescriptorType)


def slot(item: Any, name: str) -> Any:
    """What is in a slot now."""
    return getattr(item, name, ABSENT)


def is_library_object(item: Any) -> bool:
    """Whether it is an object with attributes of a class of an installed package that may keep state."""
    cls: Any = type(item)
    return (
        bool(cls.__flags__ & _HEAP)
        and is_looked_at(cls)
        and hasattr(item, "__dict__")
        and not isinstance(item, (type, types.ModuleType, torch.nn.Module, torch.Tensor, BaseException))
        and not is_own(cls)
    )
