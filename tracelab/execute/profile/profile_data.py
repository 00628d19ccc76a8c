"""What a profile holds; `Profile` adds how it is shown."""

from __future__ import annotations

from dataclasses import dataclass, field

import torch

from tracelab.execute.measure.roofline import Peak
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope


@dataclass(frozen=True, slots=True)
class ProfiledNode:
    """One node: its median time in seconds, floating-point operations, bytes read and written, peak memory in bytes.

    `share` is its part of the sum over nodes. `roof` is how much of the device's peak it reaches, as the least time
    that its operations and bytes need over the time it took (of the roofline model); None where it moves nothing.
    `bound` is what limits it: `compute`, `memory`, or an empty string.
    """

    index: int
    node: Node
    seconds: float
    share: float
    flops: int
    bytes: int
    peak_memory: int
    roof: float | None
    bound: str


@dataclass(frozen=True, slots=True)
class ProfiledModule:
    """One call of a module with all that ran in it: seconds, share of the whole, operations, bytes, nodes."""

    scope: Scope
    seconds: float
    share: float
    flops: int
    bytes: int
    nodes: int


@dataclass(slots=True)
class ProfileData:
    """Where the time of a graph goes: rows per node and per module."""

    name: str
    graph: Graph
    device: torch.device
    repeat: int
    whole: float
    peak: Peak
    nodes: list[ProfiledNode] = field(default_factory=list)
    modules: list[ProfiledModule] = field(default_factory=list)

    @property
    def seconds(self) -> float:
        """The sum over nodes."""
        return sum(row.seconds for row in self.nodes)

    @property
    def flops(self) -> int:
        """Floating-point operations of one run."""
        return sum(row.flops for row in self.nodes)

    @property
    def peak_memory(self) -> int:
        """The most bytes held at once."""
        return max((row.peak_memory for row in self.nodes), default=0)
