"""Random generators in the traced code: each run makes and seeds those that it makes, and seeds others as the code did.

`torch.Generator` is a class of C whose name may have been fetched before the trace, so that it stays as it is. What a
recording sees are its methods, and operators that are given a generator. One that nothing has drawn from, and that
nothing outside the traced code holds, was made inside.
"""

from __future__ import annotations

import ctypes
import functools
import gc
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

import torch

from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.values import concrete, is_filled
from tracelab.compat.tensors import generator_address
from tracelab.graph.intrinsics import GENERATOR, GENERATOR_METHODS, Intrinsic
from tracelab.graph.source import is_inner

_kind: Any = torch.Generator
_table: dict[str, Any] = gc.get_referents(_kind.__dict__)[0]
"""The methods of the class; it takes no other way to set them."""

_class = ctypes.py_object(_kind)
_tell_of_change = ctypes.pythonapi["PyType_Modified"]
_tell_of_change.argtypes, _tell_of_change.restype = (ctypes.py_object,), None

_get_state = _table["get_state"]

_DEPTH = 4
_MOST_ITEMS = 1000


class Methods(Replacement):
    """The methods that seed a generator, and those that save and restore it."""

    label = "torch.Generator's methods"

    def __init__(self) -> None:
        self._before = {name: _table[name] for name in GENERATOR_METHODS}
        self._stand_ins = {name: _recorded(entry, _table[name]) for name, entry in GENERATOR_METHODS.items()}

    def install(self) -> None:
        self._set(self._stand_ins)

    def remove(self) -> None:
        self._set(self._before)

    def is_in(self) -> bool:
        return any(_table[name] is item for name, item in self._stand_ins.items())

    def _set(self, methods: dict[str, Any]) -> None:
        _table.update(methods)
        # Python keeps what it found in a class until it is told of a change.
        _tell_of_change(_class)


def _recorded(intrinsic: Intrinsic, original: Any) -> Callable[..., Any]:
    @functools.wraps(original)
    def method(generator: torch.Generator, *args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(generator, *concrete(args), **concrete(kwargs))
        made_inside(recorder, generator)
        result = recorder.record_intrinsic(
            intrinsic, (generator, *args), kwargs, run=lambda: original(generator, *concrete(args), **concrete(kwargs))
        )
        return concrete(result) if intrinsic.name == "Generator.seed" else result

    return method


def made_inside(recorder: Recorder, generator: torch.Generator) -> None:
    """Note a generator that the traced code made, the first time that it is seen."""
    address = generator_address(generator)
    if address in recorder.generators or address in recorder.outer_generators:
        return
    paused, recorder.paused = recorder.paused, True
    try:
        outside = not _is_untouched(generator) or _is_held_outside(recorder, address, sys._getframe(1))
    finally:
        recorder.paused = paused
    if outside:
        recorder.outer_generators[address] = generator
        return
    recorder.record_intrinsic(GENERATOR, (generator.device,), run=lambda: generator)
    value = recorder.nodes[-1].outputs[0]
    value.type = "Generator"
    recorder.generators[address] = (generator, value)


def _is_untouched(generator: torch.Generator) -> bool:
    fresh = _kind(generator.device)
    if generator.initial_seed() != fresh.initial_seed():
        return False
    return bool(torch.equal(_get_state(generator), _get_state(fresh)))


def _is_held_outside(recorder: Recorder, address: int, frame: FrameType | None) -> bool:
    """Whether the code that was called, its arguments, or a namespace around it hold the generator."""
    # What was looked at is kept alive: another object may not take its place.
    seen: dict[int, Any] = {}
    while frame is not None:
        code = frame.f_code
        if not is_inner(code) or code is recorder.boundary:
            local = frame.f_locals
            around = [local[name] for name in code.co_freevars if name in local]
            if code is recorder.boundary:
                around += local.values()
            if _holds([around, frame.f_globals, local.get("self")], address, _DEPTH, seen):
                return True
        if code is recorder.boundary:
            return False
        frame = frame.f_back
    return False


def _holds(item: Any, address: int, depth: int, seen: dict[int, Any]) -> bool:
    if isinstance(item, torch.Generator):
        return generator_address(item) == address
    if depth < 0 or id(item) in seen:
        return False
    seen[id(item)] = item
    return any(_holds(child, address, depth - 1, seen) for child in _children(item))


def _children(item: Any) -> Iterator[Any]:
    if isinstance(item, dict):
        if len(item) <= _MOST_ITEMS:
            yield from list(item.values())
    elif isinstance(item, (list, tuple)):
        if len(item) <= _MOST_ITEMS:
            yield from item
    elif not isinstance(item, (type, torch.Tensor, str, bytes, int, float, type(sys))):
        for cell in filter(is_filled, getattr(item, "__closure__", None) or ()):
            yield cell.cell_contents
        yield from (getattr(item, "__defaults__", None), getattr(item, "__self__", None))
        yield getattr(item, "__dict__", None)


GENERATORS = (Methods(),)
"""Let the graph see where generators are seeded."""

# Recorders ask it of generators that operators are given.
Recorder.see_generator = staticmethod(made_inside)
