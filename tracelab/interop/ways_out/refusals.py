"""What cannot leave: one error, whose sentence names the node, its line and what to do."""

from __future__ import annotations

from tracelab.errors import TracelabError
from tracelab.graph.ir import Node
from tracelab.graph.source import short_place


class ExportError(TracelabError):
    """A trace that cannot be written as what was asked for; `node` is the one to blame, where it is one."""

    node: Node | None = None


def refused(what: str, node: Node | None, way_out: str) -> ExportError:
    """The error: `what` is a sentence's beginning that names the matter, `way_out` what to do."""
    error = ExportError(f"{what}{at(node)}: {way_out}")
    error.node = node
    return error


def named(node: Node) -> str:
    """`aten::nonzero (%index)`."""
    label = node.attributes.get("name")
    made = ", ".join(f"%{value.name}" for value in node.outputs)
    return f"{label if node.traits.opaque and label else node.kind}{f' ({made})' if made else ''}"


def at(node: Node | None) -> str:
    """` at net.py:12`; empty where there is no line."""
    place = short_place(node.source) if node is not None else ""
    return f" at {place}" if place else ""
