"""What commands print: text, in a terminal, and JSON, for programs."""

from __future__ import annotations

import json
import math
from typing import Any

from tracelab.graph.ir import Node
from tracelab.graph.source import short_place
from tracelab.graph.text.printable import escaped


def say(text: str) -> None:
    """Print it without its control characters, by which a name in a file could write over what the terminal shows."""
    print(escaped(text))


def say_json(data: Any) -> None:
    """Print it as JSON, in which `"nan"`, `"inf"` and `"-inf"` stand for what is no number there."""
    print(json.dumps(_strict(data), indent=2, allow_nan=False))


def _strict(item: Any) -> Any:
    if isinstance(item, dict):
        return {key: _strict(part) for key, part in item.items()}
    if isinstance(item, (list, tuple)):
        return [_strict(part) for part in item]
    return str(item) if isinstance(item, float) and not math.isfinite(item) else item


def node_data(node: Node) -> dict[str, str]:
    """What a node is, where it ran and where it stands."""
    return {
        "name": node_name(node),
        "operator": node.kind,
        "module": node.scope.path if node.scope is not None else "",
        "line": short_place(node.source),
    }


def node_name(node: Node) -> str:
    """The name of the first value that a node makes; nothing where it makes none."""
    return node.outputs[0].name if node.outputs else ""
