"""Guards: the lines of generated code that check assumptions, each as soon as the value that it is about is there."""

from __future__ import annotations

import sys
import threading
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from types import FrameType
from typing import Any, Protocol

import numpy
import torch

from tracelab.compat.dynamo import runs_while_compiling
from tracelab.compat.modes import (
    dispatch_modes,
    function_modes,
    has_saved_tensors_hooks,
    innermost_transform,
    recording_modes,
    watching_modes,
)
from tracelab.errors import AssumptionError, AssumptionWarning, InputError
from tracelab.graph.assumptions import ATTRIBUTE, READS, TABLE, Assumption, AssumptionKind, Words, attribute_of
from tracelab.graph.diagnostic import warn_at
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import UNPACKS
from tracelab.graph.same_values import same_value
from tracelab.graph.source import Source, is_inner
from tracelab.graph.takers import takers
from tracelab.graph.text.assumption_table import Assumptions
from tracelab.graph.text.violations import difference, may_be_wrong

POLICIES = ("warn", "raise", "ignore", "retrace")
MAX_TRACES = 8

_CONTENT: dict[str, Callable[[Any], Any]] = {
    "truth": bool,
    "whole": int,
    "real": float,
    "complex": complex,
    "item": torch.Tensor.item,
    "list": torch.Tensor.tolist,
    "array": lambda tensor: tensor.detach().numpy(),
}
"""How the content of a tensor is asked: where it is in the CPU's memory, or `check_values` says so."""


@dataclass(slots=True)
class Policy:
    """What happens where an assumption does not hold.

    Attributes:
        on_violation: `warn` warns at the caller's line and goes on, `raise` raises `AssumptionError`, `ignore` does not
            look, `retrace` takes another recording, or makes one.
        check_values: Whether values on other devices than the CPU are looked at, which waits for the device.
        max_traces: How many recordings `retrace` keeps.
    """

    on_violation: str = "warn"
    check_values: bool = False
    max_traces: int = MAX_TRACES
    several: bool = False
    """Whether there are several recordings: a call takes one that fits, whatever happens where none does."""

    @property
    def picks(self) -> bool:
        """Whether a recording whose assumptions do not hold makes room for another one."""
        return self.several or self.on_violation == "retrace"

    @property
    def stops(self) -> bool:
        """Whether a call ends where an assumption does not hold."""
        return self.picks or self.on_violation == "raise"

    def act(self, sentence: str, assumption: object = None) -> None:
        """Do it: an assumption does not hold, as the sentence says."""
        if self.stops:
            raise violated(sentence, assumption)
        if self.on_violation == "warn":
            tell(sentence)


def violated(sentence: str, assumption: object) -> AssumptionError:
    """The error that says it."""
    error = AssumptionError(sentence)
    error.assumption = assumption
    return error


class _HasGraph(Protocol):
    @property
    def graph(self) -> Graph: ...


class Guarded:
    """What is traced, as far as it has assumptions."""

    policy: Policy

    @property
    def assumptions(self: _HasGraph) -> Assumptions:
        """What decided what was recorded, and may be different at another call: of a module, that of `forward`."""
        return Assumptions(self.graph.assumptions)

    @property
    def on_violation(self) -> str:
        """What a call does where an assumption does not hold: `warn`, `raise`, `ignore` or `retrace`."""
        return self.policy.on_violation

    @on_violation.setter
    def on_violation(self, action: str) -> None:
        self.policy.on_violation = known_action(action)

    def follow_policy(self, policy: Policy) -> None:
        """Do from now on what the policy says; code that is compiled already has the policy that it was given."""
        self.policy.on_violation = policy.on_violation
        self.policy.check_values = policy.check_values
        self.policy.max_traces = policy.max_traces


def known_action(action: str) -> str:
    """The action; `InputError` for one that there is not."""
    if action not in POLICIES:
        raise InputError(f"on_violation={action!r} is not an action: give {', '.join(map(repr, POLICIES))}")
    return action


@dataclass(frozen=True, slots=True)
class Guard:
    """One assumption as code."""

    assumption: Assumption
    number: int

    def line(self, name: Callable[[Value], str], constant: Callable[[Any], str]) -> str:
        """The statement that checks it."""
        item, number = self.assumption, self.number
        if item.value is None:
            return f"guards.probe({number})"
        if item.test == "itself":
            return f"if {name(item.value)} is not {name(given_to(item.value))}: guards.differs({number}, False)"
        if item.test in READS:
            read = READS[item.test].replace("{}", name(item.value))
            wanted = constant(item.constant)
            if item.test == "at_least":
                return f"if {read} < {wanted}: guards.differs({number}, {read})"
            if wanted == "nan":
                return f"if {read} == {read}: guards.differs({number}, {read})"
            sign = "is not" if wanted in ("True", "False", "None") or item.test == "dtype" else "!="
            return f"if {read} {sign} {wanted}: guards.differs({number}, {read})"
        if item.test == ATTRIBUTE:
            return f"guards.attribute({number}, {name(item.value)})"
        if item.test == TABLE:
            return f"guards.table({number}, {name(item.value)})"
        return f"guards.content({number}, {name(item.value)})"

    def taking_line(self, name: Callable[[Value], str]) -> str:
        """The statement that lets a recording take it over."""
        value = self.assumption.value
        return f"guards.take_over({self.number}{f', {name(value)}' if value is not None else ''})"


def given_to(value: Value) -> Value:
    """The argument of the operator that made a value, or a part of a list, that the value may be."""
    node = value.node
    if node is None:
        return value
    given: Any = node.args[0]
    if node.kind in UNPACKS and given.node is not None:
        given = given.node.args[0][node.outputs.index(value)]
    assert isinstance(given, Value)
    return given


def guards_of(graph: Graph, taking: bool = False) -> list[Guard]:
    """The assumptions of a graph that can be checked at a call, or that a recording takes over."""
    if graph.input_tree is not None:
        graph.input_tree.note_keys(graph.assumptions)
    return [
        Guard(item, number)
        for number, item in enumerate(graph.assumptions)
        if item.checked or (taking and item.kind is AssumptionKind.TRAINING)
    ]


def steps(graph: Graph, guarded: bool) -> Iterator[tuple[int, Node]]:
    """The nodes in order, each with its number; arithmetic that only guards need has that of the node behind it."""
    waiting = list(reversed(graph.guard_nodes)) if guarded else []
    index = 0
    for index, node in enumerate(graph.nodes):
        while waiting and waiting[-1][0] <= index:
            yield index, waiting.pop()[1]
        yield index, node
    while waiting:
        yield index, waiting.pop()[1]


def unwatched() -> bool:
    """Whether this moment allows guards: nobody records or compiles the call.

    Inside of a transform of `torch.func` sizes and dtypes are those that the Python function would see.
    """
    # The compiler is asked first: it cannot follow what asks for modes.
    return not (torch.compiler.is_compiling() or ((function_modes() or dispatch_modes()) and recording_modes()))


def can_pick() -> bool:
    """Whether this moment allows to ask which recording fits: nobody records, compiles or transforms the call."""
    return unwatched() and innermost_transform() is None


def can_record() -> bool:
    """Whether this moment allows a recording: nobody counts the tensors that are saved for gradients, either."""
    return can_pick() and not (has_saved_tensors_hooks() or watching_modes() or dispatch_modes())


class GuardMonitor:
    """What generated code tells of assumptions that do not hold."""

    def __init__(self, graph: Graph, name: str, policy: Policy) -> None:
        self.graph = graph
        self.name = name
        self.policy = policy
        self.violation = ""
        """The first assumption that did not hold in the call that runs; generated code clears it as it begins."""
        self._told: Source | None = None
        """Where the code asked for the gradients that were told of last."""

    def again(self, index: int, *args: Any) -> Any:
        """Arithmetic that only guards need, in the recording that takes them over."""
        taker = takers.find()
        assert taker is not None
        return taker.again(self.graph.guard_nodes[index][1], args)

    def take_over(self, number: int, subject: Any = None) -> None:
        """Let the recording that runs assume what this trace does, of what it is given; it is looked at, too."""
        item = self.graph.assumptions[number]
        taker = takers.find()
        assert taker is not None
        subject = taker.assume(item, subject)
        with taker.paused():
            if item.value is None:
                if item.probe is not None:
                    self.probe(number)
            elif item.test in _CONTENT:
                self.content(number, subject)
            elif item.test == ATTRIBUTE:
                self.attribute(number, subject)
            elif item.test == TABLE:
                self.table(number, subject)
            elif item.test in READS and item.test != "itself":
                now = _read(item.test, subject)
                fits = now >= item.constant if item.test == "at_least" else now == item.constant
                if not fits and (now == now or item.constant == item.constant):
                    self.differs(number, now)

    def probe(self, number: int) -> None:
        """Ask what lies outside the graph."""
        item = self.graph.assumptions[number]
        now = item.probe() if item.probe is not None else item.constant
        if type(now) is not type(item.constant) or now != item.constant:
            self.differs(number, now)

    def attribute(self, number: int, tensor: Any) -> None:
        """Ask for an attribute of the user's on a tensor."""
        item = self.graph.assumptions[number]
        now = attribute_of(tensor, item.subject.removeprefix("{}."))
        # What a file holds of words is text.
        if not (same_value(now, item.constant) or (type(now) is Words and now == item.constant)):
            self.differs(number, now)

    def table(self, number: int, made: Any) -> None:
        """Compare what the code keeps with what was made here; a file has nothing that is kept."""
        item = self.graph.assumptions[number]
        kept: Any = item.probe
        if kept is not None and isinstance(made, torch.Tensor) and not kept.fits(made, self.policy.check_values):
            self.differs(number, Words("a tensor that is another than this call makes"))

    def content(self, number: int, tensor: Any) -> None:
        """Ask for what is in a tensor."""
        item = self.graph.assumptions[number]
        if not isinstance(tensor, torch.Tensor):
            return
        if tensor.is_meta:
            self.differs(number, Words("without a value, on the meta device"))
            return
        if not (tensor.device.type == "cpu" or self.policy.check_values):
            return
        try:
            now = _CONTENT[item.test](tensor)
        except (RuntimeError, TypeError, ValueError):
            # Of another shape: the code would have read something else.
            shown = f"a tensor of shape {list(tensor.shape)}"
            now = Words(f"{shown}, of each example of a batch," if innermost_transform() is not None else shown)
        if not _same_content(now, item.constant):
            self.differs(number, now)

    def differs(self, number: int, now: Any) -> None:
        """An assumption does not hold at this call."""
        item = self.graph.assumptions[number]
        # What follows a length takes the parts by name; which recording is right is no matter of what is told.
        needed = item.kind is AssumptionKind.LENGTH or (self.policy.picks and not _silence.passes)
        if item.kind is AssumptionKind.GRAD and not needed:
            if self._told is item.source and self.violation:
                # A line asks it of each parameter; one is enough to say.
                return
            self._told = item.source
        sentence = self.sentence(item, now)
        if _silence.on:
            _silence.heard.append((self.graph, number, sentence))
            if not needed:
                return
        if needed:
            raise violated(sentence, item)
        self.violation = self.violation or sentence
        self.policy.act(sentence, item)

    def sentence(self, item: Assumption, now: Any) -> str:
        """What was assumed, where, and what it is now."""
        fact = difference(item, now, self.name)
        if self.policy.picks:
            return fact
        if item.kind is AssumptionKind.CHECK or item.test == "at_least":
            return f"{fact}, where the code raises an error, which the trace does not"
        return f"{fact}{may_be_wrong(item)}"


def _read(test: str, subject: Any) -> Any:
    return eval(READS[test].replace("{}", "subject"), {"torch": torch, "subject": subject})


def _same_content(now: Any, constant: Any) -> bool:
    """Whether it is the same as at the trace, of the same classes: `1.0` is not `1`."""
    if type(now) is not type(constant):
        return False
    if isinstance(now, numpy.ndarray):
        return now.dtype == constant.dtype and numpy.array_equal(now, constant, equal_nan=now.dtype.kind in "fc")
    if isinstance(now, list):
        return len(now) == len(constant) and all(map(_same_content, now, constant))
    return bool(now == constant or (now != now and constant != constant))


Heard = list[tuple[Graph, int, str]]
"""Assumptions that did not hold: of which graph, their place among its assumptions, and the sentence."""


class _Silence(threading.local):
    on = False
    passes = False
    """Whether a recording goes on where it does not fit, though there are others."""
    heard: Heard


_silence = _Silence()


def is_silent() -> bool:
    """Whether a check runs, which looks at the results itself."""
    return _silence.on


def is_passing() -> bool:
    """Whether this recording runs though it does not fit."""
    return _silence.passes


@contextmanager
def silenced() -> Iterator[Heard]:
    """Assumptions that do not hold are not told, but listed: for checks, which look at the results themselves."""
    before = _silence.on, getattr(_silence, "heard", [])
    _silence.on, _silence.heard = True, []
    try:
        yield _silence.heard
    finally:
        _silence.on, _silence.heard = before


@contextmanager
def passing() -> Iterator[None]:
    """What does not hold was told of: this recording runs all the same."""
    before = _silence.passes
    _silence.passes = True
    try:
        with silenced():
            yield
    finally:
        _silence.passes = before


def tell(sentence: str) -> None:
    """Warn at the line that called the trace."""
    if _silence.on:
        return
    frame: FrameType | None = sys._getframe(1)
    while frame is not None and (_is_ours(frame) or is_inner(frame.f_code)):
        frame = frame.f_back
    if frame is None:
        warnings.warn(sentence, AssumptionWarning, stacklevel=2)
    else:
        warn_at(frame, sentence, AssumptionWarning, frame.f_code.co_filename, frame.f_lineno)


_unchecked: set[int] = set()
"""The traces that told it."""


@runs_while_compiling
def tell_unchecked(number: int, name: str, count: int) -> bool:
    """Warn of a call that is compiled or recorded by other means, which checks nothing; once for each `number`.

    True is for the compiler, which takes the result of the call for a constant.
    """
    if number in _unchecked:
        return True
    _unchecked.add(number)
    what = "assumption of the trace" if count == 1 else "assumptions of the trace"
    tell(
        f"{count} {what} of {name} {'is' if count == 1 else 'are'} not checked where another compiler records the "
        "call, so that what it makes may be wrong for other inputs: check with `traced.assumptions` what they are, or "
        "compile the function itself"
    )
    return True


def _is_ours(frame: FrameType) -> bool:
    file = frame.f_code.co_filename
    # Torch's own tracers call what they record by code of no module.
    return file.startswith("<tracelab ") or (file == "<string>" and "__name__" not in frame.f_globals)
