"""What commands print: text, in a terminal, and JSON, for programs."""

from __future__ import annotations

import contextlib
import json
import math
import sys
import warnings
from collections.abc import Iterator
from typing import Any

from tracelab.graph.ir import Node
from tracelab.graph.source import short_place
from tracelab.graph.text.printable import escaped

_PYTHONS = warnings.showwarning
"""What shows warnings where nobody asked for something else."""


def say(text: str) -> None:
    """Print it without its control characters, by which a name in a file could write over what the terminal shows."""
    print(escaped(text))


def say_error(text: str) -> None:
    """The same for what goes wrong, beside what a program reads."""
    print(escaped(text), file=sys.stderr)


@contextlib.contextmanager
def warns_escaped() -> Iterator[None]:
    """Warnings are shown without control characters, too."""

    def show(
        message: Any, category: Any, filename: str, lineno: int, file: Any = None, line: str | None = None
    ) -> None:
        say_error(warnings.formatwarning(message, category, filename, lineno, line).rstrip("\n"))

    before = warnings.showwarning
    if before is _PYTHONS:
        warnings.showwarning = show
    try:
        yield
    finally:
        if warnings.showwarning is show:
            warnings.showwarning = before


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
