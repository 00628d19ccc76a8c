"""Names of sizes: those that the code gives them as it takes a shape apart, else the input's own."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator, Mapping
from typing import Any

from tracelab.execute.shapes.symbolic import Symbolic
from tracelab.graph.data import GraphData
from tracelab.graph.intrinsics import SIZE
from tracelab.graph.ir import Node, Value

_NO_NAME = frozenset({"_", "__", "x", "self"})


def size_names(graph: GraphData, found: Symbolic, dims: Mapping[str, tuple[str | None, ...]]) -> dict[Any, str]:
    """A name for each symbol: from `dims`, from the code, else `x.0`.

    `dims` gives the names of an input's sizes, by the name of the input; None leaves one to the code.
    """
    names: dict[Any, str] = {}
    taken: set[str] = set()

    def give(symbol: Any, name: str) -> None:
        if symbol in found.example and symbol not in names:
            base, number = name, 1
            while name in taken:
                number += 1
                name = f"{base}_{number}"
            taken.add(name)
            names[symbol] = name

    inputs = [value for value in graph.inputs if value in found.shapes]
    for value in inputs:
        for size, name in zip(found.shapes[value], dims.get(value.name, ()), strict=False):
            if name:
                give(size, name)
    for node in graph.nodes:
        for size, name in _told_by_code(node, found):
            give(size, name)
    for value in inputs:
        for place, size in enumerate(found.shapes[value]):
            give(size, f"{value.name}.{place}")
    return names


def _told_by_code(node: Node, found: Symbolic) -> Iterator[tuple[Any, str]]:
    """`batch, length = x.shape` and `batch = x.size(0)`: what a line calls the size that it reads."""
    if node.target is not SIZE.function or node.source is None or not isinstance(node.args[0], Value):
        return
    shape, place = found.shapes.get(node.args[0]), node.args[1]
    if shape is None or not isinstance(place, int) or not 0 <= place < len(shape):
        return
    name = _name_at(node.source.text, place, len(shape))
    if name:
        yield shape[place], name


_SHAPE = re.compile(r"(shape|size\(\)|size\((-?\d+)\)|shape\[(-?\d+)\]|shape\[:(-?\d+)\]|shape\[(-?\d+):\])$")


def _name_at(line: str, place: int, rank: int) -> str:
    """The name that a line of code gives the size at a place; empty where it gives none."""
    try:
        statement = ast.parse(line.strip()).body[0]
    except (SyntaxError, IndexError, ValueError):
        return ""
    if not isinstance(statement, ast.Assign) or len(statement.targets) != 1:
        return ""
    target, value = statement.targets[0], statement.value
    match = _SHAPE.search(ast.unparse(value)) if not isinstance(value, ast.Tuple) else None
    if match is None:
        return ""
    one = match[2] or match[3]
    if one is not None:
        named = [target] if int(one) % rank == place else []
    elif isinstance(target, ast.Tuple):
        first = int(match[5]) % rank if match[5] is not None else 0
        named = target.elts[place - first : place - first + 1] if place >= first else []
        if any(isinstance(item, ast.Starred) for item in target.elts):
            named = []
    else:
        named = []
    name = named[0].id if named and isinstance(named[0], ast.Name) else ""
    return "" if name in _NO_NAME else name
