"""A run as a table of pandas: a row per node."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tracelab.execute.run.node_record import NodeRecord
from tracelab.libraries import needed_library


def run_frame(records: list[NodeRecord]) -> Any:
    """The data frame: see `Run.to_pandas`."""
    pandas = needed_library("pandas", "to_pandas")
    frame = pandas.DataFrame([_row(record) for record in records])
    return frame.astype({"line": "Int64"}) if len(frame) else frame


def _row(record: NodeRecord) -> dict[str, Any]:
    node = record.node
    first = next(iter(record.statistics.values()), None)
    return {
        "value": node.outputs[0].name if node.outputs else "",
        "operator": node.kind,
        "module": node.scope.path if node.scope is not None else "",
        "file": node.source.file if node.source is not None else "",
        "line": node.source.line if node.source is not None else None,
        "seconds": record.seconds,
        "allocated": record.allocated,
        "peak": record.peak,
        "flops": record.flops,
        "nonfinite": record.nonfinite,
        **({name: item for name, item in asdict(first).items() if name != "histogram"} if first is not None else {}),
    }
