"""Where state of Python may lie that the traced code reaches: attributes of objects, closures, globals.

Of the user's own code and objects all is looked at. Of an object of an installed package, what its class sets: where a
recording reads it first, and changes it, it is state as the user's is (the step that a scheduler has come to).
"""

from __future__ import annotations

import functools
import sys
import types
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.mode_readers import is_mode_reader
from tracelab.capture.outside.attributes import attributes_set, is_looked_at, looks_at_all
from tracelab.capture.outside.contents import ABSENT, CONTAINERS, GENERATORS, PLAIN, RAW, as_found, keyed, same
from tracelab.capture.outside.owners import is_library_object, is_own, is_own_module, is_own_object, slot, slots_of
from tracelab.capture.outside.positions import POSITIONED
from tracelab.capture.outside.reads import globals_of, names_as_text, names_in
from tracelab.capture.values import is_filled
from tracelab.compat import script

_ITEMS = 100
"""Of a container, so many objects in it are looked at."""
_CALLED = (types.FunctionType, types.MethodType, functools.partial)
_KEPT = (*CONTAINERS, *RAW, *GENERATORS, *POSITIONED)
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
    is_function: bool = False
    """Whether the owner is a function of the user's."""
    is_local: bool = False
    """Whether they are variables of a function, which its code reads under other instructions than outer names."""


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
        self._modules: set[tuple[int, int]] = set()
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
            if hasattr(item, "__dict__"):
                self._object(label, vars(item), item)
            self._slots(item, label)
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

    def _slots(self, item: Any, label: str) -> None:
        """What an object keeps in slots, which no table holds."""
        cls: Any = type(item)
        slots = slots_of(cls)
        if slots:
            read = functools.partial(slot, item)
            self._add(label, {name: found for name in slots if (found := read(name)) is not ABSENT}, read)
            added = self.tables[-1]
            added.names, added.known = (lambda: {name for name in slots if read(name) is not ABSENT}), set(added.before)
            added.put = functools.partial(object.__setattr__, item)

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
                if not installed and isinstance(item, (tuple, *CONTAINERS)):
                    self._inside(item, f"{label}.{name}" if label else name)
            elif is_own_object(item) or type(item) is types.FunctionType or is_mode_reader(item):
                self._pending.append((item, f"{label}.{name}" if label else name))
            elif not installed and is_library_object(item):
                # What packages keep in objects of their own is looked at no further.
                self._pending.append((item, f"{label}.{name}" if label else name))
        self.tables.append(Table(label, get, before, module))

    def _inside(self, container: Any, label: str) -> None:
        """The objects and functions in a container."""
        if id(container) in self._seen or len(container) > _ITEMS:
            return
        self._seen.add(id(container))
        for key, item in keyed(container):
            name = f"{label}[{key!r}]" if type(key) in (int, str) else f"{label}[...]"
            if isinstance(item, (tuple, *CONTAINERS)):
                self._inside(item, name)
            elif is_own_object(item) or isinstance(item, _CALLED):
                self._pending.append((item, name))

    def _class(self, cls: Any) -> None:
        kind: Any = type(cls)
        if is_own(kind):
            self._class(kind)
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
        self._object(function.__name__, vars(function))
        self.tables[-1].is_function = True
        named, stored = globals_of(code)
        if "globals" in named:
            words = names_as_text(code) & function.__globals__.keys()
            named, stored = named | words, stored | words
        if named or stored:
            self._globals(named, stored, function)
        self._more({name: sys.modules[name] for name in names_in(code) if name in sys.modules}, code)

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
            self._more(contents, code)

    def _defaults(self, function: types.FunctionType) -> None:
        defaults = function.__defaults__ or ()
        names = _defaulted(function.__code__, len(defaults))
        given = {**dict(zip(names, defaults, strict=True)), **(function.__kwdefaults__ or {})}
        held = {name: item for name, item in given.items() if isinstance(item, _KEPT)}
        if held:
            self._add(function.__name__, held, held.__getitem__)
            self.tables[-1].is_local = True
        self._more(given, function.__code__)

    def _globals(self, named: frozenset[str], stored: frozenset[str], function: types.FunctionType) -> None:
        space = function.__globals__
        known = {name: space[name] for name in named | stored if name in space}
        state = {name: item for name, item in known.items() if name in stored or isinstance(item, _KEPT)}
        if state:
            self._add("", state, functools.partial(_read, space))
            self.tables[-1].put = space.__setitem__
        self._more(known, function.__code__)

    def _python_module(self, module: types.ModuleType, label: str, code: types.CodeType) -> None:
        """What the code names of a module of the user's: its variables, and the functions in it."""
        if (id(module), id(code)) in self._modules or not is_own_module(module):
            return
        self._modules.add((id(module), id(code)))
        table = vars(module)
        named = {name: table[name] for name in names_in(code) if name in table}
        state = {name: item for name, item in named.items() if type(item) in PLAIN or isinstance(item, _KEPT)}
        if state:
            self._add(label, state, functools.partial(_read, table))
            self.tables[-1].put = table.__setitem__
        self._more(named, code)

    def _more(self, found: dict[str, Any], code: types.CodeType) -> None:
        for name, item in found.items():
            if type(item) is types.ModuleType:
                self._python_module(item, name, code)
            elif isinstance(item, (tuple, *CONTAINERS)):
                self._inside(item, name)
            elif (
                isinstance(item, (*_CALLED, torch.nn.Module))
                or (is_own_object(item) or (isinstance(item, type) and is_own(item)) or is_mode_reader(item))
                or is_library_object(item)
            ):
                self._pending.append((item, name))


def _read(table: Any, name: str) -> Any:
    return table.get(name, ABSENT)


def _defaulted(code: types.CodeType, count: int) -> tuple[str, ...]:
    return code.co_varnames[code.co_argcount - count : code.co_argcount]


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
