"""Traced numbers: sizes, and arithmetic on them, that stay symbolic.

`torch.SymInt` calls the methods of the node object that it wraps, and torch's C++ passes it through the
dispatcher untouched. `TracedNumber` is such a node object: each operation on it is recorded as a scalar
operator of TorchScript's (`aten::mul(int, int)`), and `guard_*`, which is called exactly where Python or C++
needs the number itself, is the moment to note a specialisation.
"""

from __future__ import annotations

import math
import operator
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import torch

from tracelab.capture.analysis.assertion_branches import only_checks
from tracelab.capture.messages import conversion_message, size_message
from tracelab.graph.ir import Node, Value

if TYPE_CHECKING:
    from tracelab.capture.recorder import Recorder

Number = int | float | bool


def traced_number(recorder: Recorder, number: Number, value: Value, *, from_tensor: bool = False) -> Any:
    """A Python number that remembers the value it stands for."""
    node = TracedNumber(recorder, number, value, from_tensor)
    if isinstance(number, bool):
        return torch.SymBool(node)
    if isinstance(number, int):
        return torch.SymInt(node)
    return torch.SymFloat(node)


def true_divide(a: Number, b: Number) -> float:
    return a / b


def int_power(a: Number, b: Number) -> Any:
    return a**b


def sym_not(a: bool) -> bool:
    return not a


def both(a: bool, b: bool) -> bool:
    return a and b


def either(a: bool, b: bool) -> bool:
    return a or b


BINARY: dict[str, tuple[str, Callable[[Any, Any], Any]]] = {
    "add": ("aten::add", operator.add),
    "sub": ("aten::sub", operator.sub),
    "mul": ("aten::mul", operator.mul),
    "mod": ("aten::remainder", operator.mod),
    "pow": ("aten::pow", int_power),
    "float_pow": ("aten::pow", int_power),
    "pow_by_natural": ("aten::pow", int_power),
    "floordiv": ("aten::floordiv", operator.floordiv),
    "int_floordiv": ("aten::floordiv", operator.floordiv),
    "truediv": ("aten::div", true_divide),
    "int_truediv": ("aten::div", true_divide),
    "float_truediv": ("aten::div", true_divide),
    "lshift": ("aten::__lshift__", operator.lshift),
    "rshift": ("aten::__rshift__", operator.rshift),
    "bitwise_and": ("aten::__and__", operator.and_),
    "bitwise_or": ("aten::__or__", operator.or_),
    "bitwise_xor": ("aten::__xor__", operator.xor),
    "and_": ("aten::__and__", both),
    "or_": ("aten::__or__", either),
    "sym_and": ("aten::__and__", both),
    "sym_or": ("aten::__or__", either),
    "eq": ("aten::eq", operator.eq),
    "ne": ("aten::ne", operator.ne),
    "lt": ("aten::lt", operator.lt),
    "le": ("aten::le", operator.le),
    "gt": ("aten::gt", operator.gt),
    "ge": ("aten::ge", operator.ge),
    "sym_min": ("prim::min", min),
    "sym_max": ("prim::max", max),
}

UNARY: dict[str, tuple[str, Callable[[Any], Any]]] = {
    "neg": ("aten::neg", operator.neg),
    "pos": ("aten::pos", operator.pos),
    "abs": ("prim::abs", abs),
    "sym_float": ("aten::Float", float),
    "sym_int": ("aten::Int", int),
    "trunc": ("aten::Int", math.trunc),
    "floor": ("aten::floor", math.floor),
    "ceil": ("aten::ceil", math.ceil),
    "sym_not": ("aten::__not__", sym_not),
}

MATH: dict[str, tuple[str, Callable[..., Any]]] = {
    name: (f"aten::{name}", getattr(math, name))
    for name in (
        "sqrt isqrt hypot log log2 log10 log1p exp expm1 sin cos tan asin acos atan atan2 sinh cosh tanh "
        "pow floor ceil fabs fmod copysign gcd lcm"
    ).split()
}
"""Functions of Python's `math` that stay symbolic for traced numbers; the originals, before any patch."""


class TracedNumber:
    """The node object behind a `SymInt`, `SymFloat` or `SymBool`.

    `value` is None for a constant that arithmetic brought along.
    """

    __slots__ = ("from_tensor", "number", "recorder", "value")

    def __init__(self, recorder: Recorder, number: Number, value: Value | None, from_tensor: bool = False) -> None:
        self.recorder = recorder
        self.number = number
        self.value = value
        self.from_tensor = from_tensor

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
        return False

    def nested_int(self) -> None:
        return None

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
    _graph_repr = __str__

    # Arithmetic ------------------------------------------------------------------------------------------

    def _record(self, kind: str, target: Callable[..., Any], *operands: TracedNumber) -> TracedNumber:
        number = target(*(operand.number for operand in operands))
        recorder = self.recorder
        if recorder.inside or recorder.ended or all(operand.value is None for operand in operands):
            return TracedNumber(recorder, number, None)
        args = tuple(operand.graph_value() for operand in operands)
        node = Node(kind, target, args, None, (), recorder.scope, recorder.source(sys._getframe(2)))
        value = Value(node.name, type(number).__name__, node)
        node.outputs = (value,)
        recorder.nodes.append(node)
        return TracedNumber(recorder, number, value, any(operand.from_tensor for operand in operands))

    def round(self, digits: int | None = None) -> TracedNumber:
        if digits is None:
            return self._record("aten::round", round, self)
        return self._record("aten::round", round, self, self.wrap_int(digits))

    def is_integer(self) -> TracedNumber:
        if not math.isfinite(self.number):
            return TracedNumber(self.recorder, False, None)
        whole = self._record("aten::floor", math.floor, self)
        return self._record("aten::eq", operator.eq, self, whole)

    def sym_ite(self, then: TracedNumber, otherwise: TracedNumber) -> TracedNumber:
        return then if self.bool_() else otherwise

    def sym_sum(self, terms: list[TracedNumber]) -> TracedNumber:
        total = terms[0]
        for term in terms[1:]:
            total = total._record("aten::add", operator.add, total, term)
        return total

    # Where the number itself is needed -------------------------------------------------------------------

    def _specialise(self, kind: str) -> None:
        recorder = self.recorder
        if self.value is None or recorder.inside or recorder.ended:
            return
        frame = sys._getframe(2)
        # The innermost Python frame that is not torch's number machinery decides whether this is a check.
        asker: Any = frame
        while asker is not None and asker.f_code.co_filename.endswith(("torch/__init__.py", "sym_node.py")):
            if asker.f_code.co_name in ("__pow__", "__rpow__"):
                # torch looks at the sign of an exponent; the result stays traced either way.
                return
            asker = asker.f_back
        if kind == "bool" and only_checks(asker):
            return
        if not self.from_tensor and recorder.fixed.holds(self.value):
            return
        message = conversion_message if self.from_tensor else size_message
        recorder.warn(kind, message(kind, self.number), self.number, self.value, frame)

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


def _binary(kind: str, target: Callable[[Any, Any], Any]) -> Callable[[TracedNumber, TracedNumber], TracedNumber]:
    def method(self: TracedNumber, other: TracedNumber) -> TracedNumber:
        return self._record(kind, target, self, other)

    return method


def _unary(kind: str, target: Callable[[Any], Any]) -> Callable[[TracedNumber], TracedNumber]:
    def method(self: TracedNumber) -> TracedNumber:
        return self._record(kind, target, self)

    return method


# torch asks a node for its text under this name.
setattr(TracedNumber, "str", TracedNumber.__str__)  # noqa: B010
for _name, (_kind, _target) in BINARY.items():
    setattr(TracedNumber, _name, _binary(_kind, _target))
for _name, (_kind, _unary_target) in UNARY.items():
    setattr(TracedNumber, _name, _unary(_kind, _unary_target))
for _name in ("sqrt", "cos", "sin", "tan", "tanh", "log2"):
    setattr(TracedNumber, f"sym_{_name}", _unary(*MATH[_name]))


def math_function(name: str, original: Callable[..., Any]) -> Callable[..., Any]:
    """A stand-in for `math.<name>` that keeps traced numbers symbolic while a recording runs."""
    kind, target = MATH[name]

    def function(*args: Any) -> Any:
        for arg in args:
            if isinstance(arg, (torch.SymInt, torch.SymFloat)) and isinstance(arg.node, TracedNumber):
                node: TracedNumber = arg.node
                operands = [
                    item.node if isinstance(item, (torch.SymInt, torch.SymFloat)) else node.wrap_int(item)
                    for item in args
                ]
                result = node._record(kind, target, *operands)
                return traced_number(node.recorder, result.number, result.value) if result.value else result.number
        return original(*args)

    function.__name__ = name
    return function
