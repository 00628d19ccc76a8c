"""`tracelab diff`: what is different between two files."""

from __future__ import annotations

import argparse
import json
from typing import Any

from tracelab.cli.files import opened
from tracelab.cli.terminal import say
from tracelab.comparison.diff import GraphDiff, diff
from tracelab.graph.ir import Node
from tracelab.graph.source import short_place


def run(options: argparse.Namespace) -> int:
    """Print the differences; the status says whether there are any."""
    found = diff(opened(options.a), opened(options.b))
    if options.json:
        methods = {"": found} if isinstance(found, GraphDiff) else dict(found)
        data = {name: _data(each) for name, each in methods.items()}
        print(json.dumps(data[""] if isinstance(found, GraphDiff) else data, indent=2))
    else:
        say(str(found))
    return 1 if found else 0


def _data(found: GraphDiff) -> dict[str, Any]:
    return {
        "added": [_node(node) for node in found.added],
        "removed": [_node(node) for node in found.removed],
        "changed": [
            {"before": _node(before), "after": _node(after), "changes": [change.label for change in changes]}
            for before, after, changes in found.changed
        ],
    }


def _node(node: Node) -> dict[str, str]:
    return {
        "operator": node.kind,
        "module": node.scope.path if node.scope is not None else "",
        "line": short_place(node.source),
    }
