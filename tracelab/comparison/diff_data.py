"""What a difference of two graphs holds; `GraphDiff` adds how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracelab.comparison.align.alignment import Alignment
from tracelab.comparison.changes import Change, ChangedNode, ChangedValue
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope


@dataclass(slots=True)
class DiffData:
    """What is different between two graphs; false where nothing is."""

    alignment: Alignment
    added: list[Node] = field(default_factory=list)
    removed: list[Node] = field(default_factory=list)
    changed: list[ChangedNode] = field(default_factory=list)
    rewired: list[ChangedNode] = field(default_factory=list)
    moved: list[tuple[Node, Node] | tuple[Scope, Scope]] = field(default_factory=list)
    renamed: list[tuple[Scope, Scope]] = field(default_factory=list)
    inputs: list[ChangedValue] = field(default_factory=list)
    outputs: list[Change] = field(default_factory=list)
    overlays: dict[str, dict[Node, float]] = field(default_factory=dict)
    """Numbers for nodes of either graph, by the name that the explorer shows: what `compare` measured."""

    @property
    def a(self) -> Graph:
        """The first graph."""
        return self.alignment.a

    @property
    def b(self) -> Graph:
        """The second graph."""
        return self.alignment.b

    def __bool__(self) -> bool:
        found = (self.added, self.removed, self.changed, self.moved, self.renamed, self.inputs, self.outputs)
        return any(found)

    @property
    def nothing_in_common(self) -> bool:
        """Whether not one node of one graph is in the other."""
        return not self.alignment.pairs and bool(self.added or self.removed)
