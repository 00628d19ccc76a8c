"""What a callable can reach, and so may change: attributes, containers, globals, tensors; no code of the user's runs.

The walk follows attributes, slots, containers, closures, defaults, what code reads from the names around it, bound
objects, and the classes of all of them. Python's own library, torch's and NumPy's have no state that a call of the
user's keeps; threads, files and loggers are not to be turned back.
"""

from __future__ import annotations

import dis
import functools
import sys
import threading
import types
from collections import OrderedDict, defaultdict, deque
from collections.abc import Iterable
from typing import Any

import numpy
import torch
from torch import Tensor, nn

from tracelab.check.random_state import GENERATORS
from tracelab.compat import script
from tracelab.execute.module import TracedSubmodule
from tracelab.execute.observed_state import StateTable

MISSING = object()
"""Stands for a name that there is not."""

_MOST = 300_000
"""So many objects are looked at, the nearest first."""
_ATOMS = frozenset(
    {
        *(int, float, complex, bool, str, bytes, range, slice, type(None), type(...), type(NotImplemented)),
        *(torch.dtype, torch.device, torch.layout, torch.memory_format, torch.Size, types.CodeType),
        *(types.BuiltinFunctionType, types.MethodWrapperType, types.WrapperDescriptorType, types.MethodDescriptorType),
    }
)
_SEQUENCES = (list, deque, bytearray)
_TABLES = (StateTable, OrderedDict, defaultdict, dict)
_LIBRARY = frozenset({*sys.stdlib_module_names, "torch", "numpy", "tracelab"} - {"__main__"})
_OPEN = frozenset({"types", "collections", "argparse", "functools", "torch"})
"""Of the libraries, those whose objects hold what the user put in."""
_SHUT = frozenset({"fx", "jit", "distributed", "package", "cuda", "multiprocessing"})
"""Of torch, the parts whose objects are not the user's."""
_CACHED: Any = type(functools.lru_cache(lambda: None))
_INFRASTRUCTURE = frozenset({"IPython", "ipykernel", "traitlets", "zmq", "tornado", "tqdm", "matplotlib", "ipywidgets"})


class Reachable:
    """All that was found, each once."""

    def __init__(self, roots: Iterable[Any]) -> None:
        self.tensors: list[Tensor] = []
        self.tables: list[dict[Any, Any]] = []
        self.sequences: list[Any] = []
        self.sets: list[set[Any]] = []
        self.cells: list[types.CellType] = []
        self.slots: list[tuple[Any, Any]] = []
        """An object, and the descriptor of one of its slots."""
        self.names: list[tuple[dict[str, Any], str]] = []
        """Variables of modules that the code sets."""
        self.classes: list[type] = []
        self.arrays: list[numpy.ndarray[Any, Any]] = []
        self.generators: list[Any] = []
        self._seen: dict[int, Any] = {}
        self._named: set[tuple[int, str]] = set()
        self._pending: deque[Any] = deque(roots)
        while self._pending and len(self._seen) < _MOST:
            self._look(self._pending.popleft())

    def has(self, item: Any) -> bool:
        """Whether this object is among what was found."""
        return self._seen.get(id(item), MISSING) is item

    def runs_code(self) -> bool:
        """Whether to ask one of these objects for an attribute would run code of the user's."""
        classes = {cls for kind in set(map(type, self._seen.values())) for cls in kind.__mro__}
        getters = (type.__getattribute__(cls, "__dict__").get("__getattribute__") for cls in classes)
        return any(type(getter) is types.FunctionType for getter in getters)

    def _look(self, item: Any) -> None:
        type_ = type(item)
        if type_ in _ATOMS or id(item) in self._seen:
            return
        self._seen[id(item)] = item
        if issubclass(type_, Tensor):
            self.tensors.append(item)
            self._attributes(item, type_)
        elif issubclass(type_, dict):
            self.tables.append(item)
            self._more(dict.values(item))
        elif issubclass(type_, _SEQUENCES):
            self.sequences.append(item)
            if type_ is not bytearray:
                self._more(_base(item, _SEQUENCES).__iter__(item))
        elif issubclass(type_, set):
            self.sets.append(item)
            self._more(set.__iter__(item))
        elif issubclass(type_, (tuple, frozenset)):
            self._more(_base(item, (tuple, frozenset)).__iter__(item))
        elif issubclass(type_, numpy.ndarray):
            self.arrays.append(item)
            if item.dtype.hasobject:
                self._more(numpy.ndarray.tolist(item) if item.ndim else [item[()]])
        elif issubclass(type_, GENERATORS):
            self.generators.append(item)
        elif type_ is types.FunctionType:
            self._function(item)
        elif type_ is types.MethodType:
            self._pending += (item.__func__, item.__self__)
        elif issubclass(type_, functools.partial):
            self._pending += (item.func, item.args, item.keywords)
        elif type_ is types.CellType:
            self._cell(item)
        elif issubclass(type_, type):
            self._class(item)
        elif type_ in (staticmethod, classmethod):
            self._pending.append(item.__func__)
        elif type_ is property:
            self._pending += (item.fget, item.fset)
        elif type_ is _CACHED:
            self._pending.append(item.__wrapped__)
        elif type_ is not types.ModuleType:
            self._instance(item, type_)
        if type_.__flags__ & _HEAP and issubclass(type_, (dict, list, set, tuple, deque)):
            self._attributes(item, type_)

    def _more(self, items: Iterable[Any]) -> None:
        self._pending += (item for item in items if type(item) not in _ATOMS)

    def _instance(self, item: Any, type_: type) -> None:
        if issubclass(type_, TracedSubmodule):
            # What a traced module holds beside its tensors is compiled code, which is to stay.
            self._pending += (item._parameters, item._buffers, *item._modules.values())
        elif issubclass(type_, threading.local):
            # The attributes of this thread.
            self._pending.append(item.__dict__)
        elif script.is_module(item):
            self._pending += (*item.parameters(), *item.buffers())
        elif _holds_state(type_):
            self._attributes(item, type_)
            self._pending.append(type_)

    def _attributes(self, item: Any, type_: type) -> None:
        try:
            table = object.__getattribute__(item, "__dict__")
        except AttributeError:
            table = None
        if type(table) is dict and table:
            self.tables.append(table)
            self._more(dict.values(table))
        elif type(table) is dict and not issubclass(type_, Tensor):
            self.tables.append(table)
        for owner in type_.__mro__:
            if "__slots__" not in owner.__dict__:
                continue
            for descriptor in owner.__dict__.values():
                if type(descriptor) is types.MemberDescriptorType:
                    self.slots.append((item, descriptor))
                    self._more((slot(item, descriptor),))

    def _class(self, cls: type) -> None:
        for owner in cls.__mro__:
            if _is_library(owner.__module__) or (owner is not cls and id(owner) in self._seen):
                continue
            self._seen[id(owner)] = owner
            self.classes.append(owner)
            self._more(item for name, item in owner.__dict__.items() if not name.startswith("__") or callable(item))

    def _cell(self, cell: types.CellType) -> None:
        self.cells.append(cell)
        self._more((content_of(cell),))

    def _function(self, function: types.FunctionType) -> None:
        self._pending += function.__closure__ or ()
        self._more(function.__defaults__ or ())
        if function.__kwdefaults__:
            self._pending.append(function.__kwdefaults__)
        if function.__dict__:
            self._pending.append(function.__dict__)
        if _is_library(function.__module__):
            return
        names, stored = names_of(function.__code__)
        space = function.__globals__
        for name in names:
            item = space.get(name, MISSING)
            if name in stored:
                self._name(space, name)
            if type(item) is not types.ModuleType:
                self._pending.append(item)
            elif not _is_library(item.__name__):
                # Which of the names are the module's is not known; code sets few that are not its own.
                for inner in names:
                    if inner in vars(item):
                        self._name(vars(item), inner)
                        self._more((vars(item)[inner],))

    def _name(self, space: dict[str, Any], name: str) -> None:
        if (id(space), name) not in self._named:
            self._named.add((id(space), name))
            self.names.append((space, name))


_HEAP = 1 << 9
"""The flag of classes that Python code made."""


def content_of(cell: types.CellType) -> Any:
    """What stands in a variable of a closure."""
    try:
        return cell.cell_contents
    except ValueError:
        return MISSING


def slot(item: Any, descriptor: Any) -> Any:
    """What stands in a slot of an object."""
    try:
        return descriptor.__get__(item)
    except AttributeError:
        return MISSING


@functools.lru_cache(4096)
def names_of(code: types.CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The names that a function's code reads from modules and objects, and the globals among them that it sets."""
    names, stored = set(code.co_names), set()
    if _SETTERS & set(code.co_code[::2]):
        stored = {line.argval for line in dis.get_instructions(code) if line.opcode in _SETTERS}
    for constant in code.co_consts:
        if isinstance(constant, types.CodeType):
            inner = names_of(constant)
            names |= inner[0]
            stored |= inner[1]
    return frozenset(names), frozenset(stored)


_SETTERS = {dis.opmap["STORE_GLOBAL"], dis.opmap["DELETE_GLOBAL"]}


def table_class(table: dict[Any, Any]) -> Any:
    """The class whose methods read and write a dict, whatever a subclass of the user's makes of them."""
    return _base(table, _TABLES)


def sequence_class(sequence: Any) -> Any:
    """The same of a list, deque or bytearray."""
    return _base(sequence, _SEQUENCES)


def _base(item: Any, classes: Iterable[Any]) -> Any:
    return next(cls for cls in classes if issubclass(type(item), cls))


def _is_library(module: Any) -> bool:
    name = module if isinstance(module, str) else ""
    return name.partition(".")[0] in _LIBRARY


def _holds_state(type_: type) -> bool:
    if issubclass(type_, nn.Module):
        return True
    root, *rest = type_.__module__.split(".") if isinstance(type_.__module__, str) else [""]
    if root in _INFRASTRUCTURE or (root in _LIBRARY and root not in _OPEN):
        return False
    return root != "torch" or not rest or not (rest[0] in _SHUT or rest[0].startswith("_"))
