"""Size reads that nobody used are taken out again: `x.shape` reads every dimension."""

from __future__ import annotations

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import ARGUMENT, CONSTANT

_NUMBERS = ("int", "float", "bool", "Device")


def drop_unused_numbers(graph: Graph) -> None:
    """Remove scalar arithmetic, and constants, whose results are used by nothing that counts."""
    live: set[Value] = set(graph.outputs)
    # What is in a tensor from before decided something.
    live.update(item.value for item in graph.assumptions if item.value is not None and item.value in graph.state)
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        outputs = node.outputs
        type_ = outputs[0].type if len(outputs) == 1 else None
        # A tensor's type would be compared with each of the words.
        number = type(type_) is str and type_ in _NUMBERS and not node.traits.effect
        pure = number or node.kind in (ARGUMENT, CONSTANT)
        if pure and node.outputs[0] not in live and node is not graph.failed:
            graph.state.pop(node.outputs[0], None)
            continue
        kept.append(node)
        live.update(node.inputs)
    if len(kept) < len(graph.nodes):
        kept.reverse()
        graph.retain(kept)
