"""What plain numbers have, and Python's and torch's functions that take them, for traced numbers."""

from __future__ import annotations

import builtins
import functools
import math
import operator
import sys
from collections.abc import Callable, Iterator
from types import ModuleType
from typing import Any

import torch

from tracelab.capture.layers.torch_function import number_to_tensor
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.recording.sym_numbers import TracedNumber, math_function
from tracelab.graph.intrinsics import MATH


class _Math(ModuleType):
    """`math`, whose functions are others on a thread that records: to all others they are what they always were."""

    def __getattribute__(self, name: str) -> Any:
        found = ModuleType.__getattribute__(self, name)
        if name in _STAND_INS and found is _ORIGINALS[name]:
            recorder = active.recorder
            if recorder is not None and not recorder.paused:
                return _STAND_INS[name]
        return found

    def __setattr__(self, name: str, item: Any) -> None:
        # Code that puts back what it found there, after it had set another function, found a stand-in.
        ModuleType.__setattr__(self, name, _ORIGINALS[name] if item is _STAND_INS.get(name, self) else item)


_ORIGINALS = {name: getattr(math, name) for name in MATH}
_STAND_INS = {name: math_function(name, original) for name, original in _ORIGINALS.items()}


class MathFunctions(Replacement):
    """Keeps traced numbers symbolic in `math.sqrt(x.shape[0])` and its like."""

    label = "math"

    def install(self) -> None:
        if type(math) is ModuleType:
            math.__class__ = _Math

    def remove(self) -> None:
        if self.is_in():
            math.__class__ = ModuleType

    def is_in(self) -> bool:
        return type(math) is _Math


def _always(made: Any) -> Callable[[Any], Any]:
    return lambda original: made


def _number_methods(owner: Any) -> Iterator[Attribute]:
    """What plain numbers have and torch's symbolic ones have not."""
    yield Attribute(owner, "__divmod__", _always(lambda a, b: (a // b, a % b)))
    yield Attribute(owner, "__rdivmod__", _always(lambda a, b: (b // a, b % a)))
    yield Attribute(owner, "real", _always(property(lambda number: number)))
    yield Attribute(owner, "imag", _always(property(lambda number: 0.0 if owner is torch.SymFloat else 0)))
    yield Attribute(owner, "__format__", _formatted)
    for name in ("to_bytes", "as_integer_ratio", "bit_length", "bit_count", "hex"):
        yield Attribute(owner, name, _always(_method_of_plain(name)))
    yield Attribute(owner, "__pow__", _power)
    # NumPy's functions ask objects for a method of their name.
    for name in ("sqrt", "log", "log2", "log10", "exp", "sin", "cos", "tan", "tanh"):
        yield Attribute(owner, name, _always(_method(_STAND_INS[name])))
    yield Attribute(owner, "rint", _always(lambda number: torch.sym_float(round(number))))


def _extreme(symbolic: Callable[[Any, Any], Any]) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """`min(n, 3)` and `max(x.shape)` without a branch on which of them it is."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
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

    return make


def _formatted(original: Callable[..., str]) -> Callable[..., str]:
    def formatted(number: Any, spec: str) -> str:
        node = number.node
        if not isinstance(node, TracedNumber):
            return original(number, spec)
        node.note_text(sys._getframe(1))
        return format(node.number, spec)

    return formatted


def _power(original: Callable[..., Any]) -> Callable[..., Any]:
    def power(number: Any, exponent: Any, modulus: Any = None) -> Any:
        if modulus is None:
            return original(number, exponent)
        # Of three numbers the result is a plain one.
        return pow(*(operator.index(item) for item in (number, exponent, modulus)))

    return power


def _rounded(original: Callable[..., Any]) -> Callable[..., Any]:
    def rounded(number: Any, digits: Any = None) -> Any:
        if digits is None or digits >= 0:
            return original(number, digits)
        # To tens: torch's own gives the number itself.
        return round(operator.index(number), digits)

    return rounded


def _method(function: Callable[..., Any]) -> Callable[..., Any]:
    return lambda number: function(number)


def _method_of_plain(name: str) -> Callable[..., Any]:
    def method(number: Any, *args: Any, **options: Any) -> Any:
        return getattr(number.node.plain(sys._getframe(1)), name)(*args, **options)

    return method


def _takes_numbers(original: Callable[..., Any]) -> Callable[..., Any]:
    """The old tracer gave sizes as tensors, and code written for it calls `torch.ceil` on them."""

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused or not args:
            return original(*args, **kwargs)
        if isinstance(args[0], (torch.SymInt, torch.SymFloat)):
            args = (number_to_tensor(recorder, args[0]), *args[1:])
        return original(*args, **kwargs)

    return function


class _Float(type):
    """What torch's own functions have for `float`: it follows a size, which the built-in class cannot give back."""

    def __call__(cls, item: Any = 0.0) -> Any:
        return torch.sym_float(item) if isinstance(item, (torch.SymInt, torch.SymFloat)) else float(item)

    def __instancecheck__(cls, item: Any) -> bool:
        return isinstance(item, float)


METHODS = (
    *_number_methods(torch.SymInt),
    *_number_methods(torch.SymFloat),
    Attribute(torch.SymInt, "__round__", _rounded),
    Attribute(torch.SymInt, "__invert__", _always(lambda number: -number - 1)),
    Attribute(torch.SymInt, "numerator", _always(property(lambda number: number))),
    Attribute(torch.SymInt, "denominator", _always(property(lambda number: 1))),
)
"""What the classes of traced numbers have."""

NUMBERS = (
    *(Attribute(torch, name, _takes_numbers, lent=True) for name in ("ceil", "floor", "round", "sqrt", "trunc")),
    MathFunctions(),
    Attribute(torch.nn.functional, "float", _always(_Float("float", (), {})), lent=True),
    Attribute(builtins, "min", _extreme(torch.sym_min), lent=True),
    Attribute(builtins, "max", _extreme(torch.sym_max), lent=True),
)
"""Make traced numbers usable as keys, in `math`, and where a number is."""
