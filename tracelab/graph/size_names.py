"""What the code calls a size as it takes a shape apart: `batch, length = ids.shape`."""

from __future__ import annotations

import ast
import functools
import re

from tracelab.graph.ir import Node, Value

_SIZE = "aten::size"
_NO_NAME = frozenset({"_", "__", "x", "self"})
_SHAPE = re.compile(
    r"[A-Za-z_][\w.]*\.(shape|size\(\)|size\((-?\d+)\)|shape\[(-?\d+)\]|shape\[:(-?\d+)\]|shape\[(-?\d+):\])"
)
"""All that a line may take the sizes from: arithmetic on them is not what the name stands for."""


def size_name(node: Node) -> str:
    """The name that the line of a `size` node gives to what it reads; empty where it gives none, or is another node.

    >>> def heads(x):
    ...     batch, length, width = x.shape
    ...     return x.view(batch * length, width)
    >>> graph, _ = tracelab.trace_graph(heads, torch.ones(2, 3, 4))
    >>> [size_name(node) for node in graph.nodes][:3]
    ['batch', 'length', 'width']
    """
    return dict(sizes_named(node)).get(node.args[1], "") if node.kind == _SIZE else ""


def sizes_named(node: Node) -> list[tuple[int, str]]:
    """The sizes that the line of a `size` node names, with their places: one line may name all of a shape."""
    if node.kind != _SIZE or node.source is None or len(node.args) != 2:
        return []
    given = node.args[0]
    if not isinstance(given, Value) or given.shape is None:
        return []
    rank = len(given.shape)
    return [(place, name) for place in range(rank) if (name := _name_at(node.source.text, place, rank))]


@functools.lru_cache(4096)
def _name_at(line: str, place: int, rank: int) -> str:
    try:
        statement = ast.parse(line.strip()).body[0]
    except (SyntaxError, IndexError, ValueError):
        return ""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return ""
    target, value = statement.targets[0], statement.value
    match = _SHAPE.fullmatch(ast.unparse(value)) if not isinstance(value, ast.Tuple) else None
    if match is None:
        return ""
    one = match[2] or match[3]
    named: list[ast.expr] = []
    if one is not None:
        named = [target] if int(one) % rank == place else []
    elif isinstance(target, ast.Tuple) and not any(isinstance(item, ast.Starred) for item in target.elts):
        first = int(match[5]) % rank if match[5] is not None else 0
        named = target.elts[place - first : place - first + 1] if place >= first else []
    name = named[0].id if named and isinstance(named[0], ast.Name) else ""
    return "" if name in _NO_NAME else name
