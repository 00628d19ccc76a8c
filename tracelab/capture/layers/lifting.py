"""The traced tensors that a function uses from outside its arguments, found so that they can be given to it.

A function that stays one node reads what its closure, its defaults and its globals hold: in a notebook that is the
usual way. Each traced tensor or number found there becomes an argument of the node, and a replay runs a copy of the
function that holds that run's. Lists, tuples, dicts and `functools.partial` are looked into, and the Python functions
that it calls.
"""

from __future__ import annotations

import dis
import functools
import types
from collections.abc import Iterator, Sequence
from typing import Any

import torch

from tracelab.capture.recording.recorder import Recorder
from tracelab.capture.values import SYMBOLIC, is_filled
from tracelab.graph.callables.higher_order import Binding, Lifted

_MOST_FUNCTIONS = 200
_MOST_ITEMS = 100
_PYTHON = (types.FunctionType, types.MethodType, functools.partial)
_FUNCTIONS = (*_PYTHON, types.BuiltinFunctionType, types.MethodDescriptorType, torch.nn.Module)
_STORES = frozenset({"STORE_GLOBAL", "DELETE_GLOBAL"})


class Lifting:
    """Lifts callables; `found` are the traced tensors and numbers that they use, each once."""

    def __init__(self, recorder: Recorder) -> None:
        self.recorder = recorder
        self.found: list[Any] = []
        self._places: dict[int, int] = {}
        self._under_way: set[int] = set()
        self._functions = 0

    def lift_all(self, args: tuple[Any, ...], is_operator: bool) -> tuple[Any, ...]:
        """The arguments of a region with `Lifted` in the place of each function.

        A transform is given one, which may be anything that can be called, and then what that is called with; an
        operator may be given several, among its arguments and in tuples of them.
        """
        if is_operator:
            return tuple(map(self._of_operator, args))
        first = Lifted(args[0], self._binding(args[0])) if args and _is_called(args[0]) else None
        return tuple(map(self.lift, args)) if first is None else (first, *map(self.lift, args[1:]))

    def lift(self, item: Any) -> Any:
        """A callable as `Lifted` where it uses traced tensors from outside; anything else as it is."""
        if not isinstance(item, _PYTHON):
            return item
        bound = self._binding(item)
        return item if bound is None else Lifted(item, bound)

    def _of_operator(self, item: Any) -> Any:
        if isinstance(item, _FUNCTIONS):
            return Lifted(item, self._binding(item))
        if type(item) is tuple and len(item) <= _MOST_ITEMS and any(isinstance(part, _FUNCTIONS) for part in item):
            return tuple(map(self._of_operator, item))
        return item

    def _binding(self, item: Any) -> Binding | None:
        if isinstance(item, SYMBOLIC) or (isinstance(item, torch.Tensor) and self.recorder.is_dynamic(item)):
            return self._place(item)
        # What is reached again on the way to itself stays as it is; the traced tensors that it uses are then refused.
        if id(item) in self._under_way:
            return None
        self._under_way.add(id(item))
        try:
            if isinstance(item, types.FunctionType):
                return self._function(item)
            if isinstance(item, types.MethodType):
                return self._method(item)
            if type(item) is functools.partial:
                return self._partial(item)
            if type(item) is dict and len(item) <= _MOST_ITEMS:
                return self._mapping(item)
            if type(item) in (list, tuple) and len(item) <= _MOST_ITEMS:
                return self._sequence(item)
            return None
        finally:
            self._under_way.discard(id(item))

    def _place(self, item: Any) -> Binding:
        place = self._places.get(id(item))
        if place is None:
            place = self._places[id(item)] = len(self.found)
            self.found.append(item)
        return lambda run: run[place]

    def _mapping(self, items: dict[Any, Any]) -> Binding | None:
        found = {key: bound for key, item in items.items() if (bound := self._binding(item)) is not None}
        if not found:
            return None
        return lambda run: {**items, **{key: bound(run) for key, bound in found.items()}}

    def _sequence(self, items: list[Any] | tuple[Any, ...]) -> Binding | None:
        mapping = self._mapping(dict(enumerate(items)))
        return None if mapping is None else lambda run: type(items)(mapping(run).values())

    def _partial(self, item: functools.partial[Any]) -> Binding | None:
        parts = self._sequence((item.func, item.args, item.keywords))
        if parts is None:
            return None

        def bound(run: Sequence[Any]) -> Any:
            function, args, kwargs = parts(run)
            return functools.partial(function, *args, **kwargs)

        return bound

    def _method(self, method: types.MethodType) -> Binding | None:
        function = self._binding(method.__func__)
        return None if function is None else lambda run: types.MethodType(function(run), method.__self__)

    def _function(self, old: types.FunctionType) -> Binding | None:
        if self._functions >= _MOST_FUNCTIONS:
            return None
        self._functions += 1
        contents = {index: cell.cell_contents for index, cell in enumerate(old.__closure__ or ()) if is_filled(cell)}
        read = {name: old.__globals__[name] for name in _globals_read(old) if name in old.__globals__}
        parts = self._sequence((contents, read, old.__defaults__ or (), old.__kwdefaults__ or {}))
        if parts is None:
            return None

        def bound(run: Sequence[Any]) -> types.FunctionType:
            held, space, defaults, named = parts(run)
            cells = tuple(
                types.CellType(held[index]) if held.get(index) is not contents.get(index) else cell
                for index, cell in enumerate(old.__closure__ or ())
            )
            new = types.FunctionType(
                old.__code__, {**old.__globals__, **space}, old.__name__, defaults or None, cells or None
            )
            new.__kwdefaults__ = named or None
            new.__dict__.update(old.__dict__)
            return new

        return bound


def _is_called(item: Any) -> bool:
    return callable(item) and not isinstance(item, (type, torch.Tensor))


def _globals_read(function: types.FunctionType) -> list[str]:
    """The globals that a function of the user's reads; none where it also writes some, as a copy would lose that."""
    if (function.__module__ or "").partition(".")[0] == "torch":
        return []
    found: dict[str, None] = {}
    for part in _codes(function.__code__):
        for instruction in dis.get_instructions(part):
            if instruction.opname in _STORES:
                return []
            if instruction.opname == "LOAD_GLOBAL":
                found[str(instruction.argval)] = None
    return list(found)


def _codes(code: types.CodeType) -> Iterator[types.CodeType]:
    """Code and that of the functions written inside it."""
    yield code
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            yield from _codes(constant)
