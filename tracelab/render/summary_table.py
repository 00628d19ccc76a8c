"""A table of modules: operators, parameters and output shapes of each, as a person reads a network."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value
from tracelab.graph.output_names import output_names
from tracelab.graph.scope import Scope
from tracelab.graph.text.html import Cell, block, line, table
from tracelab.graph.types import TensorType, bytes_text, counted
from tracelab.render.view_document.asides import READS

_MOST_ROWS = 40
_REPEATED = 4
"""So many equal modules in a row become one line."""
_WIDEST = 48
_MOST_PARTS = 6


@dataclass(slots=True)
class _Row:
    """One call of a module, or the whole."""

    scope: Scope
    depth: int
    operators: int = 0
    asked: int = 0
    """How many of them ask a tensor for its size, dtype or device: the first of several blocks may ask for all."""
    parameters: dict[Value, int] = field(default_factory=dict)
    output: str = ""
    children: list[_Row] = field(default_factory=list)

    def shape(self) -> tuple[object, ...]:
        """What is the same for modules that are built alike."""
        sizes = tuple(sorted(self.parameters.values()))
        kind = (self.scope.class_name, self.operators - self.asked, sizes, self.output)
        return (*kind, *(child.shape() for child in self.children))


class Summary(str):
    """A summary: a text, which a notebook shows as a table.

    >>> tracelab.trace(torch.nn.ReLU(), torch.ones(2)).summary()
    module  class  operators  parameters  output
    ------  -----  ---------  ----------  ----------
    ReLU    ReLU           1              float32[2]
    1 operator
    """

    __slots__ = ("lines", "rows")

    rows: list[tuple[str, ...]]
    """The cells of the table, without its head."""
    lines: list[str]
    """What stands below it."""

    def __new__(cls, rows: list[tuple[str, ...]], lines: list[str]) -> Summary:
        found = super().__new__(cls, "\n".join([*_text(rows), *lines]))
        found.rows, found.lines = rows, lines
        return found

    def __getnewargs__(self) -> Any:
        return self.rows, self.lines

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        return block([table("modules", _HEAD, map(_cells, self.rows)), *map(line, self.lines)])


_HEAD = ("module", "class", "operators", "parameters", "output")


def _cells(row: tuple[str, ...]) -> list[Cell]:
    name = row[0].lstrip()
    first = Cell(name, code=True, depth=(len(row[0]) - len(name)) // 2)
    return [first, *(Cell(cell, code=at in (0, 3)) for at, cell in enumerate(row[1:]))]


def _text(rows: list[tuple[str, ...]]) -> list[str]:
    cut = [[cell if len(cell) <= _WIDEST else cell[: _WIDEST - 1] + "…" for cell in row] for row in (_HEAD, *rows)]
    widths = [max(len(row[column]) for row in cut) for column in range(5)]
    text = [
        "  ".join(_aligned(cell, width, column) for column, (cell, width) in enumerate(zip(row, widths, strict=True)))
        for row in cut
    ]
    text.insert(1, "  ".join("-" * width for width in widths))
    return [words.rstrip() for words in text]


def summary_table(graph: Graph, depth: int | None = None, recording: str = "") -> Summary:
    """The table of a graph.

    Args:
        graph: What was recorded.
        depth: How many levels of modules to show; None for as many as fit a screen.
        recording: Which of several recordings it is, in words; empty where there is one.

    Returns:
        The text: a header, one line per module call, and a line of totals. Sizes are in elements, memory in bytes.

    >>> graph, _ = tracelab.trace_graph(torch.nn.Linear(4, 3), torch.ones(2, 4))
    >>> print(summary_table(graph))
    module  class   operators  parameters  output
    ------  ------  ---------  ----------  -------------
    Linear  Linear          1          15  float32[2, 3]
    1 operator, 15 parameters (60 B)
    """
    root = _rows(graph)
    if depth is not None:
        lines = _lines(root, depth)
    else:
        lines = _lines(root, 0)
        for deeper in range(1, 50):
            more = _lines(root, deeper)
            if len(more) > _MOST_ROWS or len(more) == len(lines):
                break
            lines = more
    named = [recording] if recording else []
    return Summary(list(lines), [_totals(graph, root), *_returned(graph), *named])


def _returned(graph: Graph) -> list[str]:
    """The parts of a result that have names of their own."""
    found = [(value, name) for value, name in output_names(graph) if name]
    if not found:
        return []
    parts = [f"{name} {getattr(value.type, 'short', value.type)}" for value, name in found]
    more = [f"{len(parts) - _MOST_PARTS} more"] if len(parts) > _MOST_PARTS else []
    return ["returns " + ", ".join([*parts[:_MOST_PARTS], *more])]


def _aligned(cell: str, width: int, column: int) -> str:
    return cell.rjust(width) if column in (2, 3) else cell.ljust(width)


def _rows(graph: Graph) -> _Row:
    rows: dict[Scope, _Row] = {}
    root = rows[graph.root] = _Row(graph.root, 0)
    for scope in graph.scopes()[1:]:
        above = rows[scope.parent or graph.root]
        rows[scope] = _Row(scope, above.depth + 1)
        above.children.append(rows[scope])
    for node in graph.nodes:
        if node.traits.structure:
            continue
        used = {value: _elements(value) for value in node.inputs if value.role is Role.PARAMETER}
        made = next((value.type.short for value in node.outputs if isinstance(value.type, TensorType)), "")
        inside: Scope | None = node.scope or graph.root
        while inside is not None:
            row = rows[inside]
            row.operators += not node.traits.region
            row.asked += node.kind in READS
            row.parameters.update(used)
            row.output = made or row.output
            inside = inside.parent
    _drop_empty(root)
    shown = [value.type.short for value in graph.outputs if isinstance(value.type, TensorType)]
    root.output = shown[0] if shown else root.output
    return root


def _drop_empty(row: _Row) -> None:
    """Modules in which nothing ran (an `nn.Identity`) are left out."""
    row.children = [child for child in row.children if child.operators]
    for child in row.children:
        _drop_empty(child)


def _elements(value: Value) -> int:
    count = 1
    for extent in value.shape or ():
        count *= max(extent, 0)
    return count


def _lines(row: _Row, depth: int) -> list[tuple[str, str, str, str, str]]:
    scope = row.scope
    name = f"{scope.last_name}{f' (call {scope.call + 1})' if scope.call else ''}"
    lines = [_line("  " * row.depth + name, row, 1)]
    if row.depth >= depth:
        return lines
    for run in _runs(row.children):
        if len(run) < _REPEATED:
            for child in run:
                lines += _lines(child, depth)
            continue
        first, last = run[0], run[-1]
        label = f"{'  ' * first.depth}{first.scope.last_name} … {last.scope.last_name} ({len(run)} ×)"
        lines.append(_line(label, last, len(run)))
        # What is in one of them stands for all.
        lines += _lines(last, depth)[1:]
    return lines


def _line(name: str, row: _Row, times: int) -> tuple[str, str, str, str, str]:
    each = " each" if times > 1 else ""
    parameters = sum(row.parameters.values())
    return (
        name,
        row.scope.class_name,
        f"{row.operators:,}{each}",
        f"{parameters:,}{each}" if parameters else "",
        row.output,
    )


def _runs(rows: list[_Row]) -> list[list[_Row]]:
    found: list[list[_Row]] = []
    previous = None
    for row in rows:
        shape = row.shape()
        if shape == previous:
            found[-1].append(row)
        else:
            found.append([row])
        previous = shape
    return found


def _totals(graph: Graph, root: _Row) -> str:
    size = sum(
        count * value.type.dtype.itemsize
        for value, count in root.parameters.items()
        if isinstance(value.type, TensorType)
    )
    parts = [counted(root.operators, "operator")]
    if root.parameters:
        parts.append(f"{counted(sum(root.parameters.values()), 'parameter')} ({bytes_text(size)})")
    if graph.assumptions:
        parts.append(counted(len(graph.assumptions), "assumption"))
    if graph.warnings:
        parts.append(counted(len(graph.warnings), "warning"))
    if graph.failed is not None:
        parts.append(f"failed at {graph.failed.kind}")
    return ", ".join(parts)
