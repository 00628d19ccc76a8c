"""Diagnostics: every place where the trace is narrower than the code."""

from __future__ import annotations

import warnings
from collections.abc import Container, Mapping
from dataclasses import dataclass, field, replace
from types import FrameType
from typing import Any

from tracelab.graph.ir import Node, Value
from tracelab.graph.source import Source, short_place


class TracerWarning(Warning):
    """Something in the traced code may make the trace wrong for other inputs."""


def warn_at(frame: FrameType, message: str, category: type[Warning], file: str, line: int) -> None:
    """Give a Python warning at a line of the user's; `frame` is of the code that it is in."""
    space = frame.f_globals
    registry = space.setdefault("__warningregistry__", {})
    warnings.warn_explicit(message, category, file, line, module=space.get("__name__"), registry=registry)


@dataclass(slots=True)
class TraceDiagnostic:
    """One place on which the trace is specialized: a size or value became a Python constant there.

    `kind` is one of `bool`, `int`, `float`, `complex`, `list`, `numpy`, `iter`, `contains`, `number`, `index`,
    `constant`, `output`, `state`. `value` is the traced value that was read, `node` the node that made it (None for an
    input).
    """

    kind: str
    message: str
    source: Source | None = None
    node: Node | None = None
    value: Value | None = None
    constant: str = ""
    """The Python constant that it became, as text."""
    position: int = 0
    """How many nodes were recorded before it."""
    verdict: str = ""
    """What a check found for it: `wrong for x negated`, `no counterexample in 32 examples`; empty before a check."""
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

    def moved(self, nodes: Mapping[Node, Node], values: Mapping[Value, Value]) -> TraceDiagnostic:
        """The same of a copied graph."""
        node = None if self.node is None else nodes.get(self.node, self.node)
        return replace(self, node=node, value=None if self.value is None else values.get(self.value, self.value))

    def __str__(self) -> str:
        place = f"{short_place(self.source)}: " if self.source is not None else ""
        return f"{place}{self.message}"
