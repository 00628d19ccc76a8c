"""A comparison for a notebook: what was found, the first node that differs, and a table of values."""

from __future__ import annotations

from collections.abc import Iterator

from tracelab.comparison.values_data import ComparedValue, ComparisonData
from tracelab.comparison.values_text import COLUMNS, chosen, facts, numbers, verdict
from tracelab.graph.text.html import Cell, block, heading, line, module_cell, table, value_cell


def comparison_html(comparison: ComparisonData) -> str:
    """The HTML of a comparison."""
    return block(_parts(comparison))


def _parts(comparison: ComparisonData) -> Iterator[str]:
    rows = comparison.rows
    differing = sum(1 for row in rows if row.differs)
    mine, theirs = comparison.names
    yield heading(f"{mine} and {theirs}", verdict(differing, len(rows)), bad=bool(differing))
    for fact in facts(comparison):
        yield line(fact)
    shown = chosen(rows)
    if not shown:
        return
    left_out = len(rows) - len(shown)
    more = f"; {left_out:,} more left out" if left_out else ""
    yield table(
        f"how far apart the values are, in their order{more}",
        ["", "value", "operator", "module", *COLUMNS],
        [_row(row) for _, row in shown],
        numbers=len(COLUMNS),
    )


def _row(row: ComparedValue) -> list[Cell | str]:
    scope = row.node.scope
    return [
        Cell("differs" if row.differs else "", bad=bool(row.differs)),
        value_cell(row.a.name),
        Cell(row.node.kind, code=True),
        module_cell(scope.path if scope is not None else ""),
        *numbers(row),
    ]
