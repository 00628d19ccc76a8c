"""`tracelab diff`: what is different between two files."""

from __future__ import annotations

import argparse
from typing import Any

from tracelab.cli.files import opened
from tracelab.cli.terminal import node_data, say, say_json
from tracelab.comparison.diff import GraphDiff, diff


def run(options: argparse.Namespace) -> int:
    """Print the differences; the status says whether there are any."""
    found = diff(opened(options.a), opened(options.b))
    if options.json:
        methods = {"": found} if isinstance(found, GraphDiff) else dict(found)
        data = {name: _data(each) for name, each in methods.items()}
        say_json(data[""] if isinstance(found, GraphDiff) else data)
    else:
        say(str(found))
    return 1 if found else 0


def _data(found: GraphDiff) -> dict[str, Any]:
    return {
        "added": [node_data(node) for node in found.added],
        "removed": [node_data(node) for node in found.removed],
        "changed": [
            {"before": node_data(before), "after": node_data(after), "changes": [change.label for change in changes]}
            for before, after, changes in found.changed
        ],
    }
