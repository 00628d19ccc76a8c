"""A comparison as text that fits a screen."""

from __future__ import annotations

from collections.abc import Iterator

from tracelab.comparison.values_data import ComparedValue, ComparisonData
from tracelab.execute.run.lookup import place
from tracelab.graph.types import counted

_MOST_ROWS = 24
_BEFORE, _AFTER = 2, 8
COLUMNS = ("max abs", "max rel", "cosine", "ulp")


def comparison_text(comparison: ComparisonData) -> str:
    """What was found, the first node that differs, and a table; of a long one its start of trouble and its worst."""
    return "\n".join(_lines(comparison))


def _lines(comparison: ComparisonData) -> Iterator[str]:
    rows = comparison.rows
    differing = [row for row in rows if row.differs]
    mine, theirs = comparison.names
    yield f"{mine} and {theirs}: {verdict(len(differing), len(rows))}"
    yield from facts(comparison)
    yield from _table(rows)


def facts(comparison: ComparisonData) -> Iterator[str]:
    """What is to say beside the table: where they part first, what only one has, and what was not compared."""
    mine, theirs = comparison.names
    if comparison.first_divergent is not None:
        yield f"first at {place(comparison.first_divergent)}"
    for name, nodes in ((mine, comparison.only_a), (theirs, comparison.only_b)):
        if nodes:
            rest = f" and {counted(len(nodes) - 1, 'more node')}" if len(nodes) > 1 else ""
            yield f"only in {name}: {place(nodes[0])}{rest}"
    if comparison.failed is not None:
        yield f"not compared to the end: {comparison.failed}"
    if comparison.cancelled:
        yield "not compared to the end: cancelled"


def verdict(differing: int, rows: int) -> str:
    """`1 value agrees`, `2 of 3 values differ`."""
    values = counted(rows, "value")
    if differing:
        return f"{differing:,} of {values} {'differs' if differing == 1 else 'differ'}"
    return f"{values} {'agrees' if rows == 1 else 'agree'}"


def _table(rows: list[ComparedValue]) -> Iterator[str]:
    shown = chosen(rows)
    if not shown:
        return
    cells = [["", "value", "operator", *COLUMNS]] + [_cells(row) for _, row in shown]
    widths = [max(len(cell[column]) for cell in cells) for column in range(len(cells[0]))]
    yield _line(cells[0], widths)
    previous = -1
    for (index, _), cell in zip(shown, cells[1:], strict=True):
        if index != previous + 1:
            yield f"  … {index - previous - 1} more"
        previous = index
        yield _line(cell, widths)
    if previous != len(rows) - 1:
        yield f"  … {len(rows) - 1 - previous} more"


def chosen(rows: list[ComparedValue]) -> list[tuple[int, ComparedValue]]:
    """The rows that are shown, with their places: of many, those around the first that differs, and the worst."""
    if len(rows) <= _MOST_ROWS:
        return list(enumerate(rows))
    first = next((index for index, row in enumerate(rows) if row.differs), 0)
    chosen = set(range(max(0, first - _BEFORE), min(len(rows), first + _AFTER)))
    worst = sorted(range(len(rows)), key=lambda index: -_badness(rows[index]))
    for index in worst[: _MOST_ROWS - len(chosen)]:
        chosen.add(index)
    return [(index, rows[index]) for index in sorted(chosen)]


def _badness(row: ComparedValue) -> float:
    if row.distance is None:
        return float("inf") if row.differs else -1.0
    return 1.0 - row.distance.cosine + row.distance.max_abs * 1e-9


def _cells(row: ComparedValue) -> list[str]:
    mark = "!" if row.differs else ""
    label = [mark, f"%{row.a.name}", row.node.kind]
    return [*label, *numbers(row)]


def numbers(row: ComparedValue) -> list[str]:
    """How far apart the two values are, by column; in the first one what cannot be told in numbers."""
    found = row.distance
    if found is None:
        return [row.differs or "equal", "", "", ""]
    ulp = "" if found.ulp is None else f"{found.ulp:,}"
    return [f"{found.max_abs:.3g}", f"{found.max_rel:.3g}", f"{found.cosine:.6f}", ulp]


def _line(cells: list[str], widths: list[int]) -> str:
    words = [f"{cell:<{width}}" for cell, width in zip(cells[:3], widths[:3], strict=True)]
    numbers = [f"{cell:>{width}}" for cell, width in zip(cells[3:], widths[3:], strict=True)]
    return "  ".join([*words, *numbers]).rstrip()
