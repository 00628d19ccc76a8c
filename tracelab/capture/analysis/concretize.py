"""Traced numbers that outlive the recording become plain numbers again.

While code is traced, `n = x.shape[0]` gives a number that remembers where it came from. Kept in a variable of the
cell or in an attribute of a module, it must afterwards be the plain integer that it would be without tracing.
"""

from __future__ import annotations

import functools
import types
from collections.abc import Callable, Iterable
from typing import Any

import numpy
import torch

from tracelab.capture.values import SYMBOLIC, is_filled, python_function
from tracelab.graph.arrays import ArrayStandIn


def concretize_names(namespace: dict[str, Any], names: Iterable[str]) -> None:
    """Make plain the numbers in these variables: bare, in containers, and in attributes of objects."""
    seen: set[int] = set()
    for name in names:
        if name in namespace:
            item = namespace[name]
            plain = plain_numbers(item, seen)
            if plain is not item:
                namespace[name] = plain
            _concretize_attributes(item, seen)


def concretize_modules(modules: Iterable[torch.nn.Module]) -> None:
    """Make plain the numbers that modules keep as attributes."""
    seen: set[int] = set()
    for module in modules:
        _concretize_attributes(module, seen)


def plain_numbers(item: Any, seen: set[int]) -> Any:
    """The same object with plain numbers; lists and dicts keep their identity."""
    if isinstance(item, ArrayStandIn):
        return item.plain()
    if isinstance(item, SYMBOLIC):
        # torch's own symbolic numbers stand for no number.
        return getattr(item.node, "number", item)
    if not isinstance(item, (list, tuple, dict, set, numpy.ndarray)) or id(item) in seen:
        return item
    seen.add(id(item))
    if isinstance(item, numpy.ndarray):
        if item.dtype.hasobject and item.flags.writeable:
            _concretize_array(item, seen)
        return item
    if isinstance(item, tuple):
        parts = [plain_numbers(part, seen) for part in item]
        if all(part is old for part, old in zip(parts, item, strict=True)):
            return item
        return type(item)(*parts) if hasattr(item, "_fields") else type(item)(parts)
    if isinstance(item, (dict, set)):
        concretize_keys(item, lambda key: plain_numbers(key, seen))
    if isinstance(item, set):
        return item
    for key, old in list(item.items() if isinstance(item, dict) else enumerate(item)):
        part = plain_numbers(old, seen)
        if part is not old:
            item[key] = part
    return item


def _concretize_array(array: Any, seen: set[int]) -> None:
    for place in numpy.ndindex(array.shape):
        old = array[place]
        part = plain_numbers(old, seen)
        if part is not old:
            array[place] = part


def concretize_keys(item: Any, plain: Callable[[Any], Any]) -> None:
    """Traced numbers can be hashed only while a recording runs: what holds them as keys is filled anew."""
    old = list(item)
    new = [plain(key) for key in old]
    if all(key is before for key, before in zip(new, old, strict=True)):
        return
    values = list(item.values()) if isinstance(item, dict) else []
    item.clear()
    if not isinstance(item, dict):
        item.update(new)
        return
    for key, part in zip(new, values, strict=True):
        # What `update` of a counter does is to count.
        item[key] = part


def concretize_function(function: Any) -> None:
    """Make plain the numbers that a function keeps: in its closure, its globals, and the object that it belongs to."""
    seen: set[int] = set()
    if isinstance(function, functools.partial):
        function = function.func
    _concretize_attributes(getattr(function, "__self__", None), seen)
    function = python_function(function)
    if function is None:
        return
    for cell in filter(is_filled, function.__closure__ or ()):
        content = cell.cell_contents
        plain = plain_numbers(content, seen)
        if plain is not content:
            cell.cell_contents = plain
        _concretize_attributes(content, seen)
    concretize_names(function.__globals__, function.__code__.co_names)


def _concretize_attributes(item: Any, seen: set[int]) -> None:
    if isinstance(item, (type, types.ModuleType, types.FunctionType)):
        return
    for owner in item.modules() if isinstance(item, torch.nn.Module) else (item,):
        table = getattr(owner, "__dict__", None)
        if isinstance(table, dict):
            plain_numbers(table, seen)
