"""Whether a value of Python's that is an argument is the one that was given at the trace."""

from __future__ import annotations

import functools
import weakref
from types import CellType, CodeType, FunctionType
from typing import Any

import numpy
from torch import nn

from tracelab.graph.described import Described, is_as_described

_FUNCTIONS = (FunctionType, functools.partial)
_PLAIN = (bool, int, float, complex, str, bytes, CodeType)
"""What a function may hold that is compared by more than identity."""
_EMPTY = object()


def same_value(now: Any, before: Any) -> bool:
    """Whether two values of Python's are of one class and equal."""
    if isinstance(before, Described):
        return is_as_described(now, before)
    if isinstance(now, weakref.ReferenceType):
        # Of an object to one that holds it: each has its own.
        return type(now) is type(before)
    if isinstance(now, numpy.ndarray):
        alike = type(now) is type(before) and now.dtype == before.dtype and now.shape == before.shape
        return alike and bool(now.tobytes() == before.tobytes())
    if now is before:
        return True
    if type(now) is not type(before):
        return False
    if isinstance(now, _FUNCTIONS):
        return _same_held(now, before, {})
    if isinstance(now, nn.Module):
        return _same_module(now, before)
    return bool(now == before or (now != now and before != before))


def _same_module(now: nn.Module, before: nn.Module) -> bool:
    """Whether two modules of one class do the same: those that hold no tensors, such as two of `nn.ReLU()`."""
    then, found = vars(before), vars(now)
    if type(now) is not type(before) or found.keys() != then.keys() or now._parameters or now._buffers:
        return False
    parts = [*zip(now._modules.items(), before._modules.items(), strict=False)]
    if len(now._modules) != len(before._modules) or not all(
        name == old_name and (part is old or (part is not None and old is not None and _same_module(part, old)))
        for (name, part), (old_name, old) in parts
    ):
        return False
    return all(
        part is then[name]
        or (isinstance(part, _PLAIN) and same_value(part, then[name]))
        or (isinstance(part, (dict, set)) and not part and not then[name])
        for name, part in found.items()
        if name != "_modules"
    )


def _same_held(now: Any, before: Any, pairs: dict[int, Any]) -> bool:
    """The same of what functions hold: tensors and objects are the same only where they are one.

    Two functions are the same that have one definition and hold the same: two results of a function that makes a
    `lambda`. Those in `pairs` are compared already: a function may hold itself.
    """
    if now is before or pairs.get(id(now)) is before:
        return True
    if type(now) is not type(before):
        return False
    if type(now) is tuple:
        return len(now) == len(before) and all(_same_held(*both, pairs) for both in zip(now, before, strict=True))
    if not isinstance(now, _FUNCTIONS):
        return isinstance(now, _PLAIN) and same_value(now, before)
    pairs[id(now)] = before
    return _same_held(_parts(now), _parts(before), pairs)


def _parts(function: Any) -> tuple[Any, ...]:
    if isinstance(function, functools.partial):
        return (function.func, function.args, *function.keywords.items())
    if vars(function):
        return (function,)
    named = tuple((function.__kwdefaults__ or {}).items())
    cells = map(_content, function.__closure__ or ())
    return (function.__code__, id(function.__globals__), function.__defaults__, named, *cells)


def _content(cell: CellType) -> Any:
    try:
        return cell.cell_contents
    except ValueError:
        return _EMPTY
