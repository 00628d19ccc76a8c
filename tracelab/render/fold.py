"""Folding: the nodes that people want to see, without the plumbing of lists and tuples.

TorchScript's IR takes the result of `x.chunk(2)` apart with a `prim::ListUnpack` node, and puts a returned
tuple together with `prim::TupleConstruct`. In a picture the parts are simply outputs: of the operator that
made the list, and of the graph.
"""

from __future__ import annotations

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT, CONSTRUCTS, UNPACKS


class Folded:
    """A graph as it is shown.

    `nodes` are those that stay, in order; `outputs[i]` what `nodes[i]` is shown to make; `index` finds the place
    of a node (a folded one has the place of the node it was folded into).
    """

    __slots__ = ("_parts", "constants", "index", "nodes", "outputs")

    def __init__(self, graph: Graph) -> None:
        self.nodes: list[Node] = []
        self.index: dict[Node, int] = {}
        self.constants: list[Value] = []
        self._parts: dict[Value, tuple[Value, ...]] = {}
        unpacked = {node.args[0]: node for node in graph.nodes if node.kind in UNPACKS and _unpacks_an_operator(node)}
        for node in graph.nodes:
            if node.kind == CONSTANT:
                self._fold_constant(node)
            elif node.kind in UNPACKS and node.args and unpacked.get(node.args[0]) is node:
                self._parts[node.args[0]] = node.outputs
                self.index[node] = self.index[node.args[0].node]
            elif node.kind in CONSTRUCTS and node is not graph.failed:
                self._parts[node.outputs[0]] = tuple(part for value in node.inputs for part in self.parts(value))
            else:
                self.index[node] = len(self.nodes)
                self.nodes.append(node)
        self.outputs = [self.parts_of(node.outputs) for node in self.nodes]

    def _fold_constant(self, node: Node) -> None:
        value = node.outputs[0]
        if value.is_tensor:
            self.constants.append(value)
        else:
            # `return x, None`: a None is nothing to look at.
            self._parts[value] = ()

    def parts(self, value: Value) -> tuple[Value, ...]:
        """The shown values that a value stands for: itself, or the members of a list or tuple."""
        parts = self._parts.get(value)
        return (value,) if parts is None else parts

    def parts_of(self, values: tuple[Value, ...] | list[Value]) -> list[Value]:
        """The same for several values, in order."""
        return [part for value in values for part in self.parts(value)]


def _unpacks_an_operator(node: Node) -> bool:
    whole = node.args[0] if node.args else None
    return (
        isinstance(whole, Value)
        and whole.role is Role.COMPUTED
        and whole.node is not None
        and whole.node.kind not in CONSTRUCTS
    )
