"""Traced numbers: sizes, and arithmetic on them, that stay symbolic.

`torch.SymInt` calls the methods of the node object that it wraps, and torch's C++ passes it through the
dispatcher untouched. `TracedNumber` is such a node object: each operation on it is recorded as a scalar
operator of TorchScript's (`aten::mul(int, int)`), and `guard_*`, which is called exactly where Python or C++
needs the number itself, is the moment to note a specialisation.
"""

from __future__ import annotations

import math
import sys
import weakref
from collections.abc import Callable
from types import FrameType
from typing import Any

import torch

from tracelab.capture.analysis.assertion_branches import only_checks
from tracelab.capture.analysis.idle_branches import is_idle_otherwise
from tracelab.capture.analysis.operands import is_overruled
from tracelab.capture.analysis.text_uses import is_formatted_to_show, is_only_shown
from tracelab.capture.messages import conversion_message, size_message
from tracelab.capture.recording.listed_checks import assume_size_listed
from tracelab.capture.recording.state import RecordingState
from tracelab.capture.recording.ways import freezes_nothing, is_compared_inside, told_where_it_comes_back
from tracelab.capture.values import SYMBOLIC
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.intrinsics import BINARY, MATH, ROUND, UNARY, Intrinsic, Number
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import ARGUMENT


def traced_number(recorder: RecordingState, number: Number, value: Value, *, from_tensor: bool = False) -> Any:
    """A Python number that remembers the value it stands for."""
    node = TracedNumber(recorder, number, value, from_tensor)
    if isinstance(number, bool):
        return torch.SymBool(node)
    if isinstance(number, int):
        return torch.SymInt(node)
    return torch.SymFloat(node)


def plain_number(item: Any, frame: FrameType) -> Any:
    """The number behind a traced one, noted as a specialization at this frame; anything else as it is."""
    node = item.node if type(item) in SYMBOLIC else None
    return node.plain(frame) if isinstance(node, TracedNumber) else item


def was_read(item: Any) -> bool:
    """Whether it is a traced number that was read from a tensor, `loss.item()`, or computed of such a one."""
    return type(item) in SYMBOLIC and isinstance(item.node, TracedNumber) and item.node.from_tensor


_HASH = torch.SymInt.__hash__.__code__


class TracedNumber:
    """The node object behind a `SymInt`, `SymFloat` or `SymBool`.

    `value` is None for a constant that arithmetic brought along.
    """

    __slots__ = ("__weakref__", "from_tensor", "number", "recorder", "value")

    def __init__(
        self, recorder: RecordingState, number: Number, value: Value | None, from_tensor: bool = False
    ) -> None:
        self.recorder = recorder
        self.number = number
        self.value = value
        self.from_tensor = from_tensor
        if not recorder.numbers and not recorder.ended:
            recorder.meet_numbers()
        recorder.numbers.append(weakref.ref(self))

    def graph_value(self) -> Any:
        """What an argument of a node holds for it."""
        return self.number if self.value is None else self.value

    # What torch asks of a node ---------------------------------------------------------------------------

    def is_int(self) -> bool:
        return isinstance(self.number, int) and not isinstance(self.number, bool)

    def is_float(self) -> bool:
        return isinstance(self.number, float)

    def is_bool(self) -> bool:
        return isinstance(self.number, bool)

    def is_nested_int(self) -> bool:
        # torch hashes these alone; after the recording a number is as good a key as any.
        return self.recorder.ended and sys._getframe(1).f_code is _HASH

    def nested_int(self) -> int | None:
        return int(self.number) if self.recorder.ended and sys._getframe(1).f_code is _HASH else None

    def is_symbolic(self) -> bool:
        return True

    def is_constant(self) -> bool:
        # A comparison is decided at once: bindings take no traced flag (`is_causal=length > 1`).
        return self.is_bool()

    def has_hint(self) -> bool:
        return True

    @property
    def hint(self) -> Number:
        return self.number

    def maybe_as_int(self) -> int | None:
        return None

    def maybe_as_float(self) -> float | None:
        return None

    def maybe_as_bool(self) -> bool | None:
        return None

    def wrap_int(self, number: int) -> TracedNumber:
        return TracedNumber(self.recorder, number, None)

    wrap_float = wrap_int
    wrap_bool = wrap_int

    def clone(self) -> TracedNumber:
        return self

    def __str__(self) -> str:
        return str(self.number)

    __repr__ = __str__

    def _graph_repr(self) -> str:
        # torch asks for it where Python wants the text of a number.
        self.note_text(sys._getframe(1))
        return str(self.number)

    def note_text(self, frame: FrameType) -> None:
        """The number became text, which may decide something."""
        recorder = self.recorder
        if self.value is None or recorder.paused or recorder.ended:
            return
        asker = _asker(frame)
        if asker is None or (not self.from_tensor and recorder.static_sizes.holds(self.value)) or is_only_shown(asker):
            return
        if freezes_nothing(recorder, asker):
            return
        if self.from_tensor:
            # `12.0` equals `12` and `12+0j`, whose texts are others.
            recorder.assume(AssumptionKind.NUMBER, "text", self.value, repr(self.number), asker)
        else:
            recorder.assume(AssumptionKind.NUMBER, "int", self.value, self.number, asker)

    # Arithmetic ------------------------------------------------------------------------------------------

    def _record(self, intrinsic: Intrinsic, *operands: TracedNumber) -> TracedNumber:
        number = intrinsic.function(*[operand.number for operand in operands])
        recorder = self.recorder
        if recorder.paused or recorder.ended or all(operand.value is None for operand in operands):
            return TracedNumber(recorder, number, None)
        args = tuple([operand.graph_value() for operand in operands])
        source = recorder.source(sys._getframe(2))
        node = Node(intrinsic.kind, intrinsic.function, args, None, (), recorder.scope, source)
        value = Value(node.name, type(number).__name__, node)
        node.outputs = (value,)
        recorder.nodes.append(node)
        return TracedNumber(recorder, number, value, any(operand.from_tensor for operand in operands))

    def round(self, digits: int | None = None) -> TracedNumber:
        if digits is None:
            return self._record(ROUND, self)
        return self._record(ROUND, self, self.wrap_int(digits))

    def is_integer(self) -> TracedNumber:
        if not math.isfinite(self.number):
            return TracedNumber(self.recorder, False, None)
        return self._record(BINARY["eq"], self, self._record(MATH["floor"], self))

    def sym_ite(self, then: TracedNumber, otherwise: TracedNumber) -> TracedNumber:
        return then if self.bool_() else otherwise

    def sym_sum(self, terms: list[TracedNumber]) -> TracedNumber:
        total = terms[0]
        for term in terms[1:]:
            total = total._record(BINARY["add"], total, term)
        return total

    # Where the number itself is needed -------------------------------------------------------------------

    def plain(self, frame: FrameType) -> Number:
        """The number, noted as a specialization at this frame."""
        self._specialise("int" if self.is_int() else "float", frame)
        return self.number

    def _specialise(self, kind: str, frame: FrameType | None = None) -> None:
        recorder = self.recorder
        if self.value is None or recorder.paused or recorder.ended:
            return
        frame = sys._getframe(2) if frame is None else frame
        asker = _asker(frame)
        if asker is None:
            return
        frame = _outside_numpy(asker, frame)
        if kind != "bool" and is_formatted_to_show(asker):
            return
        if not self.from_tensor and recorder.static_sizes.holds(self.value):
            return
        if kind == "bool" and not self.from_tensor:
            if self.number and is_idle_otherwise(asker):
                return
            if is_overruled(asker, bool(self.number)):
                return
        if kind == "bool" and only_checks(asker):
            node = self.value.node
            name = node.name if node is not None else ""
            recorder.assume_check("bool", self.value, bool(self.number), asker, "==" if name == "eq" else "")
            return
        followed = bool(recorder.graph.cell) and (kind != "bool" or is_compared_inside(asker, recorder.boundary))
        if followed and freezes_nothing(recorder, frame, self._assumed_later(kind, frame)):
            return
        message = conversion_message if self.from_tensor else size_message
        told = _is_given(self.value) or (
            followed and told_where_it_comes_back(recorder, self.number, self.value, frame)
        )
        if not told:
            recorder.warn(kind, message(kind, self.number), self.number, self.value, frame)
        if not self.from_tensor and assume_size_listed(recorder, self.value, asker, branches=True):
            return
        what = AssumptionKind.BRANCH if kind == "bool" else AssumptionKind.NUMBER
        known = len(recorder.graph.assumptions)
        recorder.assume(what, kind, self.value, self.number, frame)
        if kind == "bool" and not self.from_tensor:
            recorder.drop_needless(asker, bool(self.number), known)

    def _assumed_later(self, kind: str, frame: FrameType) -> Callable[[], None]:
        recorder, value, number, source = self.recorder, self.value, self.number, self.recorder.source(frame)
        what = AssumptionKind.BRANCH if kind == "bool" else AssumptionKind.NUMBER
        return lambda: recorder.assume_at(what, kind, value, number, source, "") if value is not None else None

    def int_(self) -> int:
        self._specialise("int")
        return int(self.number)

    def guard_int(self, file: str, line: int) -> int:
        self._specialise("int")
        return int(self.number)

    def guard_float(self, file: str, line: int) -> float:
        self._specialise("float")
        return float(self.number)

    def bool_(self) -> bool:
        self._specialise("bool")
        return bool(self.number)

    def guard_bool(self, file: str, line: int) -> bool:
        self._specialise("bool")
        return bool(self.number)

    def guard_size_oblivious(self, file: str, line: int) -> bool:
        return bool(self.number)

    def guard_or_false(self, file: str, line: int) -> bool:
        return bool(self.number)

    def guard_or_true(self, file: str, line: int) -> bool:
        return bool(self.number)

    def expect_true(self, file: str, line: int) -> bool:
        return bool(self.number)

    def statically_known_true(self, file: str, line: int) -> bool:
        # C++ takes a shortcut where this is true; the general path is right for every size.
        return False

    def evaluate(self, size_oblivious: bool = False) -> Number:
        return self.number


def _is_given(value: Value) -> bool:
    """Whether a number comes from the arguments alone: each call gives it, and is told what it decides."""
    pending = [value]
    for item in pending:
        if item.is_tensor or item.node is None:
            return False
        if item.node.kind != ARGUMENT:
            if not item.node.inputs:
                return False
            pending += item.node.inputs
    return True


def _asker(frame: FrameType | None) -> FrameType | None:
    """The innermost frame that is not torch's number machinery; None where that asks for itself."""
    while frame is not None and frame.f_code.co_filename.endswith(("torch/__init__.py", "sym_node.py")):
        if frame.f_code.co_name in ("__pow__", "__rpow__"):
            # torch looks at the sign of an exponent; the result stays traced either way.
            return None
        frame = frame.f_back
    return frame


def _outside_numpy(asker: FrameType | None, frame: FrameType) -> FrameType:
    """The frame to note: Python code of NumPy and pandas is neither torch's nor the user's."""
    while asker is not None and str(asker.f_globals.get("__name__", "")).startswith(("numpy.", "pandas.")):
        frame = asker = asker.f_back or asker
    return frame


def _binary(intrinsic: Intrinsic) -> Callable[[TracedNumber, TracedNumber], TracedNumber]:
    def method(self: TracedNumber, other: TracedNumber) -> TracedNumber:
        return self._record(intrinsic, self, other)

    return method


def _unary(intrinsic: Intrinsic) -> Callable[[TracedNumber], TracedNumber]:
    def method(self: TracedNumber) -> TracedNumber:
        return self._record(intrinsic, self)

    return method


# torch asks a node for its text under this name.
setattr(TracedNumber, "str", TracedNumber.__str__)  # noqa: B010
for _name, _entry in BINARY.items():
    setattr(TracedNumber, _name, _binary(_entry))
for _name, _entry in UNARY.items():
    setattr(TracedNumber, _name, _unary(_entry))
for _name in ("sqrt", "cos", "sin", "tan", "tanh", "log2"):
    setattr(TracedNumber, f"sym_{_name}", _unary(MATH[_name]))


def math_function(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A stand-in for `math.<name>` that keeps traced numbers symbolic while a recording runs."""
    intrinsic = MATH[name]

    def function(*args: Any) -> Any:
        for arg in args:
            if isinstance(arg, (torch.SymInt, torch.SymFloat)) and isinstance(arg.node, TracedNumber):
                node: TracedNumber = arg.node
                operands = [
                    item.node if isinstance(item, (torch.SymInt, torch.SymFloat)) else node.wrap_int(item)
                    for item in args
                ]
                result = node._record(intrinsic, *operands)
                return traced_number(node.recorder, result.number, result.value) if result.value else result.number
        return original(*args)

    function.__name__ = name
    return function
