"""`MemoryEstimate`: what a call holds at each node, as data, text, HTML, a table and a plot."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracelab.execute.run.node_record import NodeRecord
from tracelab.execute.run.run_frame import run_frame
from tracelab.execute.run.run_plots import memory_rows, node_place, plot_memory
from tracelab.graph.text.html import block, heading, table
from tracelab.graph.types import bytes_text


@dataclass(frozen=True, slots=True, repr=False)
class MemoryEstimate:
    """What a call holds, predicted from shapes alone.

    Attributes:
        title: What was traced, and the sizes of the inputs.
        device: The device whose kernels are reckoned with.
        weights: Bytes of parameters, buffers and constants.
        inputs: Bytes of the inputs.
        outputs: Bytes of what the call returns.
        gradients: Bytes of the gradients that the backward pass leaves.
        forward: A `NodeRecord` for each node that runs, in order: bytes held after it, and at most during it.
        backward: The same for each node of which the backward pass does a part, in the order in which it does;
            empty without gradients.
    """

    title: str
    device: str
    weights: int
    inputs: int
    outputs: int
    gradients: int
    forward: tuple[NodeRecord, ...]
    backward: tuple[NodeRecord, ...] = ()

    @property
    def records(self) -> tuple[NodeRecord, ...]:
        """Forward and backward, in the order of the run."""
        return (*self.forward, *self.backward)

    @property
    def peak(self) -> int:
        """The most bytes that are held at once, weights and inputs included."""
        return max((record.peak or 0 for record in self.records), default=self.weights + self.inputs)

    @property
    def activations(self) -> int:
        """What the peak holds beside weights and inputs: values, what is saved for gradients, gradients, work space."""
        return self.peak - self.weights - self.inputs

    def _rows(self) -> list[tuple[str, int, str]]:
        rows = [("weights", self.weights, ""), ("inputs", self.inputs, "")]
        for name, records in (("forward", self.forward), ("backward", self.backward)):
            at = max(records, key=lambda record: record.peak or 0, default=None)
            if at is not None:
                of = "the gradient of " if name == "backward" else ""
                where = node_place(at.node)
                rows.append((f"{name}, at most", at.peak or 0, f"{of}{at.node.kind}{f', {where}' if where else ''}"))
        rows.append(("left: outputs", self.outputs, ""))
        return [*rows, ("left: gradients", self.gradients, "")] if self.backward else rows

    def _facts(self) -> str:
        way = "forward and backward" if self.backward else "forward"
        return f"{bytes_text(self.peak)} at the most, {way}, on {self.device}"

    def __str__(self) -> str:
        rows = [(name, bytes_text(size), where) for name, size, where in self._rows()]
        first, second = (max(len(row[column]) for row in rows) for column in (0, 1))
        lines = [f"{self.title}: {self._facts()}"]
        lines += [f"  {name:<{first}}  {size:>{second}}  {where}".rstrip() for name, size, where in rows]
        return "\n".join(lines)

    def __repr__(self) -> str:
        return str(self)

    def _repr_html_(self) -> str:
        rows = [(name, where, bytes_text(size)) for name, size, where in self._rows()]
        return block(
            [heading(self.title, self._facts()), table("of one call", ["", "where", "bytes"], rows, numbers=1)]
        )

    def plot(self) -> Any:
        """The memory over the run, on matplotlib: weights, all else, and what is freed at each node.

        Returns:
            A `matplotlib.figure.Figure`; a line marks where the backward pass begins.

        Raises:
            TracelabError: matplotlib is not installed.

        >>> traced = tracelab.trace(torch.nn.Linear(4, 3), torch.ones(2, 4))
        >>> traced.estimate_memory(gradients=True).plot().axes[0].get_title()
        'Linear, batch 2: memory'
        """
        turn = len(self.forward) if self.backward else None
        return plot_memory(self.title, list(self.records), self.weights, turn)

    def to_pandas(self) -> Any:
        """A `pandas.DataFrame` with a row per record: node, module, line, bytes after it and at most during it.

        Returns:
            The data frame; `phase` is `forward` or `backward`.

        Raises:
            TracelabError: pandas is not installed.

        >>> traced = tracelab.trace(torch.nn.Linear(4, 3), torch.ones(2, 4))
        >>> traced.estimate_memory().to_pandas()[["phase", "operator", "peak"]]
             phase      operator  peak
        0  forward  aten::linear   116
        """
        records = list(self.records)
        frame = run_frame(memory_rows(records, self.weights), records, None)
        frame = frame[["value", "operator", "module", "file", "line", "allocated", "peak"]]
        frame.insert(0, "phase", ["forward"] * len(self.forward) + ["backward"] * len(self.backward))
        return frame
