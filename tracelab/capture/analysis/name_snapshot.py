"""What the names around a specialization stood for: what a quick fix is proved from."""

from __future__ import annotations

import linecache
import re
from collections.abc import Mapping
from types import FrameType, ModuleType
from typing import Any

import torch

from tracelab.capture.values import SYMBOLIC
from tracelab.graph.source import Source
from tracelab.graph.types import tensor_type

_DOTTED = re.compile(r"[^\W\d]\w*(?:\.[^\W\d]\w*)*")
_BEFORE, _AFTER = 4, 8
"""Lines around the place whose names are noted: a branch and its other side stand there."""


def lines_around(source: Source) -> list[str]:
    """The text near a place."""
    return linecache.getlines(source.file)[max(0, source.line - 1 - _BEFORE) : source.end_line + _AFTER]


def names_around(source: Source, frame: FrameType) -> dict[str, Any]:
    """Names near a place, and what each is: a tensor's type, a number, a module of Python, or None for all else.

    Attributes of modules are noted as `self.weight`. Nothing of the user's runs: no property, no `__getattr__`.
    """
    words = dict.fromkeys(("torch", *(word for line in lines_around(source) for word in _DOTTED.findall(line))))
    found: dict[str, Any] = {}
    for word in words:
        first, *path = word.split(".")
        if first not in found:
            item = _looked_up(frame, first)
            if item is _ABSENT:
                continue
            found[first] = _noted(item)
        if path and (item := _attribute(_looked_up(frame, first), path[0])) is not _ABSENT:
            found[f"{first}.{path[0]}"] = _noted(item)
    return found


_ABSENT = object()


def _looked_up(frame: FrameType, name: str) -> Any:
    local, code = frame.f_locals, frame.f_code
    if name in local:
        return local[name]
    # A local that is not bound yet hides what the module has of that name.
    hidden = name in code.co_varnames or name in code.co_cellvars or name in code.co_freevars
    return _ABSENT if hidden else frame.f_globals.get(name, _ABSENT)


def _attribute(owner: Any, name: str) -> Any:
    """A parameter, a buffer or a plain attribute of a module."""
    if not isinstance(owner, torch.nn.Module):
        return _ABSENT
    space: Mapping[str, Any] = vars(owner)
    for table in (space, space.get("_parameters", {}), space.get("_buffers", {})):
        if name in table:
            return table[name]
    return _ABSENT


def _noted(item: Any) -> Any:
    if isinstance(item, torch.Tensor):
        return tensor_type(item) if type(item) in (torch.Tensor, torch.nn.Parameter) else None
    if isinstance(item, ModuleType) or type(item) in (bool, int, float):
        return item
    return type(item) if isinstance(item, SYMBOLIC) else None
