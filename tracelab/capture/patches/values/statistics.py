"""Python's `statistics` asks for the class of numbers: that of a traced one is its plain class."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from typing import Any

import torch

from tracelab.capture.patches.code import Code
from tracelab.capture.patches.many import Group
from tracelab.capture.recording.replacement import Replacement

_PLAIN: dict[Any, type] = {torch.SymInt: int, torch.SymFloat: float, torch.SymBool: int}


def _plain_class(kind: Any) -> Any:
    return _PLAIN.get(kind, kind)


def _converted(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda value, kind: original(value, _plain_class(kind))


def _coerced(original: Callable[[Any, Any], Any]) -> Callable[[Any, Any], Any]:
    return lambda kind, other: original(_plain_class(kind), _plain_class(other))


_MADE = {"_convert": _converted, "_coerce": _coerced}
_found: dict[str, Code] = {}


def _replacements() -> Iterator[Replacement]:
    module = sys.modules.get("statistics")
    for name, make in _MADE.items():
        if name not in _found and hasattr(module, name):
            _found[name] = Code(getattr(module, name), make)
    yield from _found.values()


STATISTICS = (Group(_replacements),)
"""Let the mean and the variance of traced numbers be plain numbers."""
