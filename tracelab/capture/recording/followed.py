"""Dtypes and devices that were read to be given to calls: nodes that read them anew, instead of assumptions.

A read waits until each call that it goes into (see `analysis.followed`) is recorded with what was read. Where one is
not, or where the code reads the same elsewhere, it is an assumption as any other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from types import CodeType, FrameType
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.analysis.followed import Uses, arguments_at, uses_of
from tracelab.capture.analysis.syntax import Span
from tracelab.capture.recording.part import Recording, add_node
from tracelab.compat.modes import DeviceContext
from tracelab.compat.operators import OpOverload, OpOverloadPacket
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.intrinsics import DEVICE, DTYPE, FINFO
from tracelab.graph.ir import Role, Value
from tracelab.graph.source import Source, is_inner

_INTRINSICS = {"dtype": DTYPE, "device": DEVICE}
_TYPES = {"dtype": "int", "device": "Device"}
_FOLLOWED = (torch.dtype, torch.device, float)
_THROUGH = {
    id(function.__code__): function
    for function in (
        torch.nn.functional.softmax,
        torch.nn.functional.log_softmax,
        torch.overrides.handle_torch_function,
        OpOverload.__call__,
        OpOverloadPacket.__call__,
        DeviceContext.__torch_function__,
    )
}
"""Torch's Python code that only hands the dtype on to one operator."""


@dataclass(slots=True, eq=False)
class Read:
    """One read, which waits for calls that take it."""

    tensor: Tensor
    test: str
    constant: Any
    source: Source | None
    left: set[Span]
    """The calls that have not taken it."""
    several: bool
    """Whether calls may take it any number of times."""
    value: Value | None = None
    """What stands for it; None for what is read of a module's state, until a call takes it."""


@dataclass(slots=True, eq=False)
class Fact:
    """What a tensor's dtype or device was, which is no assumption if all that was read is followed."""

    assumption: Assumption
    reads: list[Read | Source | None] = field(default_factory=list)
    """In their order; those that cannot be followed by their places."""

    @property
    def decides(self) -> Read | Source | bool | None:
        """The first read that is not followed; True where all are."""
        for read in self.reads:
            if not isinstance(read, Read) or read.left:
                return read
        return True


class Followed:
    """The reads of one recording."""

    def __init__(self) -> None:
        self.waiting: dict[tuple[int, int, Span], Read] = {}
        """By the frame, the code and the place that read."""
        self.facts: dict[tuple[Value, str], Fact] = {}
        self._of_state: list[Read] = []
        self._changed = False
        """Whether the code gave a tensor other data, so that a module's state is no longer what it was at the call."""
        self._values: dict[tuple[Value, str], Value] = {}

    def see(self, recorder: Recording, test: str, tensor: Tensor, constant: Any, frame: FrameType) -> None:
        """The code reads the dtype or the device of a tensor."""
        uses = _uses(frame)
        value = recorder.known(tensor)
        if value is None or value.role not in (Role.COMPUTED, Role.INPUT):
            self.see_state(recorder, test, tensor, constant, frame, uses)
            return
        kind = AssumptionKind(test)
        if uses is None:
            recorder.assume(kind, test, value, constant, frame, subject=f"{{}}.{test}")
            return
        fact = self.facts.get((value, test))
        if fact is None:
            known = len(recorder.graph.assumptions)
            recorder.assume(kind, test, value, constant, frame, subject=f"{{}}.{test}")
            if len(recorder.graph.assumptions) > known:
                fact = self.facts[value, test] = Fact(recorder.graph.assumptions[known])
        source = recorder.source(frame)
        # Later the tensor may stand for the result of a call that gave it back.
        made = self._value(recorder, value, test, source)
        read = Read(tensor, test, constant, source, set(uses.calls), bool(uses.factories), made)
        if fact is not None:
            fact.reads.append(read)
        self._wait(read, uses, frame)

    def see_state(
        self,
        recorder: Recording,
        test: str,
        tensor: Tensor,
        constant: Any,
        frame: FrameType,
        uses: Uses | None = None,
    ) -> None:
        """The code reads it of a tensor that a module holds, or that is no part of the graph."""
        value = recorder.known(tensor)
        held = value.role in (Role.PARAMETER, Role.BUFFER) if value is not None else id(tensor) in recorder.names
        if held and uses is not None:
            read = Read(tensor, test, constant, recorder.source(frame), set(uses.calls), bool(uses.factories))
            self._of_state.append(read)
            self._wait(read, uses, frame)
        elif held and not is_inner(frame.f_code):
            self._assume_of_state(recorder, test, tensor, constant, recorder.source(frame))

    def _assume_of_state(
        self, recorder: Recording, test: str, tensor: Tensor, constant: Any, source: Source | None
    ) -> None:
        """A module that is moved or cast has another one."""
        value = recorder.value_of(tensor)
        if not self._changed and value.role in (Role.PARAMETER, Role.BUFFER):
            recorder.assume_at(AssumptionKind(test), test, value, constant, source, f"{{}}.{test}")

    def _wait(self, read: Read, uses: Uses, frame: FrameType) -> None:
        self.waiting[id(frame), id(frame.f_code), uses.read] = read

    def decide(self, value: Value, test: str, source: Source | None) -> None:
        """What was read is an assumption in any case."""
        fact = self.facts.get((value, test))
        if fact is not None:
            fact.reads.append(source)

    def settle(self, recorder: Recording) -> None:
        """The recording ends: what was followed is no assumption."""
        for waiting in self._of_state:
            if waiting.left:
                self._assume_of_state(recorder, waiting.test, waiting.tensor, waiting.constant, waiting.source)
        self._of_state.clear()
        gone = set()
        for fact in self.facts.values():
            read = fact.decides
            if read is True:
                gone.add(id(fact.assumption))
            else:
                fact.assumption.source = read.source if isinstance(read, Read) else read or None
        if gone:
            assumptions = recorder.graph.assumptions
            recorder.graph.assumptions = [item for item in assumptions if id(item) not in gone]
        self.waiting.clear()
        self.facts.clear()

    # What calls take -------------------------------------------------------------------------------------

    def taken(
        self, recorder: Recording, frame: FrameType, args: tuple[Any, ...], kwargs: dict[str, Any] | None
    ) -> tuple[tuple[Any, ...], dict[str, Any] | None]:
        """The arguments of a call, in which what was read stands for what it was."""
        named = kwargs or {}
        if not any(isinstance(item, _FOLLOWED) for item in (*args, *named.values())):
            return args, kwargs
        caller = _caller(frame)
        if caller is None:
            return args, kwargs
        given: dict[int | str, Any] = dict(enumerate(args))
        given.update(named)
        changed: dict[int | str, Value] = {}
        for argument in arguments_at(caller.f_code, caller.f_lasti):
            key = (id(caller), id(caller.f_code), argument.read)
            read = self.waiting.get(key)
            if read is None:
                continue
            wanted = getattr(torch.finfo(read.constant), argument.limit) if argument.limit else read.constant
            places = [
                place
                for place, item in given.items()
                if type(item) is type(wanted) and item == wanted and place not in changed
            ]
            if len(places) != 1:
                continue
            value = read.value or self._value_of_state(recorder, read, caller)
            if value is None:
                continue
            changed[places[0]] = self._limit(recorder, value, argument.limit, caller) if argument.limit else value
            read.left.discard(argument.call)
            if not read.left and not read.several:
                del self.waiting[key]
        if not changed:
            return args, kwargs
        args = tuple([changed.get(place, item) for place, item in enumerate(args)])
        return args, {name: changed.get(name, item) for name, item in named.items()} if kwargs else kwargs

    def _value_of_state(self, recorder: Recording, read: Read, frame: FrameType) -> Value | None:
        tensor = recorder.value_of(read.tensor)
        held = tensor.role in (Role.PARAMETER, Role.BUFFER)
        return self._value(recorder, tensor, read.test, recorder.source(frame)) if held else None

    def value_of(self, recorder: Recording, tensor: Tensor, test: str, frame: FrameType) -> Value:
        """The dtype or the device of a tensor, as a value."""
        return self._value(recorder, recorder.value_of(tensor), test, recorder.source(frame))

    def _value(self, recorder: Recording, tensor: Value, test: str, source: Source | None) -> Value:
        found = self._values.get((tensor, test))
        if found is None:
            found = self._values[tensor, test] = add_node(recorder, _INTRINSICS[test], (tensor,), _TYPES[test], source)
        return found

    def forget(self) -> None:
        """The code gave a tensor other data, perhaps of another dtype: what is read from now on is another value."""
        self._values.clear()
        self._changed = True

    def _limit(self, recorder: Recording, dtype: Value, limit: str, frame: FrameType) -> Value:
        found = self._values.get((dtype, limit))
        if found is None:
            made = add_node(recorder, FINFO, (dtype, limit), "float", recorder.source(frame))
            found = self._values[dtype, limit] = made
        return found


def _uses(frame: FrameType) -> Uses | None:
    """The calls that take what this frame reads; None where it may go anywhere else."""
    if is_inner(frame.f_code):
        return None
    uses = uses_of(frame.f_code, frame.f_lasti)
    if uses is None or any(frame.f_globals.get(name) is not torch for name in uses.torch_names):
        return None
    return uses


def _caller(frame: FrameType | None) -> FrameType | None:
    """The frame of the user's that called the operator itself; None where torch's Python code stands between."""
    while frame is not None:
        code: CodeType = frame.f_code
        if not is_inner(code):
            return frame
        if id(code) not in _THROUGH and not str(frame.f_globals.get("__name__", "")).startswith("tracelab."):
            return None
        frame = frame.f_back
    return None
