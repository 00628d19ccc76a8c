"""The assumptions of a trace as a table: what was read, its value at the trace, and the line."""

from __future__ import annotations

from html import escape

from tracelab.graph.assumptions import Assumption, AssumptionKind, shown, value_shown
from tracelab.graph.text.printable import replaced
from tracelab.graph.text.readable import columns_text

_HEADER = ("kind", "what", "value at the trace", "line")
_NONE = "No assumptions: the recorded run read nothing that could be different at another call."
_CODE = "font-family:var(--jp-code-font-family,monospace);text-align:left"


class Assumptions(list[Assumption]):
    """A list of assumptions that shows as a table.

    >>> traced = tracelab.trace(lambda x: x.sum(0) if x.shape[0] > 1 else x[0], torch.ones(3, 2), check_trace=False)
    >>> len(traced.assumptions), traced.assumptions[0].kind
    (1, <AssumptionKind.BRANCH: 'branch'>)
    >>> tracelab.trace(torch.relu, torch.ones(2)).assumptions
    No assumptions: the recorded run read nothing that could be different at another call.
    """

    def __repr__(self) -> str:
        return columns_text([_HEADER, *map(_row, self)]) if self else _NONE

    def _repr_html_(self) -> str:
        if not self:
            return f"<div>{_NONE}</div>"
        head = "".join(f'<th style="text-align:left">{name}</th>' for name in _HEADER)
        rows = "".join(
            "<tr>" + "".join(f'<td style="{_CODE}">{_html(cell)}</td>' for cell in _row(item)) + "</tr>"
            for item in self
        )
        return f"<table><thead><tr>{head}</tr></thead><tbody>{rows}</tbody></table>"


def _row(item: Assumption) -> tuple[str, ...]:
    value = str(item.constant) if item.kind is AssumptionKind.RANDOM else shown(value_shown(item))
    return str(item.kind), item.about, value, item.line


def _html(text: str) -> str:
    return escape(replaced(text))
