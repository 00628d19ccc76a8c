"""What stands between the operators of a graph and computes nothing: modes, contexts, reads and writes of gradients."""

from __future__ import annotations

from tracelab.graph.aliasing import written_values
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import GRAD, SET_GRAD, TABLE, Group
from tracelab.render.fold import Folded
from tracelab.render.view_document.training import is_backward

_MOST_BACKWARDS = 8
_MOST_OPERATORS = 5000
"""Beyond, the last `backward` is taken for what made a gradient."""
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
    backwards = _Backwards()
    written: dict[Value, int] = {}
    changed: dict[Value, int] = {}
    """The last operators that changed the gradients of tensors in place."""
    tensor_of: dict[Value, Value] = {}
    for place, node in enumerate(folded.nodes):
        if is_backward(node):
            backwards.add(place, node)
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
            maker = max(backwards.of(tensor, written.get(tensor, -1)), changed.get(tensor, -1))
            if not any(value in used for value in node.outputs):
                found.append((place, -1))
            elif maker > written.get(tensor, -1):
                found.append((place, maker))
        elif tensor_of:
            for value in folded.parts_of(written_values(node)):
                if value in tensor_of:
                    changed[tensor_of[value]] = place
    return found


class _Backwards:
    """The calls of `backward` so far, in order."""

    def __init__(self) -> None:
        self._found: list[tuple[int, Node]] = []
        self._reached: dict[int, set[Value] | None] = {}

    def add(self, place: int, node: Node) -> None:
        """One more."""
        self._found.append((place, node))

    def of(self, tensor: Value, since: int) -> int:
        """The last since then that made a gradient of a tensor: its loss depends on the tensor. -1 where none ran."""
        if not self._found:
            return -1
        last = self._found[-1][0]
        since_then = [item for item in self._found[-_MOST_BACKWARDS:] if item[0] > since]
        if len(since_then) > 1:
            for place, node in reversed(since_then):
                if place not in self._reached:
                    self._reached[place] = _depends_on(node)
                reached = self._reached[place]
                if reached is None or tensor in reached:
                    return place if reached is not None else last
        return last


def _depends_on(node: Node) -> set[Value] | None:
    """What a node depends on, as gradients flow; None where that are too many operators to look at."""
    reached: set[Value] = set()
    pending, looked_at = list(node.inputs), 0
    while pending:
        value = pending.pop()
        if value in reached:
            continue
        reached.add(value)
        if value.node is None or value.node.name == "detach":
            continue
        looked_at += 1
        if looked_at > _MOST_OPERATORS:
            return None
        pending += value.node.inputs
    return reached
