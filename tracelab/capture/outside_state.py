"""What the traced code reads outside its arguments, and changes: flags, counters, random numbers of Python and NumPy.

A replay does none of that again. Where the code both reads and changes an attribute of a module, a global or a variable
of a closure, the recording is that of the value which it found.
"""

from __future__ import annotations

import dis
import functools
import random
import weakref
from collections.abc import Callable, Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

import numpy
import torch

from tracelab.capture.analysis.epoch import Epoch
from tracelab.capture.messages import UNSEEN
from tracelab.capture.recording.recorder import Recorder
from tracelab.capture.values import is_filled, python_function
from tracelab.graph.assumptions import Assumption, AssumptionKind

_PLAIN = (bool, int, float, str, type(None))
_INNER = frozenset(vars(torch.nn.Module())) | {"training"}


class OutsideState:
    """Plain Python values around the traced code, as they are before it runs."""

    def __init__(self, function: Any, modules: Iterable[tuple[torch.nn.Module, str]]) -> None:
        self.attributes = [
            (module, path, {name: item for name, item in vars(module).items() if _is_watched(name, item)})
            for module, path in modules
        ]
        self.function = python_function(function)
        self.cells = dict(_cells(self.function)) if self.function is not None else {}
        self.globals = _globals_written(self.function) if self.function is not None else {}
        self.python = random.getstate()
        self.numpy = numpy.random.get_state()

    def note(self, recorder: Recorder) -> None:
        """Note what the code changed and also reads."""
        found = recorder.graph.assumptions
        for module, path, before in self.attributes:
            now = vars(module)
            for name, item in before.items():
                if now.get(name) is not item and _differs(now.get(name), item) and _reads(type(module), name):  # type: ignore[arg-type]
                    subject = f"{path or type(module).__name__}.{name}"
                    found.append(_state(subject, item, _attribute(weakref.ref(module), name, item)))
        if self.function is not None:
            for name, item in _cells(self.function):
                before_ = self.cells.get(name)
                if _differs(item, before_):
                    found.append(_state(name, before_, _cell(self.function, name)))
            space = self.function.__globals__
            for name, item in self.globals.items():
                if _differs(space.get(name), item):
                    found.append(_state(name, item, functools.partial(space.get, name)))
        if random.getstate() != self.python:
            found.append(_drawn("random"))
        if not _same_state(numpy.random.get_state(), self.numpy):
            found.append(_drawn("numpy.random"))


def note_unseen(recorder: Recorder, epoch: Epoch) -> None:
    """Note the constants that the code made itself, in a way that tracing does not see."""
    state = recorder.graph.state
    tensors = [state[value] for value in recorder.constants if value in state]
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


def _is_watched(name: str, item: Any) -> bool:
    return type(item) in _PLAIN and name not in _INNER


def _differs(now: Any, before: Any) -> bool:
    return type(now) in _PLAIN and (type(now) is not type(before) or now != before)


def _attribute(owner: weakref.ref[torch.nn.Module], name: str, gone: Any) -> Callable[[], Any]:
    def read() -> Any:
        module = owner()
        return gone if module is None else vars(module).get(name)

    return read


def _cell(function: FunctionType, name: str) -> Callable[[], Any]:
    return lambda: dict(_cells(function)).get(name)


def _cells(function: FunctionType) -> Iterator[tuple[str, Any]]:
    """Plain values in the closure."""
    for name, cell in zip(function.__code__.co_freevars, function.__closure__ or (), strict=True):
        if is_filled(cell) and type(cell.cell_contents) in _PLAIN:
            yield name, cell.cell_contents


def _globals_written(function: FunctionType) -> dict[str, Any]:
    names = {item.argval for item in dis.get_instructions(function.__code__) if item.opname == "STORE_GLOBAL"}
    return {name: function.__globals__[name] for name in names if type(function.__globals__.get(name, ...)) in _PLAIN}


@functools.lru_cache(maxsize=4096)
def _reads(cls: Any, name: str) -> bool:
    """Whether methods of the class read an attribute for more than to change it (`self.calls += 1`)."""
    for owner in cls.__mro__:
        if owner is torch.nn.Module:
            break
        for item in vars(owner).values():
            code = getattr(getattr(item, "__func__", item), "__code__", None)
            if code is not None and item.__class__ is FunctionType and _code_reads(code, name):
                return True
    return False


def _code_reads(code: CodeType, name: str) -> bool:
    if name not in code.co_names:
        return any(isinstance(item, CodeType) and _code_reads(item, name) for item in code.co_consts)
    before = ""
    for item in dis.get_instructions(code):
        if item.opname in ("LOAD_ATTR", "LOAD_METHOD") and item.argval == name and before != "COPY":
            return True
        if item.opname not in ("CACHE", "EXTENDED_ARG"):
            before = item.opname
    return False


def _same_state(now: Any, before: Any) -> bool:
    return bool(now[2] == before[2] and (now[1] == before[1]).all())
