"""Graphs in short, for assertions that read well."""

from __future__ import annotations

import re
from typing import Any


def short(graph: Any) -> str:
    """The printed graph without places, and with tensor types as `Float(2, 3)`."""
    text = re.sub(r" # \S+:\d+:\d+$", "", str(graph), flags=re.MULTILINE)
    text = re.sub(r"(, strides=\[[^]]*\])?,? ?requires_grad=[01], device=cpu", "", text)
    return text


def kinds(graph: Any) -> list[str]:
    """What each node is, in order, without the namespace."""
    return [node.name for node in graph.nodes]
