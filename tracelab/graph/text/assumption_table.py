"""The assumptions of a trace as a table: what was read, its value at the trace, and the line."""

from __future__ import annotations

from typing import Any

from tracelab.graph.assumptions import Assumption, AssumptionKind, shown, value_shown
from tracelab.graph.text.html import Cell, block, line, table
from tracelab.graph.text.readable import columns_text
from tracelab.graph.types import counted
from tracelab.libraries import needed_library

_HEADER = ("kind", "what", "value at the trace", "line")
_NONE = "No assumptions: the recorded run read nothing that could be different at another call."


class Assumptions(list[Assumption]):
    """A list of assumptions that shows as a table.

    >>> traced = tracelab.trace(lambda x: x.sum(0) if x.shape[0] > 1 else x[0], torch.ones(3, 2), check_trace=False)
    >>> len(traced.assumptions), traced.assumptions[0].kind
    (1, <AssumptionKind.BRANCH: 'branch'>)
    >>> tracelab.trace(torch.relu, torch.ones(2)).assumptions
    No assumptions: the recorded run read nothing that could be different at another call.
    """

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per assumption: kind, what, value and line.

        Raises:
            TracelabError: pandas is not installed.

        >>> traced = tracelab.trace(lambda x: x.sum(0) if x.shape[0] > 1 else x, torch.ones(3, 2), check_trace=False)
        >>> traced.assumptions.to_pandas()[["kind", "value"]].values.tolist()
        [['branch', 'True']]
        """
        pandas = needed_library("pandas", "to_pandas")
        return pandas.DataFrame(list(map(_row, self)), columns=["kind", "what", "value", "line"])

    def __repr__(self) -> str:
        return columns_text([_HEADER, *map(_row, self)]) if self else _NONE

    def _repr_html_(self) -> str:
        if not self:
            return block([line(_NONE)])
        return block([table(f"{counted(len(self), 'assumption')} of the trace", _HEADER, map(_cells, self))])


def _cells(item: Assumption) -> list[Cell]:
    kind, *rest = _row(item)
    return [Cell(kind), *(Cell(text, code=True) for text in rest)]


def _row(item: Assumption) -> tuple[str, ...]:
    value = str(item.constant) if item.kind is AssumptionKind.RANDOM else shown(value_shown(item))
    return str(item.kind), item.about, value, item.line
