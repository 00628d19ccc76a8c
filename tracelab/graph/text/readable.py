"""A graph as a person reads it: lines of Python with types and places, and a table of nodes."""

from __future__ import annotations

from collections.abc import Sequence

from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node, Value
from tracelab.graph.source import short_place
from tracelab.graph.text.arguments import given_arguments, text_of
from tracelab.graph.types import TensorType

_WIDEST = 60
"""Characters of one column of the table; what is longer ends in an ellipsis."""


def readable_text(graph: GraphData) -> str:
    """The graph as lines of Python, with types, modules and source lines in comments.

    >>> graph, _ = tracelab.trace_graph(lambda x: x.relu() + 1, torch.ones(2))
    >>> print(readable_text(graph))  # doctest: +ELLIPSIS
    def forward(x: "float32[2]"):
        relu: "float32[2]" = aten.relu(x)  # ...
        add: "float32[2]" = aten.add.Tensor(relu, 1)  # ...
        return add
    """
    parameters = ", ".join(f'{value.name}: "{short_type(value)}"' for value in graph.inputs)
    lines = [f"def {_identifier(graph.name)}({parameters}):"]
    for node in graph.nodes:
        made = ", ".join(f'{value.name}: "{short_type(value)}"' for value in node.outputs)
        where = place(node)
        lines.append(f"    {f'{made} = ' if made else ''}{call_text(node)}{f'  # {where}' if where else ''}")
    if graph.failed is not None:
        lines.append(f"    raise  # in {graph.failed.kind}")
    else:
        lines.append(f"    return {', '.join(value.name for value in graph.outputs) or 'None'}")
    return "\n".join(lines)


def table_text(graph: GraphData) -> str:
    """One line a node: operator, outputs, types, arguments, module, place."""
    rows = [("operator", "output", "type", "arguments", "module", "source")]
    rows += [("input", value.name, short_type(value), "", value.path.rpartition(".")[0], "") for value in graph.inputs]
    for node in graph.nodes:
        rows.append(
            (
                _operator(node),
                ", ".join(value.name for value in node.outputs),
                ", ".join(map(short_type, node.outputs)),
                _arguments(node),
                node.scope.path if node.scope is not None else "",
                short_place(node.source),
            )
        )
    rows += [("output", value.name, short_type(value), "", "", "") for value in graph.outputs]
    return columns_text(rows)


def columns_text(rows: Sequence[tuple[str, ...]]) -> str:
    """Rows of cells, the first of which is the header, in columns that are as wide as they need."""
    cut = [[cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…" for cell in row] for row in rows]
    widths = [max(len(row[column]) for row in cut) for column in range(len(rows[0]))]
    lines = ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in cut]
    lines.insert(1, "  ".join("-" * width for width in widths))
    return "\n".join(lines)


def call_text(node: Node) -> str:
    """`aten.add.Tensor(h, 1)`"""
    return f"{_operator(node)}({_arguments(node)})"


def place(node: Node) -> str:
    """`fc1 · net.py:12`, as far as both are known."""
    parts = [node.scope.path] if node.scope is not None and node.scope.path else []
    if node.source is not None:
        parts.append(short_place(node.source))
    return " · ".join(parts)


def short_type(value: Value) -> str:
    """`float32[2, 3]`, or the word for what is not a tensor."""
    return value.type.short if isinstance(value.type, TensorType) else value.type


def _operator(node: Node) -> str:
    name = node.kind.replace("::", ".")
    if "name" in node.attributes and node.traits.opaque:
        name = str(node.attributes["name"])
    return f"{name}.{node.overload}" if node.overload else name


def _arguments(node: Node) -> str:
    keywords = node.kwargs or {}
    parts = [
        f"{name}={text_of(item, '')}" if name in keywords and keywords[name] is item else text_of(item, "")
        for name, item in given_arguments(node)
    ]
    return ", ".join(parts)


def _identifier(name: str) -> str:
    return name if name.isidentifier() else "forward"
