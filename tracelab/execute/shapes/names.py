"""Names of sizes: those that the code gives them as it takes a shape apart, else the input's own."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tracelab.execute.shapes.symbolic import Symbolic
from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node
from tracelab.graph.size_names import sizes_named


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
    for place, name in sizes_named(node):
        shape = found.shapes.get(node.args[0])
        if shape is not None:
            yield shape[place], name
