"""Which outputs may be wrong for other inputs: what depends on each specialization."""

from __future__ import annotations

from collections.abc import Iterable

from tracelab.graph.aliasing import Aliasing, written_values
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.kinds import CONSTANT

# A value that became a Python constant has left the graph: all that ran afterwards may have used it.
_LEFT_THE_GRAPH = frozenset(
    {
        "bool",
        "int",
        "float",
        "complex",
        "item",
        "number",
        "index",
        "list",
        "numpy",
        "pickle",
        "storage",
        "iter",
        "contains",
    }
)


def taints(graph: Graph, outputs: Iterable[Value]) -> list[list[Value]]:
    """For each warning of the graph, those of `outputs` that depend on its constant.

    One walk for all warnings: every value carries a set of bits, one for each warning, and so does every
    storage that was written to.
    """
    found: list[list[Value]] = [[] for _ in graph.warnings]
    if not graph.warnings:
        return found
    memory = _Memory(graph)
    marks: dict[Value, int] = {}
    written: dict[Value, int] = {}
    starts: dict[int, int] = {}
    for bit, warning in enumerate(graph.warnings):
        if warning.kind in _LEFT_THE_GRAPH:
            starts[warning.position] = starts.get(warning.position, 0) | 1 << bit
        elif warning.value is not None:
            marks[warning.value] = marks.get(warning.value, 0) | 1 << bit
    begun = 0
    for position, node in enumerate(graph.nodes):
        begun |= starts.get(position, 0)
        mark = 0 if node.kind == CONSTANT else begun
        for value in node.inputs:
            mark |= marks.get(value, 0)
            if written:
                mark |= written.get(memory.family(value), 0)
        if mark:
            for value in node.outputs:
                marks[value] = marks.get(value, 0) | mark
            for value in written_values(node):
                family = memory.family(value)
                written[family] = written.get(family, 0) | mark
    for value in dict.fromkeys(outputs):
        mark = marks.get(value, 0) | (written.get(memory.family(value), 0) if written else 0)
        for bit, tainted in enumerate(found):
            if mark >> bit & 1:
                tainted.append(value)
    return found


class _Memory:
    """Which values share memory: found out where a graph writes to what depends on a warning, which few do."""

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.known: Aliasing | None = None

    def family(self, value: Value) -> Value:
        if self.known is None:
            self.known = Aliasing(self.graph)
        return self.known.family(value)
