"""What a `.tlab` file holds, as plain data: `archive` writes and reads it, `traces` makes it of traced objects."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field

import torch

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value


@dataclass(slots=True, eq=False)
class ModuleRecord:
    """One module of a traced module's tree; a module that two parents share is one record."""

    class_name: str
    training: bool = False
    exported: list[str] = field(default_factory=list)
    """Names of methods that were marked for export; files do not hold them."""
    parameters: dict[str, torch.Tensor | None] = field(default_factory=dict)
    buffers: dict[str, torch.Tensor | None] = field(default_factory=dict)
    not_persistent: set[str] = field(default_factory=set)
    children: dict[str, ModuleRecord | None] = field(default_factory=dict)

    def tensors(self, prefix: str = "") -> Iterator[tuple[str, torch.Tensor]]:
        """Parameters and buffers by their path, those of shared modules under each of their paths."""
        for table in (self.parameters, self.buffers):
            yield from ((prefix + name, tensor) for name, tensor in table.items() if tensor is not None)
        for name, child in self.children.items():
            if child is not None:
                yield from child.tensors(f"{prefix}{name}.")


@dataclass(slots=True)
class MethodRecord:
    """One graph, and where it runs now."""

    graph: Graph
    devices: dict[torch.device, torch.device] = field(default_factory=dict)
    """Devices that the trace wrote down, and those to which the module has moved since."""
    constants: dict[Value, torch.Tensor] = field(default_factory=dict)
    """Constants that the module has moved since the trace."""


@dataclass(slots=True)
class TraceRecord:
    """A traced function (`module` is None, its one graph is called ``""``), or a module with its traced methods."""

    name: str
    methods: dict[str, MethodRecord]
    module: ModuleRecord | None = None
    checked: tuple[bool, str] | None = None
    """Whether the last check found no difference, and what it said in a few words; None where none was made."""
    more: list[tuple[str, MethodRecord]] = field(default_factory=list)
    """Further recordings, each with its method's name."""

    @property
    def graphs(self) -> dict[str, Graph]:
        return {name: method.graph for name, method in self.methods.items()}

    def recordings(self) -> Iterator[tuple[str, MethodRecord]]:
        """Every recording, the first of each method before all others."""
        yield from self.methods.items()
        yield from self.more
