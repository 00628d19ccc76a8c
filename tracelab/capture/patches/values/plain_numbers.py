"""Where Python and NumPy take a traced number for a plain one: as a key, an `int`, a copy, JSON, an array."""

from __future__ import annotations

import functools
import gc
import json
import operator
import sys
from collections.abc import Callable, Iterable, Iterator
from types import FrameType
from typing import Any

import numpy
import torch

from tracelab.capture.analysis.cached_calls import cached_callee
from tracelab.capture.patches.attribute import Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.arrays.traced_array import TracedArray
from tracelab.capture.recording.recorder import active
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.recording.sym_numbers import TracedNumber, plain_number, was_read
from tracelab.capture.values import SYMBOLIC
from tracelab.graph.source import is_inner

_EXTREMES: dict[Any, Callable[[Any, Any], Any]] = {numpy.maximum: torch.sym_max, numpy.minimum: torch.sym_min}
_KINDS = {torch.SymInt: int, torch.SymFloat: float, torch.SymBool: bool}


class ShownClass(Replacement):
    """Lets `isinstance` see another class, without a cost for all that are no traced numbers.

    `setattr` would change the class of the class. Python hears of it by the attribute that is set next.
    """

    def __init__(self, owner: Any, kind: type) -> None:
        self.owner = owner
        self.label = f"{owner.__name__}.__class__"
        self._stand_in = property(_class_seen(owner, kind))

    def _table(self) -> dict[str, Any]:
        found: dict[str, Any] = next(item for item in gc.get_referents(vars(self.owner)) if type(item) is dict)
        return found

    def install(self) -> None:
        self._table()["__class__"] = self._stand_in

    def remove(self) -> None:
        if self.is_in():
            del self._table()["__class__"]

    def is_in(self) -> bool:
        return self._table().get("__class__") is self._stand_in


def _class_seen(owner: Any, kind: type) -> Callable[[Any], Any]:
    """`isinstance(x.shape[0], int)` is true for the code that is traced; torch asks in order to tell them apart."""

    def seen(number: Any) -> Any:
        frame: Any = sys._getframe(1)
        if not isinstance(vars(number).get("node"), TracedNumber):
            return owner
        if frame.f_globals.get("__name__") == "abc":
            # `isinstance(size, numbers.Integral)`: torch's own modules take it for a number, too.
            return owner if _writes_json(frame.f_back) else kind
        return owner if is_inner(frame.f_code) or _writes_json(frame) else kind

    return seen


def _writes_json(frame: FrameType) -> bool:
    # It takes an `int` for one that is made of bits; of another object it asks `default`.
    return frame.f_globals.get("__name__") in ("json", "json.encoder")


def _outside_json(frame: FrameType) -> FrameType:
    while _writes_json(frame) and frame.f_back is not None:
        frame = frame.f_back
    return frame


def _hashed(original: Callable[[Any], int]) -> Callable[[Any], int]:
    """As a key it is the number, and the trace is specialized; for a cached function it is one that no cache holds."""

    def hashed(number: Any) -> int:
        node = number.node
        if not isinstance(node, TracedNumber):
            return original(number)
        recorder = node.recorder
        if node.value is not None and not recorder.paused and not recorder.ended:
            cache = cached_callee(sys._getframe(1))
            if cache is not None:
                recorder.caches.append(cache)
                return hash((TracedNumber, id(node.value)))
        return hash(node.plain(sys._getframe(1)))

    return hashed


def _reduced(original: Callable[..., Any]) -> Callable[..., Any]:
    def reduced(number: Any, protocol: Any) -> Any:
        node = number.node
        if not isinstance(node, TracedNumber):
            return original(number, protocol)
        plain = node.plain(sys._getframe(1))
        return type(plain), (plain,)

    return reduced


def _encoded(original: Callable[..., Any]) -> Callable[..., Any]:
    @functools.wraps(original)
    def default(encoder: Any, item: Any) -> Any:
        if type(item) in SYMBOLIC and isinstance(item.node, TracedNumber):
            return item.node.plain(_outside_json(sys._getframe(1)))
        return original(encoder, item)

    return default


def _array(number: Any, dtype: Any = None, copy: Any = None) -> Any:
    node = number.node
    return numpy.array(node.plain(sys._getframe(1)) if isinstance(node, TracedNumber) else node.hint, dtype)


def _array_function(number: Any, function: Any, method: str, *inputs: Any, **options: Any) -> Any:
    """A function of NumPy on sizes alone follows them, as on objects; with arrays, the number is noted."""
    if (
        method == "__call__"
        and not options
        and all(map(_is_number, inputs))
        and not any(map(_was_read_in_cell, inputs))
    ):
        if function in _EXTREMES and {*map(type, inputs)} <= {int, torch.SymInt}:
            return _EXTREMES[function](*inputs)
        if function.nout == 1 and "O" in function.types[-1].rpartition(">")[2]:
            result = function(*map(_as_object, inputs))
            return result.item() if isinstance(result, numpy.generic) else result
    return getattr(function, method)(*_plain(inputs, sys._getframe(1)), **options)


def _plain(items: Iterable[Any], frame: FrameType) -> list[Any]:
    return [plain_number(item, frame) for item in items]


def _is_number(item: Any) -> bool:
    return type(item) in SYMBOLIC or isinstance(item, (int, float, numpy.number))


def _was_read_in_cell(item: Any) -> bool:
    """Whether a cell read a number from a tensor: what NumPy makes of it is a number of NumPy's, which is looked at."""
    return was_read(item) and bool(item.node.recorder.graph.cell)


def _as_object(item: Any) -> Any:
    made = numpy.empty((), object)
    made[()] = item.item() if isinstance(item, numpy.generic) else item
    return made


def _product(original: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy.prod(x.shape)` follows the sizes."""

    @functools.wraps(original)
    def product(*args: Any, **options: Any) -> Any:
        items = args[0] if len(args) == 1 and not options and isinstance(args[0], (list, tuple)) else ()
        recorder = active.recorder
        if recorder is None or recorder.paused or not {*map(type, items)} & {torch.SymInt, torch.SymFloat}:
            return original(*args, **options)
        if not all(map(_is_number, items)):
            return original(*args, **options)
        return functools.reduce(operator.mul, items)

    return product


def _range(original: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy.arange(n)` counts by arithmetic on `n`: the number is noted once."""

    @functools.wraps(original)
    def arange(*args: Any, **options: Any) -> Any:
        recorder = active.recorder
        if recorder is not None and not recorder.paused:
            frame = sys._getframe(1)
            args, options = tuple(_plain(args, frame)), dict(zip(options, _plain(options.values(), frame), strict=True))
        return original(*args, **options)

    return arange


_CONTIGUOUS = numpy.ascontiguousarray


def _array_of(original: Callable[..., Any]) -> Callable[..., Any]:
    """`numpy.ascontiguousarray(a)` of an array that was an argument has its values, which follow."""
    copies = original.__name__ == "array"

    @functools.wraps(original)
    def made(*args: Any, **options: Any) -> Any:
        given = args[0] if args else None
        if type(given) is not TracedArray or not given.followed or len(args) > 2 or set(options) - {"dtype"}:
            return original(*args, **options)
        dtype = options.get("dtype", args[1] if len(args) == 2 else None)
        if dtype is not None:
            return given.astype(dtype, copy=True) if copies else given.astype(dtype, copy=False)
        if original is not _CONTIGUOUS:
            return given.copy() if copies else given
        return given.contiguous() if given.ndim else original(given.read())

    return made


def _number_methods(owner: Any, kind: type) -> Iterator[Replacement]:
    yield ShownClass(owner, kind)
    # What is set next tells Python of the class.
    yield Attribute(owner, "__copy__", lambda original: lambda number: number)
    yield Attribute(owner, "__deepcopy__", lambda original: lambda number, memo: number)
    yield Attribute(owner, "__reduce_ex__", _reduced)
    yield Attribute(owner, "__hash__", _hashed)
    if owner is not torch.SymBool:
        yield Attribute(owner, "__array__", lambda original: _array)
        yield Attribute(owner, "__array_ufunc__", lambda original: _array_function)


TAKEN_FOR_PLAIN = tuple(item for owner, kind in _KINDS.items() for item in _number_methods(owner, kind))
"""What the classes of traced numbers have."""

PLAIN_NUMBERS = (
    Code(json.JSONEncoder.default, _encoded),
    Attribute(numpy, "prod", _product, lent=True),
    Attribute(numpy, "arange", _range, lent=True),
    *(Attribute(numpy, name, _array_of, lent=True) for name in ("array", "asarray", "ascontiguousarray")),
)
"""Make traced numbers what they are taken for; where the number itself is needed, that is noted."""
