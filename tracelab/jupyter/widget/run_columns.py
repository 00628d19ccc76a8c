"""What a run found out, as small binary columns: the buffers of `tracelab.protocol.runs.RunProgress`."""

from __future__ import annotations

import math
from array import array
from collections.abc import Iterable, Mapping
from typing import Any

from tracelab.execute.measure.statistics import BINS, Statistics
from tracelab.execute.run.node_record import NodeRecord
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.protocol.runs import RunProgress
from tracelab.protocol.view_document import ViewDocument
from tracelab.render.fold import Folded

_NONFINITE = {"": 0, "inf": 1, "nan": 2}


class Rows:
    """Where nodes and values of a graph stand in its view document, and back."""

    def __init__(self, graph: Graph, document: ViewDocument) -> None:
        self.node = Folded(graph).index
        strings = document["strings"]
        row = {strings[name]: place for place, name in enumerate(document["values"]["name"])}
        self.value: dict[Value, int] = {value: row[value.name] for value in graph.values() if value.name in row}
        self.value_at = {place: value for value, place in self.value.items()}


class Columns:
    """The columns of one run, gathered row by row: a node folded into another adds to its row."""

    def __init__(self, rows: Rows) -> None:
        self._rows = rows
        self._seconds: dict[int, float] = {}
        self._nonfinite: dict[int, int] = {}

    def batch(self, records: Iterable[NodeRecord]) -> tuple[RunProgress, list[bytes]]:
        """Header and buffers for some records; on a GPU this waits until it has come so far."""
        nodes, values = array("i"), array("i")
        figures, statistics = array("d"), array("d")
        flags, bars = array("B"), array("i")
        for record in records:
            row = self._rows.node.get(record.node)
            if row is None:
                continue
            seconds = record.seconds
            if seconds is not None:
                self._seconds[row] = seconds = self._seconds.get(row, 0.0) + seconds
            bad = self._nonfinite[row] = max(self._nonfinite.get(row, 0), _NONFINITE[record.nonfinite])
            nodes.append(row)
            flags.append(bad)
            figures.extend((_number(seconds), _number(record.allocated), _number(record.peak)))
            for value, found in record.statistics.items():
                place = self._rows.value.get(value)
                if place is not None:
                    values.append(place)
                    statistics.extend(_figures(found))
                    bars.extend(_bars(found))
        header: RunProgress = {"type": "run.progress", "nodes": len(nodes), "values": len(values), "bins": BINS}
        return header, [column.tobytes() for column in (nodes, figures, flags, values, statistics, bars)]


def numbers_column(rows: Rows, numbers: Mapping[Any, float | None]) -> bytes:
    """One number for each row of the document, from numbers by node: added up where nodes are folded together."""
    column = array("d", [math.nan]) * (max(rows.node.values(), default=-1) + 1)
    for node, number in numbers.items():
        row = rows.node.get(node)
        if row is not None and number is not None:
            column[row] = number if math.isnan(column[row]) else column[row] + number
    return column.tobytes()


def _number(item: float | None) -> float:
    return math.nan if item is None else float(item)


def _figures(found: Statistics) -> tuple[float, ...]:
    spread = (_number(found.min), _number(found.max), _number(found.mean), _number(found.std))
    return (float(found.count), *spread, float(found.zeros), float(found.nans), float(found.infs))


def _bars(found: Statistics) -> list[int]:
    """The bars; -1 fills up where there are fewer."""
    bars = [min(count, 2**31 - 1) for count in found.histogram or ()]
    return bars + [-1] * (BINS - len(bars))
