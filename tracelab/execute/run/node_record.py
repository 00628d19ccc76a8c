"""What is known of one node after it ran."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from tracelab.execute.measure.statistics import Reading, Statistics
from tracelab.execute.measure.timing import seconds_of
from tracelab.graph.ir import Node, Value


@dataclass(slots=True)
class NodeRecord:
    """One node that ran: when it was done, how long it took, what it held, what it made.

    `index` is its place in `graph.nodes`. `allocated` and `peak` are bytes, after the node and at most during it;
    `flops` counts floating-point operations and `bytes` what the node reads and writes, both None unless asked for.
    Figures of a GPU are read when first asked for, which waits for the GPU to get there.
    """

    index: int
    node: Node
    allocated: int | None = None
    peak: int | None = None
    flops: int | None = None
    bytes: int | None = None
    measured: Any = field(default=None, repr=False)
    readings: dict[Value, Reading] | None = field(default=None, repr=False)
    check: Callable[[], str] | None = field(default=None, repr=False)

    @property
    def seconds(self) -> float | None:
        """Seconds that the node took: of the processor's clock, or between two events of a CUDA stream."""
        if isinstance(self.measured, tuple):
            self.measured = seconds_of(self.measured)
        return seconds_of(self.measured)

    @property
    def statistics(self) -> dict[Value, Statistics]:
        """The statistics of each tensor that the node made; empty unless they were asked for."""
        return {value: read() for value, read in (self.readings or {}).items()}

    @property
    def nonfinite(self) -> str:
        """`nan` or `inf` where the node made one, else an empty string; NaN outranks inf."""
        return "" if self.check is None else self.check()
