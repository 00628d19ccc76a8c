"""Copies of graphs, so that a pass can edit one and leave the other."""

from __future__ import annotations

from tracelab.graph.ir import Graph, Node, Value, map_values


def copy_graph(graph: Graph) -> Graph:
    """A graph of its own nodes and values; scopes, sources, targets and tensors are shared."""
    copied = Graph(graph.name)
    copied.root = graph.root
    copied.input_tree = graph.input_tree
    copied.warnings = list(graph.warnings)
    new: dict[Value, Value] = {}
    for value in graph.inputs:
        new[value] = Value(value.name, value.type, None, value.role, value.path)
    copied.inputs = [new[value] for value in graph.inputs]
    for node in graph.nodes:
        twin = Node(
            node.kind,
            node.target,
            map_values(node.args, new.__getitem__),
            map_values(node.kwargs, new.__getitem__) if node.kwargs else None,
            (),
            node.scope,
            node.source,
            dict(node.attributes) or None,
            node.overload,
        )
        for value in node.outputs:
            new[value] = Value(value.name, value.type, twin, value.role, value.path)
        twin.outputs = tuple(new[value] for value in node.outputs)
        copied.nodes.append(twin)
        if node is graph.failed:
            copied.failed = twin
    copied.outputs = [new[value] for value in graph.outputs]
    copied.state = {new[value]: tensor for value, tensor in graph.state.items() if value in new}
    return copied
