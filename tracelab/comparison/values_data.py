"""What a comparison of two runs holds; `Comparison` adds how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

from tracelab.comparison.align.alignment import Alignment
from tracelab.comparison.metrics import Distance
from tracelab.execute.run.run import RunError
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT


@dataclass(frozen=True, slots=True)
class ComparedValue:
    """One value of `a` and its partner of `b`: how far apart, or why that cannot be told.

    `differs` is empty where they agree within the tolerance, else `values`, or words on shape or kind.
    """

    a: Value
    b: Value
    distance: Distance | None
    differs: str

    @property
    def node(self) -> Node:
        """The node of `a` that made it."""
        assert self.a.node is not None
        return self.a.node


@dataclass(slots=True)
class ComparisonData:
    """Two runs on the same inputs: a row per value that both have.

    `by_order` says that the operators of the two have other names, and were paired by order, shapes and values.
    """

    alignment: Alignment
    names: tuple[str, str]
    rows: list[ComparedValue] = field(default_factory=list)
    failed: RunError | None = None
    cancelled: bool = False
    by_order: bool = False

    @property
    def first_divergent(self) -> Node | None:
        """The first node of `a`, in the order in which it ran, whose value differs; None where all agree."""
        return next((row.node for row in self.rows if row.differs), None)

    @property
    def only_a(self) -> list[Node]:
        """Nodes of `a` that `b` has not."""
        return _shown(self.alignment.removed)

    @property
    def only_b(self) -> list[Node]:
        """Nodes of `b` that `a` has not."""
        return _shown(self.alignment.added)

    def __bool__(self) -> bool:
        return self.failed is None and not self.cancelled and not any(row.differs for row in self.rows)


def _shown(nodes: list[Node]) -> list[Node]:
    return [node for node in nodes if node.kind != CONSTANT]
