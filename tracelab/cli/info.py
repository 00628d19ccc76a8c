"""`tracelab info`: what a file holds, in a few lines or as JSON."""

from __future__ import annotations

import argparse
from typing import Any

from tracelab.cli.files import graph_of, opened
from tracelab.cli.terminal import say, say_json
from tracelab.graph.assumptions import shown
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.output_names import output_names
from tracelab.graph.source import short_place
from tracelab.graph.types import TensorType
from tracelab.render.text import summary_text
from tracelab.render.view_document.document import view_document


def run(options: argparse.Namespace) -> int:
    """Print it."""
    found = opened(options.file)
    graph = graph_of(found)
    if options.json:
        say_json(_data(found, graph))
        return 0
    say(summary_text(graph))
    if graph.assumptions:
        say("\n".join(["assumptions", *(f"  {item}" for item in graph.assumptions)]))
    return 0


def _data(found: Any, graph: Graph) -> dict[str, Any]:
    document = view_document(graph)
    counts = document["summary"]
    return {
        "name": graph.name,
        "kind": "graph" if isinstance(found, Graph) else "module" if hasattr(found, "original_name") else "function",
        "operators": counts["ops"],
        "parameters": counts["parameters"],
        "parameter_bytes": counts["parameter_bytes"],
        "inputs": [{"name": value.name, "type": _type(value)} for value in graph.user_inputs],
        "outputs": [{"name": value.name, "path": path, "type": _type(value)} for value, path in output_names(graph)],
        "warnings": [{"message": item.message, "line": short_place(item.source)} for item in graph.warnings],
        "assumptions": [
            {"kind": str(item.kind), "what": item.about, "value": shown(item.constant), "line": item.line}
            for item in graph.assumptions
        ],
    }


def _type(value: Value) -> str:
    return value.type.short if isinstance(value.type, TensorType) else value.type
