"""Traced numbers that a cell left in variables become plain numbers again.

While a cell is traced, `n = x.shape[0]` gives a number that remembers where it came from. After the cell, `n`
must be the plain integer that it would be without tracing.
"""

from __future__ import annotations

import types
from collections.abc import Iterable
from typing import Any

import torch

from tracelab.capture.recorder import concrete

_TRACED = (torch.SymInt, torch.SymFloat, torch.SymBool)


def settle(namespace: dict[str, Any], names: Iterable[str]) -> None:
    """Make plain the numbers in these variables: bare, in containers, and in attributes of objects."""
    seen: set[int] = set()
    for name in names:
        if name in namespace:
            item = namespace[name]
            plain = _plain(item, seen)
            if plain is not item:
                namespace[name] = plain
            _settle_attributes(item, seen)


def _plain(item: Any, seen: set[int]) -> Any:
    """The same object with plain numbers; lists and dicts keep their identity."""
    if isinstance(item, _TRACED):
        return concrete(item)
    if not isinstance(item, (list, tuple, dict)) or id(item) in seen:
        return item
    seen.add(id(item))
    if isinstance(item, tuple):
        parts = [_plain(part, seen) for part in item]
        if all(part is old for part, old in zip(parts, item, strict=True)):
            return item
        return type(item)(*parts) if hasattr(item, "_fields") else type(item)(parts)
    for key, old in list(item.items() if isinstance(item, dict) else enumerate(item)):
        part = _plain(old, seen)
        if part is not old:
            item[key] = part
    return item


def _settle_attributes(item: Any, seen: set[int]) -> None:
    if isinstance(item, (type, types.ModuleType, types.FunctionType)):
        return
    for owner in item.modules() if isinstance(item, torch.nn.Module) else (item,):
        table = getattr(owner, "__dict__", None)
        if isinstance(table, dict):
            _plain(table, seen)
