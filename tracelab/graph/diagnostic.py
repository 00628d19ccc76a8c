"""Warnings as data: every place where a traced size or value became a Python constant."""

from __future__ import annotations

from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from tracelab.graph.ir import Node, Value
from tracelab.graph.source import Source


class TracerWarning(Warning):
    """Something in the traced code may make the trace wrong for other inputs."""


@dataclass(slots=True)
class TraceWarning:
    """One place that the trace froze.

    `kind` is one of `bool`, `int`, `float`, `complex`, `list`, `numpy`, `iter`, `contains`, `number`, `index`,
    `constant`, `output`, `state`. `frozen` is the value that became a constant, as text; `value` is the traced
    value it was read from, `node` the node that made that value (None for an input).
    """

    kind: str
    message: str
    source: Source | None = None
    node: Node | None = None
    value: Value | None = None
    frozen: str = ""
    position: int = 0
    """How many nodes were recorded before it."""
    answer: str = ""
    """What a check found for it: `wrong for x negated`, `no counterexample in 32 tries`; empty where none was made."""
    names: dict[str, Any] = field(default_factory=dict, repr=False, compare=False)
    """What the names near the place stood for (`tracelab.capture.analysis.name_snapshot`); empty after loading."""
    text: str = field(default="", repr=False, compare=False)
    """The code near the place, as it was."""

    def node_among(self, nodes: Container[Node]) -> Node | None:
        """Its node, or where that is not among `nodes`, the nearest before it that is.

        Reads of sizes that only Python used are no nodes of the finished graph.
        """
        todo = [] if self.node is None else [self.node]
        seen = set(todo)
        for node in todo:
            if node in nodes:
                return node
            before = [value.node for value in node.inputs if value.node is not None and value.node not in seen]
            seen.update(before)
            todo += before
        return None

    def moved(self, nodes: Mapping[Node, Node], values: Mapping[Value, Value]) -> TraceWarning:
        """The same of a copied graph."""
        node = None if self.node is None else nodes.get(self.node, self.node)
        return replace(self, node=node, value=None if self.value is None else values.get(self.value, self.value))

    def __str__(self) -> str:
        place = f"{self.source.short_file}:{self.source.line}: " if self.source is not None else ""
        return f"{place}{self.message}"
