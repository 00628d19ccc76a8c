"""Which node writes into an input."""

from __future__ import annotations

from tracelab.graph.ir import Graph, Node, Value, mutated_arguments


def writer_of(graph: Graph, value: Value) -> Node | None:
    """The first node that writes into a value, or into a view of it; None where no operator does."""
    views = {value}
    for node in graph.nodes:
        if any(target in views for target in mutated_arguments(node)):
            return node
        schema = node.schema
        aliases = schema is not None and any(made.alias_info is not None for made in schema.returns)
        if aliases and any(used in views for used in node.inputs):
            views.update(node.outputs)
    return None
