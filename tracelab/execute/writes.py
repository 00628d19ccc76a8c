"""Which values share memory in a graph, and which nodes write into it."""

from __future__ import annotations

from tracelab.graph.ir import Graph, Node, Value, collect_values, mutated_arguments
from tracelab.graph.passes.passes import storage_roots

_STATISTICS = {"aten::batch_norm": (3, 4, 5), "aten::instance_norm": (3, 4, 5)}
"""Operators that write into arguments although their schema does not say so: the two tensors, and the switch."""


class Writes:
    """The memory that each value shares, and the indices of the nodes that write into it."""

    __slots__ = ("_roots", "_writes")

    def __init__(self, graph: Graph) -> None:
        self._roots = storage_roots(graph)
        self._writes: dict[Value, list[int]] = {}
        for index, node in enumerate(graph.nodes):
            for value in written_values(node):
                self._writes.setdefault(self.root(value), []).append(index)

    def root(self, value: Value) -> Value:
        """The value whose memory this one shares: itself, or what it is a view of."""
        return self._roots.get(value, value)

    def written(self, value: Value, first: int, stop: int) -> bool:
        """Whether a node from `first` up to, not including, `stop` writes into the value's memory."""
        return any(first <= index < stop for index in self._writes.get(self.root(value), ()))

    @property
    def any(self) -> bool:
        return bool(self._writes)


def written_values(node: Node) -> tuple[Value, ...]:
    """The values whose memory a node changes, declared or not."""
    if node.schema is not None:
        found = list(mutated_arguments(node))
        if node.kind in _STATISTICS and len(node.args) > 5:
            mean, variance, training = (node.args[index] for index in _STATISTICS[node.kind])
            if training is not False:
                collect_values((mean, variance), found)
        return tuple(found)
    if node.kind == "prim::PythonOp":
        return node.inputs if node.attributes.get("inplace", True) else ()
    return node.inputs if node.kind in ("prim::CallFunction", "prim::CallMethod", "prim::set_data") else ()
