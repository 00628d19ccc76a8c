"""What commands print of a file: its text, in a terminal, and its nodes, as JSON."""

from __future__ import annotations

from tracelab.graph.ir import Node
from tracelab.graph.source import short_place
from tracelab.graph.text.printable import escaped


def say(text: str) -> None:
    """Print it without its control characters, by which a name in a file could write over what the terminal shows."""
    print(escaped(text))


def node_data(node: Node) -> dict[str, str]:
    """What a node is, where it ran and where it stands."""
    return {
        "operator": node.kind,
        "module": node.scope.path if node.scope is not None else "",
        "line": short_place(node.source),
    }
