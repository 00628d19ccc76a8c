"""Where state of Python may lie that the traced code reaches: attributes of objects, closures, globals.

Of the user's own code and objects all is looked at. Of an object of an installed package, what its class sets: where a
recording reads it first, and changes it, it is state as the user's is (the step that a scheduler has come to).
"""

from __future__ import annotations

import functools
import random
import types
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.mode_readers import is_mode_reader
from tracelab.capture.outside.attributes import attributes_set, is_looked_at, looks_at_all
from tracelab.capture.outside.positions import POSITIONED, Position
from tracelab.capture.outside.reads import globals_of
from tracelab.capture.values import SYMBOLIC, is_filled
from tracelab.compat import script

PLAIN = (bool, int, float, str, type(None))
CONTAINERS: tuple[type, ...] = (list, dict, set, deque)
GENERATORS: tuple[type, ...] = (random.Random, numpy.random.Generator, numpy.random.RandomState)
"""Whose numbers a replay does not draw; it draws those of torch's."""
_KEPT = (*CONTAINERS, *GENERATORS, *POSITIONED)
_INNER = frozenset(vars(torch.nn.Module())) | {"training", "_is_full_backward_hook"}
_DECIDE_NOTHING = frozenset({"__init__", "__repr__", "__str__", "extra_repr"})
"""Methods that are no part of a call, or only show."""
_MOST = 2000
"""Functions and objects that are looked at."""


@dataclass(slots=True)
class Table:
    """Named things in one place: the attributes of an object, the variables of a closure, globals.

    `get` reads one now. `names` gives those that there are now where code may add some, and `known` those that there
    were.
    """

    label: str
    get: Callable[[str], Any]
    before: dict[str, Any]
    module: torch.nn.Module | None = None
    names: Callable[[], set[str]] | None = None
    known: set[str] = field(default_factory=set)
    owner: Any = None
    """The object whose attributes they are."""
    put: Callable[[str, Any], None] | None = None
    """Sets one."""
    is_library: bool = False
    """Whether the class of the owner is of an installed package."""
    is_local: bool = False
    """Whether they are variables of a function, which its code reads under other instructions than outer names."""


ABSENT: Any = type("Absent", (), {"__repr__": lambda self: "absent"})()


class Tables:
    """Everything of that kind that a function and its modules reach, before the code runs."""

    def __init__(self, function: Any, modules: list[tuple[torch.nn.Module, str]]) -> None:
        self.tables: list[Table] = []
        self.codes: dict[int, types.CodeType] = {}
        self.functions: list[types.FunctionType] = []
        """The user's own that the code reaches."""
        self.roots = [(module, path or type(module).__name__) for module, path in modules[:1]]
        """The modules that are reached by themselves, not as parts of others."""
        self.dispatched: set[type] = set()
        """The classes for which functions of `functools.singledispatch` that are reached have code of their own."""
        self.mode_readers: list[Any] = []
        """Functions of torch that tell a mode, which the code got hold of before."""
        self._seen: set[int] = set()
        self._classes: set[type] = set()
        self._pending: deque[tuple[Any, str]] = deque()
        for module, path in modules:
            self._module(module, path or type(module).__name__)
        self._pending.append((function, getattr(function, "__name__", "")))
        while self._pending and len(self._seen) < _MOST + 2 * len(modules):
            item, label = self._pending.popleft()
            if id(item) not in self._seen:
                self._seen.add(id(item))
                self._look(item, label)

    def _look(self, item: Any, label: str) -> None:
        if isinstance(item, types.FunctionType):
            self._function(item)
        elif is_mode_reader(item):
            self.mode_readers.append(item)
        elif isinstance(item, types.MethodType):
            self._pending += ((item.__func__, label), (item.__self__, type(item.__self__).__name__))
        elif isinstance(item, functools.partial):
            self._pending.append((item.func, label))
            self._pending += ((each, label) for each in (*item.args, *item.keywords.values()))
        elif isinstance(item, torch.nn.Module):
            self.roots.append((item, label))
            for path, module in item.named_modules():
                self._module(module, f"{label}.{path}" if path else label)
        elif isinstance(item, (staticmethod, classmethod)):
            self._pending.append((item.__func__, label))
        elif isinstance(item, property):
            self._pending += ((each, label) for each in (item.fget, item.fset))
        elif isinstance(item, functools.singledispatchmethod):
            self._pending += ((item.func, label), (item.dispatcher, label))
        elif is_own_object(item):
            self._object(label, vars(item), item)
            self._class(type(item))
        elif is_library_object(item):
            self._object(label, vars(item), item)
        elif isinstance(item, type) and is_own(item):
            self._class(item)

    def _module(self, module: torch.nn.Module, label: str) -> None:
        self._seen.add(id(module))
        if script.is_module(module):
            return
        table = vars(module)
        self._object(label, table, module, module)
        for name, item in module._buffers.items():
            self.tables[-1].before.setdefault(name, item)
        self._class(type(module))
        forward = table.get("forward")
        if forward is not None:
            self._pending.append((forward, label))

    def _object(
        self, label: str, table: dict[str, Any], owner: Any = None, module: torch.nn.Module | None = None
    ) -> None:
        cls: Any = type(owner)
        installed = owner is not None and not is_own(cls)
        self._add(label, table, functools.partial(_read, table), module, installed and module is None)
        added = self.tables[-1]
        added.names, added.known = (lambda: set(table)), set(table)
        added.owner, added.is_library, added.put = owner, installed, table.__setitem__

    def watched(self) -> Iterator[tuple[type, str]]:
        """The attributes that tell whether the code reads them before it sets them, with their classes."""
        kinds = {type(table.owner): table.is_library for table in self.tables if table.owner is not None}
        for cls, installed in kinds.items():
            if is_looked_at(cls) and (installed or not looks_at_all(cls)):
                for name in attributes_set(cls):
                    yield cls, name

    def _add(
        self,
        label: str,
        table: Any,
        get: Callable[[str], Any],
        module: torch.nn.Module | None = None,
        installed: bool = False,
    ) -> None:
        before = {}
        for name, item in table.items():
            if module is not None and name in _INNER:
                continue
            if type(item) in (*PLAIN, tuple) or isinstance(item, (torch.Tensor, *_KEPT)):
                before[name] = as_found(item)
            elif is_own_object(item) or type(item) is types.FunctionType or is_mode_reader(item):
                self._pending.append((item, f"{label}.{name}" if label else name))
            elif not installed and is_library_object(item):
                # What packages keep in objects of their own is looked at no further.
                self._pending.append((item, f"{label}.{name}" if label else name))
        self.tables.append(Table(label, get, before, module))

    def _class(self, cls: Any) -> None:
        for owner in cls.__mro__:
            if owner in self._classes or not is_own(owner):
                continue
            self._classes.add(owner)
            table = vars(owner)
            state = {
                name: item for name, item in table.items() if not (name.startswith("__") or name in _DECIDE_NOTHING)
            }
            self._add(owner.__name__, state, functools.partial(_read, table))
            self.tables[-1].put = functools.partial(type.__setattr__, owner)
            self._pending += (
                (item, owner.__name__)
                for name, item in table.items()
                if name not in _DECIDE_NOTHING
                and isinstance(
                    item, (types.FunctionType, staticmethod, classmethod, property, functools.singledispatchmethod)
                )
            )

    def _function(self, function: types.FunctionType) -> None:
        code = function.__code__
        if is_library(code):
            self._dispatch(function)
            wrapped = getattr(function, "__wrapped__", None)
            if wrapped is not None:
                self._pending.append((wrapped, function.__name__))
            return
        self.codes[id(code)] = code
        self.functions.append(function)
        if function.__closure__:
            self._variables(code, function.__closure__)
        if function.__defaults__ or function.__kwdefaults__:
            self._defaults(function)
        if vars(function):
            self._object(function.__name__, vars(function))
        named, stored = globals_of(code)
        if named or stored:
            self._globals(named, stored, function.__globals__)

    def _dispatch(self, function: Any) -> None:
        """`functools.singledispatch` picks the code by the class of the first argument."""
        registry = getattr(function, "registry", None)
        if isinstance(registry, types.MappingProxyType) and hasattr(function, "dispatch"):
            self.dispatched |= registry.keys() - {object}
            self._pending += ((each, function.__name__) for each in registry.values())

    def _variables(self, code: types.CodeType, closure: tuple[Any, ...]) -> None:
        cells = dict(zip(code.co_freevars, closure, strict=True))
        contents = {name: cell.cell_contents for name, cell in cells.items() if is_filled(cell)}
        if contents:
            self._add("", contents, lambda name: cells[name].cell_contents if is_filled(cells[name]) else ABSENT)
            self.tables[-1].put = lambda name, item: setattr(cells[name], "cell_contents", item)
            self._more(contents)

    def _defaults(self, function: types.FunctionType) -> None:
        defaults = function.__defaults__ or ()
        names = _defaulted(function.__code__, len(defaults))
        given = {**dict(zip(names, defaults, strict=True)), **(function.__kwdefaults__ or {})}
        held = {name: item for name, item in given.items() if isinstance(item, _KEPT)}
        if held:
            self._add(function.__name__, held, held.__getitem__)
            self.tables[-1].is_local = True
        self._more(given)

    def _globals(self, named: frozenset[str], stored: frozenset[str], space: dict[str, Any]) -> None:
        known = {name: space[name] for name in named | stored if name in space}
        state = {name: item for name, item in known.items() if name in stored or isinstance(item, _KEPT)}
        if state:
            self._add("", state, functools.partial(_read, space))
            self.tables[-1].put = space.__setitem__
        self._more(known)

    def _more(self, found: dict[str, Any]) -> None:
        for name, item in found.items():
            if (
                isinstance(item, (types.FunctionType, types.MethodType, functools.partial, torch.nn.Module))
                or (is_own_object(item) or (isinstance(item, type) and is_own(item)) or is_mode_reader(item))
                or is_library_object(item)
            ):
                self._pending.append((item, name))


class Contents:
    """What was in a container."""

    __slots__ = ("container", "items", "size")

    def __init__(self, container: Any) -> None:
        self.container = container
        self.size = len(container)
        # Of a long one only its length is looked at: it is data.
        self.items: Any = None if self.size > 1000 else _items_of(container)

    def is_same(self, now: Any, equal: Callable[[Any, Any], bool] | None = None) -> bool:
        """Whether it is a container of the same kind, with the same in it."""
        equal = same if equal is None else equal
        if type(now) is not type(self.container) or len(now) != self.size:
            return False
        if self.items is None:
            return now is self.container
        if isinstance(now, (set, frozenset)):
            return bool(now == self.items)
        if isinstance(now, dict):
            return all(key in self.items and equal(item, self.items[key]) for key, item in now.items())
        return all(map(equal, now, self.items))

    def added(self) -> list[Any] | None:
        """What a dict or a list got in addition; None where anything else was changed."""
        now, items = self.container, self.items
        if items is None or isinstance(now, set):
            return None
        if isinstance(now, dict):
            kept = all(key in now and same(now[key], item) for key, item in items.items())
            return [item for key, item in now.items() if key not in items] if kept else None
        return None

    def __repr__(self) -> str:
        kind = type(self.container).__name__
        return f"a {kind} of {self.size}" if self.size else f"an empty {kind}"


class Draws:
    """Where a generator of random numbers stood."""

    __slots__ = ("state",)

    def __init__(self, generator: Any) -> None:
        self.state = self._state_of(generator)

    @staticmethod
    def _state_of(generator: Any) -> str:
        if isinstance(generator, random.Random):
            return repr(generator.getstate())
        if isinstance(generator, numpy.random.RandomState):
            return repr(generator.get_state(legacy=False))
        return repr(generator.bit_generator.state)

    def is_same(self, now: Any) -> bool:
        """Whether it stands there still."""
        return isinstance(now, GENERATORS) and self._state_of(now) == self.state

    def __repr__(self) -> str:
        return "a generator before its draws"


def _items_of(container: Any) -> Any:
    if isinstance(container, dict):
        return dict(container)
    return set(container) if isinstance(container, set) else list(container)


def same(now: Any, before: Any) -> bool:
    """Whether two things are the same, as far as plain Python sees it."""
    if isinstance(before, Position):
        return before.is_same(now)
    if now is before:
        return True
    if type(now) in SYMBOLIC:
        now = getattr(now.node, "number", now)
    if isinstance(before, (Contents, Draws)):
        return before.is_same(now)
    if type(now) in (*PLAIN, tuple) and type(now) is type(before):
        return bool(now == before or now != now) if type(now) is not tuple else _same_tuple(now, before)
    return False


def alike(now: Any, before: Any) -> bool:
    """The same, where one tensor is as good as another."""
    if isinstance(now, torch.Tensor) and isinstance(before, torch.Tensor):
        return True
    if isinstance(before, Contents):
        return before.is_same(now, alike)
    if isinstance(now, (list, dict, tuple)) and type(now) is type(before):
        return len(now) == len(before) and Contents(before).is_same(now, alike)
    return same(now, before)


def as_found(item: Any) -> Any:
    """What something is, as it is now: containers and generators are looked into."""
    if isinstance(item, CONTAINERS):
        return Contents(item)
    return Draws(item) if isinstance(item, GENERATORS) else Position(item) if isinstance(item, POSITIONED) else item


def _same_tuple(now: Any, before: Any) -> bool:
    return len(now) == len(before) and all(map(same, now, before))


def _read(table: Any, name: str) -> Any:
    return table.get(name, ABSENT)


def _defaulted(code: types.CodeType, count: int) -> tuple[str, ...]:
    return code.co_varnames[code.co_argcount - count : code.co_argcount]


@functools.lru_cache(maxsize=4096)
def is_own(cls: Any) -> bool:
    """Whether a class is the user's: no built-in one, and of no installed package."""
    if not cls.__flags__ & _HEAP or issubclass(cls, (torch.Tensor, BaseException)):
        return False
    if cls.__module__.partition(".")[0] in ("torch", "tracelab", "numpy", "builtins", "collections", "typing"):
        return False
    codes = (getattr(item, "__code__", None) for item in vars(cls).values())
    return not any(code is not None and is_library(code) for code in codes if not _is_made_up(code))


def _is_made_up(code: Any) -> bool:
    return code is None or code.co_filename.startswith("<")


_HEAP = 1 << 9
"""The flag of classes that Python code made."""


def is_own_object(item: Any) -> bool:
    """Whether it is an object with attributes of a class of the user's."""
    if not hasattr(item, "__dict__") or isinstance(item, (type, types.ModuleType, torch.nn.Module)):
        return False
    cls: Any = type(item)
    return is_own(cls)


def is_library_object(item: Any) -> bool:
    """Whether it is an object with attributes of a class of an installed package that may keep state."""
    cls: Any = type(item)
    return (
        bool(cls.__flags__ & _HEAP)
        and is_looked_at(cls)
        and hasattr(item, "__dict__")
        and not isinstance(item, (type, types.ModuleType, torch.nn.Module, torch.Tensor, BaseException))
        and not is_own(cls)
    )


def iter_changed(tables: list[Table]) -> Iterator[tuple[Table, str, Any, Any]]:
    """What is another now: the table, the name, what it was and what it is."""
    for table in tables:
        for name, before in table.before.items():
            now = table.get(name)
            if table.module is not None and now is ABSENT:
                # Those of a script module are behind another interface.
                now = dict(table.module.named_buffers(recurse=False)).get(name, ABSENT)
            if not same(now, before):
                yield table, name, before, now
