"""Whether two arguments are one tensor.

They must be two where the code gives one of them another shape in place, and uses the other, too. Where the code asks
(`a is b`), it is as it was.
"""

from __future__ import annotations

import itertools
from collections.abc import Iterable
from types import FunctionType

from torch import Tensor

from tracelab.capture.analysis.identity_comparisons import identity_comparisons
from tracelab.capture.analysis.static_sizes import RESHAPING
from tracelab.capture.recording.part import Recording, add_node
from tracelab.graph.assumptions import AssumptionKind, user_name
from tracelab.graph.intrinsics import IS
from tracelab.graph.ir import Node, Value
from tracelab.graph.source import Source

_MOST = 6
"""With more tensors, their pairs are too many to ask for."""


def assume_apart(recorder: Recording, inputs: list[Value]) -> None:
    """Assume it of each that was given another shape: what was read of the others would be of another shape, too."""
    tensors = [value for value in inputs if value.is_tensor]
    if len(tensors) < 2:
        return
    for value, node in _reshaped(recorder.nodes, tensors).items():
        for other in tensors:
            if other is not value:
                same = add_node(recorder, IS, (other, value), "bool", node.source)
                subject = f"`{user_name(other)} is {user_name(value)}`"
                recorder.assume_at(AssumptionKind.ARGUMENT, "bool", same, False, node.source, subject)


def assume_identity(recorder: Recording, inputs: list[tuple[Tensor, Value]], functions: Iterable[FunctionType]) -> None:
    """Assume of each two tensors whether they are one, where the code compares two of its variables by identity."""
    if not 2 <= len(inputs) <= _MOST:
        return
    place = next((place for function in functions for place in identity_comparisons(function.__code__)), None)
    # Where one is given twice, the code was given one, which all that it does may follow from.
    given_twice = len({id(tensor) for tensor, _ in inputs}) < len(inputs)
    for (tensor, value), (other, other_value) in itertools.combinations(inputs, 2):
        hashed = value in recorder.hashed and other_value in recorder.hashed
        if place is None and not hashed and not given_twice:
            continue
        source = Source((place,)) if place is not None else recorder.hashed.get(value)
        same = add_node(recorder, IS, (value, other_value), "bool", source)
        subject = f"`{user_name(value)} is {user_name(other_value)}`"
        recorder.assume_at(AssumptionKind.ARGUMENT, "bool", same, tensor is other, source, subject)


def _reshaped(nodes: list[Node], tensors: list[Value]) -> dict[Value, Node]:
    """The inputs that the code gave another shape in place, each with the first node that did."""
    known = {value: value for value in tensors}
    found: dict[Value, Node] = {}
    for node in nodes:
        name = node.name
        if not name.endswith("_") or not node.args or not isinstance(node.args[0], Value):
            continue
        origin = known.get(node.args[0])
        if origin is None or not node.outputs:
            continue
        known[node.outputs[0]] = origin
        if name in RESHAPING:
            found.setdefault(origin, node)
    return found
