"""Assumptions: what decided what was recorded, and may be different at another call.

A trace records one run. Wherever the code read what is not computed in the graph (a dtype, whether one size is
greater than another, a number in a tensor), the recording is right only for calls where it reads the same. Each such
fact is an `Assumption` on the graph. What torch.export and Dynamo call a guard is the check of one.
"""

from __future__ import annotations

import enum
import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

import torch

from tracelab.graph.described import described
from tracelab.graph.expressions import condition, sought, tidy
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.source import Source, short_place


class AssumptionKind(enum.StrEnum):
    """What was read."""

    BRANCH = "branch"
    """A comparison of sizes, or a tensor, that Python needed as True or False."""
    CHECK = "check"
    """A comparison of sizes, or a tensor, by which the code decides whether it raises an error."""
    NUMBER = "number"
    """A size, or a number in a tensor, that became a Python number."""
    VALUES = "values"
    """The values of a tensor that became a Python list or a NumPy array."""
    LENGTH = "length"
    """How many parts a tensor was taken apart into."""
    DIMENSIONS = "dimensions"
    DTYPE = "dtype"
    DEVICE = "device"
    LAYOUT = "layout"
    CONTIGUITY = "contiguity"
    REQUIRES_GRAD = "requires_grad"
    CLASS = "class"
    """Which class an input had, or whether it was a parameter."""
    IDENTITY = "identity"
    """Whether a call gave back its argument itself: `x.float()` of a `float32`."""
    SHAPE = "shape"
    """The sizes for which a call raised an error that the code caught."""
    MODE = "mode"
    """A mode of torch that the code asked for: whether gradients are enabled, autocast, the default dtype."""
    GRAD = "grad"
    """Whether a tensor had a gradient already."""
    STATE = "state"
    """A Python attribute or variable that the code both reads and changes."""
    VARIABLE = "variable"
    """A variable of a notebook that a cell made tensors of."""
    ENVIRONMENT = "environment"
    """An environment variable that the code read."""
    TRAINING = "training"
    """Whether a module was in training mode."""
    KEYS = "keys"
    """Keys of a dict argument: one that was not there, how many there were, or all of them in their order."""
    RANDOM = "random"
    """Numbers of Python's or NumPy's generators."""
    ARGUMENT = "argument"
    """A number, text or another value of Python's that was given; compared as a call's arguments are taken apart."""
    UNSEEN = "unseen"
    """A tensor that the code made in a way that tracing does not see."""


class Words(str):
    """What stands in a sentence for a value that is too large, or none."""

    __slots__ = ()

    def __repr__(self) -> str:
        return str(self)


ATTRIBUTE = "attribute"
"""The test of an attribute of the user's on an input, which the subject names: `{}.scale`."""
TABLE = "table"
"""The test of a tensor that the code keeps: what it keeps is as good as what a replay makes."""
ABSENT = Words("absent")


def attribute_of(tensor: Any, name: str) -> Any:
    """An attribute of the user's on a tensor, as it is compared: what is no plain value is known by its class.

    >>> attribute_of(torch.ones(1), "scale")
    absent
    """
    try:
        found = getattr(tensor, name)
    except AttributeError:
        return ABSENT
    if isinstance(found, torch.Tensor):
        # The trace reads it at each call.
        return Words("a tensor")
    if type(found) in _COMPARED or described(found) is not None:
        return found
    if type(found) in (list, dict, set, tuple):
        return Words(" ".join(repr(found).split()))
    return Words(f"an object of the class {type(found).__name__}")


_COMPARED = (bool, int, float, complex, str, type(None), torch.dtype, torch.device)


@dataclass(slots=True)
class Assumption:
    """One fact that decided what was recorded.

    Attributes:
        kind: What was read.
        subject: What it is about, where `{}` stands for the value's name: `{}.dtype`, `Net.training`; empty for the
            expression at `source`.
        constant: What it was at the trace.
        source: Where the code read it; None where it is no line.
        value: The graph's value that was read; None for what lies outside the graph.
        test: How the value is asked: see `tracelab.execute.codegen.guards`; empty where it cannot be.
        probe: What reads it now, for what lies outside the graph; None after loading from a file.
        paths: The modules of a traced module that it is about, by their paths: whose mode was asked for.
    """

    kind: AssumptionKind
    subject: str
    constant: Any
    source: Source | None = None
    value: Value | None = None
    test: str = ""
    probe: Callable[[], Any] | None = field(default=None, repr=False, compare=False)
    paths: tuple[str, ...] = ()

    @property
    def about(self) -> str:
        """What it is about, in words of the code: `x.dtype`, `x.shape[0] > 1`, `Net.training`."""
        if not self.subject:
            expression = self.source.expression if self.source is not None else ""
            if self.kind in (AssumptionKind.BRANCH, AssumptionKind.CHECK):
                expression = self._compared(condition(expression))
            return tidy(expression) or f"a {self.kind} that the code read"
        return self.subject.replace("{}", user_name(self.value) if self.value is not None else "it")

    def _compared(self, expression: str) -> str:
        """Python compares what is looked for with one item after the other, and asks after each."""
        node, left = self.value.node if self.value is not None else None, sought(expression)
        if not left or node is None or node.name != "eq" or len(node.args) != 2:
            return expression
        return f"{left} == {getattr(node.args[1], 'name', node.args[1])}"

    @property
    def line(self) -> str:
        """`model.py:12`; empty where there is no line."""
        return short_place(self.source)

    @property
    def code(self) -> str:
        """The line of code."""
        return self.source.text.strip() if self.source is not None else ""

    @property
    def checked(self) -> bool:
        """Whether a call can tell that it does not hold."""
        return bool(self.test) or self.probe is not None

    def moved(self, values: Mapping[Value, Value]) -> Assumption:
        """The same of a copied graph."""
        return self if self.value is None else replace(self, value=values.get(self.value, self.value))

    def __str__(self) -> str:
        place = f"{self.line}: " if self.line else ""
        if self.kind in (AssumptionKind.IDENTITY, AssumptionKind.RANDOM):
            return f"{place}{self.about}"
        return f"{place}{self.about} is {shown(value_shown(self))}"


def value_shown(item: Assumption) -> Any:
    """What it was at the trace, as it stands in a sentence."""
    if item.test == ATTRIBUTE and item.constant == ABSENT:
        # A file holds it as text.
        return ABSENT
    return Words(f"{item.constant} or more") if item.test == "at_least" else item.constant


def shown(constant: Any) -> str:
    """A value as it stands in a sentence."""
    return str(constant) if isinstance(constant, torch.device) else " ".join(repr(constant).split())


_NUMBERED = re.compile(r"\.\d+$")


def user_name(value: Value) -> str:
    """What the code calls a value, as far as that is known: `x` for `x.1`, and for what `x.mul_(2)` gives."""
    node = value.node
    while node is not None and _in_place(node) and value.name.split(".")[0] == node.name:
        value = node.inputs[0]
        node = value.node
    return _NUMBERED.sub("", value.name)


def _in_place(node: Node) -> bool:
    return node.name.endswith("_") and not node.name.endswith("__") and bool(node.inputs)


_FREE_RANK = frozenset({"squeeze", "squeeze_", "PythonOp", "CallFunction", "CallMethod"})
"""Operators whose results may have fewer dimensions for other sizes, and code that is not looked into."""


_PLAIN_TYPES = frozenset(
    "int float bool complex number Scalar str NoneType Device Layout MemoryFormat ScalarType".split()
)


def without_implied(assumptions: list[Assumption], inputs: Iterable[Value], nodes: Iterable[Node]) -> list[Assumption]:
    """The assumptions without those on numbers of dimensions that follow from those of the inputs."""
    if not assumptions:
        return assumptions
    ranks = {item.value for item in assumptions if item.test == "dim" and item.value is not None}
    assumptions = [item for item in assumptions if item.test != "at_least" or item.value not in ranks]
    if all(value.node is None for value in ranks):
        return assumptions
    known = {value for value in inputs if value in ranks or value.role is not Role.INPUT}
    for node in nodes:
        if node.name not in _FREE_RANK and all(value in known or _is_number(value) for value in node.inputs):
            known.update(node.outputs)
    implied = {value for value in ranks & known if value.node is not None}
    return [item for item in assumptions if item.kind is not AssumptionKind.DIMENSIONS or item.value not in implied]


_AT_DIMENSION = frozenset("size select slice narrow unbind split chunk".split())
"""Operators that raise an error where there is no such dimension as their second argument says."""
_LEAST = {"linear": 1, "addmm": 2, "mm": 2, "bmm": 3, "conv1d": 2, "conv2d": 3, "conv3d": 4}
"""Operators that raise an error where their first argument has fewer dimensions."""


def without_needed(assumptions: list[Assumption], nodes: Iterable[Node]) -> list[Assumption]:
    """The assumptions without the least numbers of dimensions for which an operator raises the error itself."""
    asked = {item.value: 0 for item in assumptions if item.test == "at_least" and item.value is not None}
    if not asked:
        return assumptions
    for node in nodes:
        first: Any = node.args[0] if node.args else None
        if isinstance(first, Value) and first in asked:
            least = _LEAST.get(node.name, 0)
            if node.name in _AT_DIMENSION and len(node.args) > 1 and type(node.args[1]) is int:
                least = node.args[1] + 1
            asked[first] = max(asked[first], least)
    return [
        item
        for item in assumptions
        if item.test != "at_least" or item.value is None or asked[item.value] < item.constant
    ]


def _is_number(value: Value) -> bool:
    """Whether a value is no tensor, and nothing that tensors may be in: a list, or what Python code gave."""
    return isinstance(value.type, str) and value.type.rstrip("[]?") in _PLAIN_TYPES


GuardNodes = list[tuple[int, Node]]
"""Nodes that only assumptions need (arithmetic on sizes), each with the number of the graph's nodes before it."""


def guard_nodes_of(dropped: Iterable[tuple[int, Node]], assumptions: Iterable[Assumption]) -> GuardNodes:
    """Of nodes that leave the graph, those that make what assumptions are about."""
    needed = {item.value for item in assumptions if item.value is not None}
    kept: GuardNodes = []
    for position, node in reversed(list(dropped)):
        if any(value in needed for value in node.outputs):
            needed.update(node.inputs)
            kept.append((position, node))
    kept.reverse()
    return kept


READS = {
    "bool": "{}",
    "int": "{}",
    "float": "{}",
    "len": "len({})",
    "text": "repr({})",
    "dim": "{}.dim()",
    "at_least": "{}.dim()",
    "dtype": "{}.dtype",
    "device": "{}.device",
    "layout": "{}.layout",
    "floating": "{}.is_floating_point()",
    "complex_dtype": "{}.is_complex()",
    "contiguous": "{}.is_contiguous()",
    "channels_last": "{}.is_contiguous(memory_format=torch.channels_last)",
    "channels_last_3d": "{}.is_contiguous(memory_format=torch.channels_last_3d)",
    "strides": "{}.stride()",
    "requires_grad": "{}.requires_grad",
    "leaf": "{}.is_leaf",
    "conjugate": "{}.is_conj()",
    "negative": "{}.is_neg()",
    "inference": "{}.is_inference()",
    "view": "{}._is_view()",
    "memory": "{}.untyped_storage().nbytes()",
    "shape": "{}.shape",
    "itself": "{}",
    "parameter": "isinstance({}, torch.nn.Parameter)",
    "buffer": "isinstance({}, torch.nn.Buffer)",
    "class": "type({}).__name__",
    "subclass": "('Tensor' if type({}) in (torch.Tensor, torch.nn.Parameter) else type({}).__name__)",
    "made": "({}.grad_fn is not None)",
    "no_grad": "({}.grad is None)",
}
"""How a value is asked, by test: cheap expressions that synchronize nothing."""

TESTS = frozenset({*READS, ATTRIBUTE, TABLE, "truth", "whole", "real", "complex", "item", "list", "array", ""})
"""Every way to ask; those that are no expressions ask for what is in a tensor."""
