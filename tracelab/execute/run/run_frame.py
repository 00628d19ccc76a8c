"""A run as a table of pandas: a row per node."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from tracelab.execute.run.gradients import Gradients
from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.run_plots import MemoryRow
from tracelab.libraries import needed_library


def run_frame(held: list[MemoryRow], records: list[NodeRecord], gradients: Gradients | None) -> Any:
    """The data frame: see `Run.to_pandas`."""
    pandas = needed_library("pandas", "to_pandas")
    weights = {row.record.index: row.weights for row in held}
    frame = pandas.DataFrame([_row(record, weights.get(record.index), gradients) for record in records])
    return frame.astype({"line": "Int64"}) if len(frame) else frame


def _row(record: NodeRecord, weights: int | None, gradients: Gradients | None) -> dict[str, Any]:
    node = record.node
    norm = _norm(record, gradients)
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
        "weights": weights,
        "flops": record.flops,
        "nonfinite": record.nonfinite,
        **({name: item for name, item in asdict(first).items() if name != "histogram"} if first is not None else {}),
        **({"gradient_norm": norm} if norm is not None else {}),
    }


def _norm(record: NodeRecord, gradients: Gradients | None) -> float | None:
    made = record.node.outputs[:1]
    return gradients[made[0]].norm if gradients is not None and made and made[0] in gradients else None
