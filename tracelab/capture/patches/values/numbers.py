"""What plain numbers have, and Python's and torch's functions that take them, for traced numbers."""

from __future__ import annotations

import builtins
import functools
import math
from collections.abc import Callable
from typing import Any

import torch

from tracelab.capture.layers.torch_function import number_to_tensor
from tracelab.capture.patches.registry import Registry
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.sym_numbers import TracedNumber, math_function
from tracelab.graph.intrinsics import MATH


def patch_numbers(registry: Registry) -> None:
    """Make traced numbers usable in `math`, and where a number is."""
    _patch_rounding(registry)
    _patch_number_methods(registry)
    for name in MATH:
        registry.set(math, name, math_function(name, getattr(math, name)))
    registry.set(builtins, "min", _extreme(min, torch.sym_min))
    registry.set(builtins, "max", _extreme(max, torch.sym_max))


def _patch_rounding(registry: Registry) -> None:
    """The old tracer gave sizes as tensors, and code written for it calls `torch.ceil` on them."""
    for name in ("ceil", "floor", "round", "sqrt", "trunc"):
        registry.set(torch, name, _takes_numbers(getattr(torch, name)))


def _patch_number_methods(registry: Registry) -> None:
    """What plain numbers have and torch's symbolic ones have not."""
    for owner in (torch.SymInt, torch.SymFloat):
        registry.set(owner, "__divmod__", lambda a, b: (a // b, a % b))
        registry.set(owner, "__rdivmod__", lambda a, b: (b // a, b % a))
        registry.set(owner, "real", property(lambda number: number))
        registry.set(owner, "imag", property(lambda number: 0))
        registry.set(owner, "__format__", _formatted(owner.__format__))
        # NumPy's functions ask objects for a method of their name.
        for name in ("sqrt", "log", "log2", "log10", "exp", "sin", "cos", "tan", "tanh"):
            registry.set(owner, name, _method(math_function(name, getattr(math, name))))
        registry.set(owner, "rint", lambda number: torch.sym_float(round(number)))
    registry.set(torch.SymInt, "__invert__", lambda number: -number - 1)
    registry.set(torch.SymInt, "numerator", property(lambda number: number))
    registry.set(torch.SymInt, "denominator", property(lambda number: 1))


def _extreme(original: Callable[..., Any], symbolic: Callable[[Any, Any], Any]) -> Callable[..., Any]:
    """`min(n, 3)` and `max(x.shape)` without a branch on which of them it is."""

    @functools.wraps(original)
    def extreme(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or kwargs or not args:
            return original(*args, **kwargs)
        items = args if len(args) > 1 else args[0] if isinstance(args[0], (tuple, list)) else ()
        kinds = set(map(type, items))
        # Of mixed numbers, Python gives the one that it chose as it is.
        alike = kinds <= {int, torch.SymInt} or kinds <= {float, torch.SymFloat}
        if alike and kinds & {torch.SymInt, torch.SymFloat}:
            return functools.reduce(symbolic, items)
        return original(*args)

    return extreme


def _formatted(original: Callable[..., str]) -> Callable[..., str]:
    def formatted(number: Any, spec: str) -> str:
        node = number.node
        return format(node.number, spec) if isinstance(node, TracedNumber) else original(number, spec)

    return formatted


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda number: function(number)


def _takes_numbers(original: Callable[..., Any]) -> Callable[..., Any]:
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or not args:
            return original(*args, **kwargs)
        if isinstance(args[0], (torch.SymInt, torch.SymFloat)):
            args = (number_to_tensor(recorder, args[0]), *args[1:])
        return original(*args, **kwargs)

    return function
