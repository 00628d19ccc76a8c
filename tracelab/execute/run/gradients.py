"""The gradient of every value of a run: norm, statistics and histogram."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tracelab.errors import InputError, TracelabError
from tracelab.execute.measure.memory import tensors_in
from tracelab.execute.measure.statistics import Reading, Statistics, read_statistics
from tracelab.execute.run.lookup import Key, find_values, names_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value


@dataclass(frozen=True, slots=True)
class Gradient:
    """The gradient of one value: its Euclidean norm, and what its elements are like."""

    norm: float
    statistics: Statistics | None


class Gradients:
    """Gradients by value: `gradients["layer1"].norm`; iterating gives values in the order of the graph.

    Values that do not take part in the outputs have none.
    """

    def __init__(self, graph: Graph) -> None:
        self.graph = graph
        self.leaves: dict[Value, Tensor] = {}
        """The inputs and parameters that require gradients."""
        self._found: dict[Value, tuple[Tensor, Reading | None]] = {}
        self._open = False

    def note(self, value: Value, tensor: Tensor) -> None:
        """Look at the gradient that reaches `tensor`, once it does."""
        if tensor.requires_grad and not tensor.is_leaf:
            tensor.register_hook(lambda gradient: self._see(value, gradient))

    def _see(self, value: Value, gradient: Tensor) -> None:
        if self._open:
            with torch.no_grad():
                norm = torch.linalg.vector_norm(gradient.detach().to_dense())
                self._found[value] = (norm, read_statistics(gradient))

    def compute(self, outputs: Any, gradient: Tensor | None) -> Gradients:
        """Differentiate the outputs; `gradient` is the only output's own, ones for each where it is None."""
        ends = [tensor for tensor in tensors_in(outputs) if tensor.requires_grad]
        if not ends:
            raise TracelabError("no output depends on a parameter or an input that gradients can reach")
        if gradient is None:
            starts = [torch.ones_like(tensor) for tensor in ends]
        elif len(ends) != 1 or gradient.shape != ends[0].shape:
            shapes = ", ".join(str(tuple(tensor.shape)) for tensor in ends)
            raise InputError(
                f"the gradient has shape {tuple(gradient.shape)}, but the outputs have {shapes}: give it for one output"
            )
        else:
            starts = [gradient.to(ends[0])]
        self._found.clear()
        self._open = True
        try:
            leaves = torch.autograd.grad(ends, list(self.leaves.values()), starts, retain_graph=True, allow_unused=True)
            for value, found in zip(self.leaves, leaves, strict=True):
                if found is not None:
                    self._see(value, found)
        finally:
            self._open = False
        return self

    def __getitem__(self, key: Key) -> Gradient:
        """The gradient of a value, named by itself, its node, its debug name or a module path."""
        values = find_values(self.graph, key)
        if len(values) != 1:
            raise TracelabError(f"{key!r} stands for {len(values)} values ({names_of(values)}): name one")
        value = values[0]
        if value not in self._found:
            raise TracelabError(f"no gradient reached %{value.name}")
        norm, reading = self._found[value]
        return Gradient(float(norm), None if reading is None else reading())

    def __contains__(self, key: object) -> bool:
        try:
            values = find_values(self.graph, key)  # type: ignore[arg-type]
        except TracelabError:
            return False
        return all(value in self._found for value in values)

    def __iter__(self) -> Iterator[Value]:
        return (value for value in self.graph.values() if value in self._found)

    def __len__(self) -> int:
        return len(self._found)

    def __str__(self) -> str:
        """A line per value: its norm and its statistics."""
        lines = []
        for value in self:
            gradient = self[value]
            lines.append(f"%{value.name}  norm {gradient.norm:.4g}  {gradient.statistics}")
        return "\n".join(lines)
