"""What the traced code reads outside its arguments, and changes: flags, counters, random numbers of Python and NumPy.

A replay does none of that again. Where the code both reads and changes an attribute of a module, a global or a variable
of a closure, the recording is that of the value which it found.
"""

from __future__ import annotations

import dis
import functools
import random
import sys
import weakref
from collections import deque
from collections.abc import Callable, Iterable, Iterator, Mapping
from itertools import islice
from types import CodeType, FunctionType, ModuleType
from typing import Any

import numpy
import torch

from tracelab.capture.analysis.epoch import Epoch
from tracelab.capture.messages import UNSEEN
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.values import SYMBOLIC, is_filled, python_function
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.source import is_inner

_PLAIN = (bool, int, float, str, type(None))
_INNER = frozenset(vars(torch.nn.Module())) | {"training"}
_DEPTH = 3
_MOST_ITEMS = 100
_MOST_FUNCTIONS = 100
_ABSENT = "absent"


class OutsideState:
    """Python values around the traced code, as they are before it runs."""

    def __init__(self, function: Any, modules: Iterable[tuple[torch.nn.Module, str]]) -> None:
        self.attributes = [(module, path, _contents(vars(module), type(module))) for module, path in modules]
        self.classes = {cls: _contents(vars(cls), cls) for cls in self._classes()}
        self.function = python_function(function)
        self.functions = list(_functions_from(self.function)) if self.function is not None else []
        self.names = {id(item): (item, dict(_names(item))) for item in self.functions}
        self.object = None if self.function is not None or isinstance(function, torch.nn.Module) else function
        self.before = content_of(self.object) if self.object is not None else None
        self.python = random.getstate()
        self.numpy = numpy.random.get_state()

    def _classes(self) -> set[type]:
        return {cls for kind in {type(module) for module, *_ in self.attributes} for cls in _own_classes(kind)}

    def note(self, recorder: Recorder) -> None:
        """Note what the code changed and also reads."""
        found = recorder.graph.assumptions
        for module, path, before in self.attributes:
            now = _contents(vars(module), type(module))
            for name in () if now == before else now.keys() | before.keys():
                item = before.get(name, _ABSENT)
                if isinstance(vars(module).get(name), (torch.Tensor, *SYMBOLIC)):
                    # Tensors are told of elsewhere; numbers follow.
                    continue
                if _differs(now.get(name, _ABSENT), item) and _reads(type(module), name, item is _ABSENT):  # type: ignore[arg-type]
                    subject = f"{path or type(module).__name__}.{name}"
                    found.append(_state(subject, item, _attribute(weakref.ref(module), name, item)))
        for cls, before in self.classes.items():
            for name, item in before.items():
                now_ = content_of(vars(cls).get(name))
                if _differs(now_, item):
                    found.append(_state(f"{cls.__name__}.{name}", item, _class_attribute(cls, name)))
        told: set[str] = set()
        for function, names in self.names.values():
            now = dict(_names(function))
            for name, item in names.items():
                changed = name in now and name not in told and _differs(now[name], item)
                if changed and _code_reads(function.__code__, name):
                    told.add(name)
                    found.append(_state(name, item, functools.partial(_name_now, function, name)))
        if self.object is not None and _differs(content_of(self.object), self.before):
            probe = functools.partial(content_of, self.object)
            found.append(_state(f"the attributes of {type(self.object).__name__}", self.before, probe))
        if random.getstate() != self.python:
            found.append(_drawn("random"))
        if not _same_state(numpy.random.get_state(), self.numpy):
            found.append(_drawn("numpy.random"))


def content_of(item: Any, depth: int = _DEPTH) -> Any:
    """What of an object can be compared later: plain values, and those in containers and in the user's own objects."""
    kind = type(item)
    if kind in _PLAIN:
        return item
    if depth == 0:
        return kind.__name__
    if kind in (list, tuple, set, deque):
        parts = [content_of(part, depth - 1) for part in islice(item, _MOST_ITEMS)]
        parts += [f"{len(item)} items"] if len(item) > _MOST_ITEMS else []
        return tuple(parts) if kind is tuple else parts
    if isinstance(item, dict):
        found = {str(key): content_of(part, depth - 1) for key, part in islice(dict.items(item), _MOST_ITEMS)}
        return found if dict.__len__(item) <= _MOST_ITEMS else {**found, "": f"{dict.__len__(item)} items"}
    if kind is random.Random:
        return f"state {hash(item.getstate())}"
    if kind is numpy.random.Generator:
        return f"state {hash(str(item.bit_generator.state))}"
    if issubclass(kind, (torch.Tensor, torch.nn.Module, type, FunctionType, ModuleType)) or _is_of_a_library(
        type(item)
    ):
        return kind.__name__
    try:
        held = object.__getattribute__(item, "__dict__")
    except AttributeError:
        return kind.__name__
    return {name: content_of(part, depth - 1) for name, part in islice(held.items(), _MOST_ITEMS)}


_LIBRARIES = frozenset({*sys.stdlib_module_names, "torch", "numpy", "tracelab", "transformers"} - {"__main__"})


@functools.lru_cache(maxsize=4096)
def _is_of_a_library(kind: Any) -> bool:
    return str(getattr(kind, "__module__", "")).partition(".")[0] in _LIBRARIES


def _contents(space: Mapping[str, Any], cls: type) -> dict[str, Any]:
    """Of attributes; methods and what belongs to every module are none, and torch's own layers keep plain values."""
    if _is_of_a_library(cls):
        return {name: item for name, item in space.items() if type(item) in _PLAIN and name not in _INNER}
    return {
        name: item if type(item) in _PLAIN else content_of(item)
        for name, item in space.items()
        if name not in _INNER and not name.startswith("__") and not isinstance(item, (torch.Tensor, FunctionType))
    }


def _own_classes(kind: type) -> Iterator[type]:
    for cls in kind.__mro__:
        if cls is torch.nn.Module:
            return
        if not _is_of_a_library(cls):
            yield cls


def _functions_from(function: FunctionType) -> Iterator[FunctionType]:
    """The function, and the user's own that it can reach by name."""
    pending, seen = [function], {id(function)}
    for item in pending:
        yield item
        for part in _values(item).values():
            part = python_function(part)
            if part is None or id(part) in seen or is_inner(part.__code__) or len(seen) > _MOST_FUNCTIONS:
                continue
            if str(part.__module__).partition(".")[0] in sys.stdlib_module_names - {"__main__"}:
                continue
            seen.add(id(part))
            pending.append(part)


def _values(function: FunctionType) -> dict[str, Any]:
    """What the names in a function stand for: in its globals, its closure and its defaults."""
    code = function.__code__
    found = {name: function.__globals__[name] for name in _global_names(code) if name in function.__globals__}
    for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True):
        if is_filled(cell):
            found[name] = cell.cell_contents
    defaults = function.__defaults__ or ()
    found.update(zip(code.co_varnames[code.co_argcount - len(defaults) : code.co_argcount], defaults, strict=True))
    found.update(function.__kwdefaults__ or {})
    return found


def _names(function: FunctionType) -> Iterator[tuple[str, Any]]:
    for name, item in _values(function).items():
        if not isinstance(item, (torch.Tensor, torch.nn.Module, type, FunctionType, ModuleType)):
            yield name, content_of(item)


def _name_now(function: FunctionType, name: str) -> Any:
    return content_of(_values(function).get(name))


@functools.lru_cache(maxsize=4096)
def _global_names(code: CodeType) -> frozenset[str]:
    found = {str(item.argval) for item in dis.get_instructions(code) if item.opname in ("LOAD_GLOBAL", "LOAD_NAME")}
    return frozenset(found).union(*(_global_names(item) for item in code.co_consts if isinstance(item, CodeType)))


def note_unseen(recorder: Recorder, epoch: Epoch) -> None:
    """Note the constants that the code made itself, in a way that tracing does not see."""
    state = recorder.graph.state
    tensors = [state[value] for value in recorder.constants if value in state]
    with recording_paused(recorder):
        made = {id(item) for item in epoch.made_since([item for item in tensors if _is_torch_s_own(item)])}
    for value in recorder.constants if made else ():
        if id(state.get(value)) in made:
            source = value.node.source if value.node is not None else None
            recorder.warn("constant", UNSEEN, "", None, at=source)
            recorder.graph.assumptions.append(
                Assumption(AssumptionKind.UNSEEN, _MADE, "this tensor", source, probe=lambda: "another one")
            )


_MADE = "what the code made in a way that tracing does not see"


def _is_torch_s_own(tensor: torch.Tensor) -> bool:
    """Whether its memory is torch's: that of NumPy and others was told where it was made from a tensor."""
    if type(tensor) is not torch.Tensor or tensor.layout is not torch.strided:
        return True
    try:
        return bool(tensor.untyped_storage().resizable())
    except (RuntimeError, NotImplementedError):
        return True


def _state(subject: str, constant: Any, probe: Callable[[], Any]) -> Assumption:
    return Assumption(AssumptionKind.STATE, subject, constant, probe=probe)


def _drawn(name: str) -> Assumption:
    subject = f"what the code drew from `{name}`"
    return Assumption(AssumptionKind.RANDOM, subject, "these numbers", probe=lambda: "another draw")


def _differs(now: Any, before: Any) -> bool:
    return now is not before and (type(now) is not type(before) or bool(now != before))


def _attribute(owner: weakref.ref[torch.nn.Module], name: str, gone: Any) -> Callable[[], Any]:
    def read() -> Any:
        module = owner()
        if module is None:
            return gone
        space = vars(module)
        return content_of(space[name]) if name in space else _ABSENT

    return read


def _class_attribute(cls: type, name: str) -> Callable[[], Any]:
    return lambda: content_of(vars(cls).get(name))


@functools.lru_cache(maxsize=4096)
def _reads(cls: Any, name: str, new: bool) -> bool:
    """Whether methods of the class read an attribute for more than to change it (`self.calls += 1`)."""
    for owner in cls.__mro__:
        if owner is torch.nn.Module:
            break
        for method, item in vars(owner).items():
            if method in _DECIDE_NOTHING:
                continue
            code = getattr(getattr(item, "__func__", item), "__code__", None)
            if code is None or item.__class__ is not FunctionType:
                continue
            # One that was not there yet is asked for by `hasattr` or `getattr`.
            if name in code.co_consts if new else _code_reads(code, name):
                return True
    return False


_DECIDE_NOTHING = frozenset({"__init__", "__repr__", "extra_repr"})
_LOADS = frozenset(
    {"LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_FAST", "LOAD_FAST_BORROW"}
)
_ADDS = frozenset({"append", "extend", "add", "update", "insert", "appendleft", "clear", "discard", "remove"})


@functools.lru_cache(maxsize=4096)
def _code_reads(code: CodeType, name: str) -> bool:
    """Whether code reads a name or attribute, and not only to add to it: `log.append(x)`, `counts[key] += 1`."""
    if any(isinstance(item, CodeType) and _code_reads(item, name) for item in code.co_consts):
        return True
    listing = [item for item in dis.get_instructions(code) if item.opname not in ("CACHE", "EXTENDED_ARG")]
    for index, item in enumerate(listing):
        if item.opname not in _LOADS or item.argval != name:
            continue
        if listing[index - 1].opname == "COPY" or _is_only_changed(listing[index + 1 : index + 7]):
            continue
        return True
    return False


def _is_only_changed(behind: list[dis.Instruction]) -> bool:
    if not behind:
        return False
    if behind[0].argval in _ADDS and behind[0].opname in ("LOAD_ATTR", "LOAD_METHOD"):
        return True
    if any(item.opname == "STORE_SUBSCR" for item in behind[:3]):
        return True
    # `counts[key] += 1`: the container and the key are both kept for the write; `n += 1` is loaded, added to, stored.
    if [item.opname for item in behind[1:3]] == ["COPY", "COPY"]:
        return True
    added = len(behind) > 2 and behind[1].opname == "BINARY_OP" and behind[2].opname.startswith("STORE_")
    return added and behind[1].argrepr.endswith("=")


def _same_state(now: Any, before: Any) -> bool:
    return bool(now[2] == before[2] and (now[1] == before[1]).all())
