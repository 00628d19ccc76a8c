"""What stands between the operators of a graph and computes nothing: modes, contexts, reads and writes of gradients."""

from __future__ import annotations

from tracelab.graph.aliasing import written_values
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.kinds import GRAD, SET_GRAD, TABLE, Group
from tracelab.render.fold import Folded
from tracelab.render.view_document.training import is_backward

_REGIONS = frozenset(kind.name for kind in TABLE.values() if kind.group is Group.REGION)


def markers(graph: Graph, folded: Folded) -> list[tuple[int, int]]:
    """The places of such nodes among the shown ones, in order.

    Returns:
        With each what made the gradient that it reads, `backward` or the operator that changed it last; -1 for all
        others. A gradient that is used and that nothing in the graph made is read by an operator as any other.
    """
    used = {value for node in folded.nodes for value in node.inputs}
    used.update(folded.parts_of(graph.outputs))
    found: list[tuple[int, int]] = []
    backward = -1
    written: dict[Value, int] = {}
    changed: dict[Value, int] = {}
    """The last operators that changed the gradients of tensors in place."""
    tensor_of: dict[Value, Value] = {}
    for place, node in enumerate(folded.nodes):
        if is_backward(node):
            backward = place
        elif node is graph.failed:
            continue
        elif node.kind in _REGIONS:
            found.append((place, -1))
        elif node.kind == SET_GRAD:
            written[node.inputs[0]] = place
            if len(node.inputs) == 1:
                found.append((place, -1))
        elif node.kind == GRAD:
            tensor = node.inputs[0]
            tensor_of.update(dict.fromkeys(folded.outputs[place], tensor))
            maker = max(backward, changed.get(tensor, -1))
            if not any(value in used for value in node.outputs):
                found.append((place, -1))
            elif maker > written.get(tensor, -1):
                found.append((place, maker))
        elif tensor_of:
            for value in folded.parts_of(written_values(node)):
                if value in tensor_of:
                    changed[tensor_of[value]] = place
    return found
