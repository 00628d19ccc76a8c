"""Numbers of nodes as rows of a document."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.protocol.view_document import Overlay
from tracelab.render.fold import Folded
from tracelab.render.view_document.document import encodable

Numbers = Mapping[Node, float]


def overlays_of(graph: Graph, overlays: Mapping[str, Numbers]) -> list[Overlay]:
    """What a document of the graph has as `overlays`: the numbers by name, one for each node that is shown."""
    nodes = Folded(graph).nodes
    return [{"name": encodable(name), "values": overlay_rows(nodes, numbers)} for name, numbers in overlays.items()]


def overlay_rows(nodes: Sequence[Node], numbers: Numbers) -> list[float | str | None]:
    """One number for each node; text for what JSON has no number for."""
    return [_number(numbers.get(node)) for node in nodes]


def _number(value: float | None) -> float | str | None:
    if value is None or math.isfinite(value):
        return value
    return "nan" if math.isnan(value) else "inf" if value > 0 else "-inf"
