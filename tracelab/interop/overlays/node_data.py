"""Model Explorer's node data: a number for each node, by its name."""

from __future__ import annotations

import math
from typing import Any

from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.types import counted
from tracelab.interop.overlays.overlay import Overlay, fx_names


def results_of(data: Any) -> dict[str, Any] | None:
    """The results by node, where the JSON is node data: of its only graph, or without a graph's name around them."""
    if not isinstance(data, dict):
        return None
    if isinstance(data.get("results"), dict):
        return dict(data["results"])
    graphs = [item for item in data.values() if isinstance(item, dict) and isinstance(item.get("results"), dict)]
    if not graphs or len(graphs) != len(data):
        return None
    if len(graphs) > 1:
        names = ", ".join(repr(str(name)[:40]) for name in list(data)[:4])
        raise TracelabFileError(f"the file has node data of {len(graphs)} graphs ({names}), and one is needed")
    return dict(graphs[0]["results"])


def node_data_overlay(results: dict[str, Any], graph: Graph, name: str) -> Overlay:
    """The numbers of node data on the nodes that make values of those names.

    Raises:
        TracelabFileError: A number is none, or the graph has none of the names.
    """
    nodes: dict[str, Node] = {name: node for node, name in fx_names(graph).items()}
    nodes.update({value.name: node for node in graph.nodes for value in node.outputs})
    values: dict[Node, float] = {}
    missing = []
    for key, row in results.items():
        number = row.get("value") if isinstance(row, dict) else row
        if number is None or isinstance(number, str):
            # Node data may be words or colours only.
            continue
        if isinstance(number, bool) or not isinstance(number, (int, float)):
            raise TracelabFileError(f"the value of {key[:60]!r} in the node data is no number")
        node = nodes.get(key) or nodes.get(key.removeprefix("%"))
        if node is None:
            missing.append(key)
            continue
        try:
            values[node] = float(number)
        except OverflowError:
            values[node] = math.inf
    if not values:
        asked = f", such as {missing[0][:60]!r}" if missing else ""
        raise TracelabFileError(f"the node data has no number for a value of this graph{asked}")
    note = f"the graph lacks {counted(len(missing), 'name')} of the file" if missing else ""
    return Overlay(name, graph, values, note=note)
