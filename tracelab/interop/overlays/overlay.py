"""`Overlay`: a number for each node of a graph, with what it comes to in each module."""

from __future__ import annotations

import json
import math
import os
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from tracelab.execute.run.lookup import Key, find_node
from tracelab.execute.run.run_html import time_by_module
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope
from tracelab.graph.text.html import Cell, block, heading, line, module_cell, table, value_cell
from tracelab.graph.types import counted, time_text
from tracelab.libraries import needed_library
from tracelab.storage.whole_file import whole_file

_MOST_ROWS = 24


@dataclass(slots=True)
class Overlay:
    """A number for each node of a graph, as a file or a package gives it.

    `overlay["layer1"]` is the sum of a module, `overlay["relu"]` the number of a node. `print` shows the largest; an
    explorer colours its picture by it: `explorer.overlay("time", overlay)`.

    Attributes:
        name: What it is called.
        graph: The graph on whose nodes it lies.
        values: The number of each node; nodes that the file says nothing of are not in it.
        unit: `s` for seconds, else what the file says.
        columns: More numbers of the nodes, by what they are.
        note: How it was matched, in one sentence.

    >>> traced = tracelab.trace(torch.relu, torch.ones(2))
    >>> tracelab.Overlay("score", traced.graph, {traced.graph.nodes[0]: 0.5})["relu"]
    0.5
    """

    name: str
    graph: Graph
    values: dict[Node, float]
    unit: str = ""
    columns: dict[str, dict[Node, float]] = field(default_factory=dict)
    note: str = ""

    def __getitem__(self, key: Key) -> float:
        """The sum of a module, by its path, or the number of a node; NaN where the file says nothing of it."""
        if isinstance(key, str) and key:
            inside = [
                number
                for node, number in self.values.items()
                if node.scope is not None and (node.scope.path == key or node.scope.path.startswith(f"{key}."))
            ]
            if inside:
                return math.fsum(inside)
        return self.values.get(self.graph.nodes[find_node(self.graph, key)], math.nan)

    @property
    def modules(self) -> dict[Scope, float]:
        """The sum of each module call with all that ran in it, parents first."""
        sums: dict[Scope, list[float]] = {}
        for node, number in self.values.items():
            scope = node.scope or self.graph.root
            while scope is not None:
                sums.setdefault(scope, []).append(number)
                scope = scope.parent  # type: ignore[assignment]
        return {scope: math.fsum(sums[scope]) for scope in self.graph.scopes() if scope in sums}

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per node that has a number: value, module, operator, number, more columns."""
        pandas = needed_library("pandas", "to_pandas")
        rows = [
            {
                "value": node_name(node),
                "module": node.scope.path if node.scope is not None else "",
                "operator": node.kind,
                self.name: self.values[node],
                **{name: numbers.get(node) for name, numbers in self.columns.items()},
            }
            for node in self._ordered()
        ]
        return pandas.DataFrame(rows)

    def to_node_data(self, path: str | os.PathLike[str] | None = None) -> str | None:
        """Model Explorer's node data: a JSON file with the number of each node, under the name of what it makes.

        Names are those of the nodes of `traced.to_fx()` (`linear_1`).

        Args:
            path: Where to write it; without one the text is returned.

        Returns:
            The text, or None where it was written to a file.

        >>> traced = tracelab.trace(torch.relu, torch.ones(2))
        >>> tracelab.Overlay("score", traced.graph, {traced.graph.nodes[0]: 0.5}).to_node_data()
        '{"main": {"results": {"relu": {"value": 0.5}}}}'
        """
        names = fx_names(self.graph)
        results = {names[node]: {"value": self.values[node]} for node in self._ordered() if node in names}
        finite = {name: row for name, row in results.items() if math.isfinite(row["value"])}
        text = json.dumps({"main": {"results": finite}})
        if path is None:
            return text
        with whole_file(path) as file:
            file.write(text.encode())
        return None

    def _ordered(self) -> list[Node]:
        return [node for node in self.graph.nodes if node in self.values]

    def _largest(self) -> list[Node]:
        return sorted(self._ordered(), key=lambda node: -self.values[node])[:_MOST_ROWS]

    def _text_of(self, number: float) -> str:
        return time_text(number) if self.unit == "s" else f"{number:.6g} {self.unit}".rstrip()

    def _facts(self) -> str:
        parts = [f"{counted(len(self.values), 'node')} of {len(self.graph.nodes):,}"]
        if self.unit == "s":
            parts.append(time_text(math.fsum(self.values.values())))
        return ", ".join(parts)

    def __str__(self) -> str:
        return "\n".join(self._lines())

    def _lines(self) -> Iterator[str]:
        yield f"{self.name}: {self._facts()}"
        if self.note:
            yield self.note
        rows = [
            (
                f"%{node_name(node)}",
                node.kind,
                node.scope.path if node.scope is not None else "",
                self._text_of(self.values[node]),
            )
            for node in self._largest()
        ]
        widths = [max((len(row[column]) for row in rows), default=0) for column in range(4)]
        for row in rows:
            words = [f"{cell:<{width}}" for cell, width in zip(row[:3], widths, strict=False)]
            yield ("  " + "  ".join([*words, f"{row[3]:>{widths[3]}}"])).rstrip()
        if len(self.values) > len(rows):
            yield f"  … {len(self.values) - len(rows)} more"

    def __repr__(self) -> str:
        return f"Overlay({self.name}, {self._facts()})"

    def _repr_mimebundle_(self, include: Any = None, exclude: Any = None) -> dict[str, str]:
        return {"text/plain": str(self), "text/html": block(self._html())}

    def _html(self) -> Iterator[str]:
        yield heading(self.name, self._facts())
        if self.note:
            yield line(self.note)
        if self.unit == "s":
            yield time_by_module([(node.scope, self.values[node]) for node in self._ordered()])
        rows = self._largest()
        most = max((self.values[node] for node in rows), default=0.0)
        cells = [
            [
                value_cell(node_name(node)),
                Cell(node.kind, code=True),
                module_cell(node.scope.path if node.scope is not None else ""),
                Cell(self._text_of(self.values[node]), share=self.values[node] / most if most > 0 else 0.0),
            ]
            for node in rows
        ]
        yield table("the largest", ["value", "operator", "module", self.name], cells, numbers=1)


def node_name(node: Node) -> str:
    """The name of the first value that a node makes; nothing where it makes none."""
    return node.outputs[0].name if node.outputs else ""


def fx_names(graph: Graph) -> dict[Node, str]:
    """What `to_fx` calls the nodes that make values: `linear_1` of `linear.1`, unless another node is called so."""
    taken = {value.name for value in graph.values()}
    names: dict[Node, str] = {}
    for node in graph.nodes:
        if node.outputs:
            plain = re.sub(r"\W", "_", node_name(node))
            names[node] = node_name(node) if plain in taken else plain
            taken.add(plain)
    return names


def by_node(graph: Graph, numbers: Mapping[Key, float]) -> dict[Node, float]:
    """Numbers by node, from numbers by whatever names a node."""
    return {graph.nodes[find_node(graph, key)]: float(number) for key, number in numbers.items()}
