"""Plots of a run: memory, time by module, statistics over depth."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracelab.errors import InputError, TracelabError
from tracelab.execute.measure.memory import Memory
from tracelab.execute.plots.canvas import ACTIVATIONS, FAINT, INK, SERIES, TRANSIENT, WEIGHTS, canvas, text
from tracelab.execute.plots.icicle import icicle
from tracelab.execute.run.gradients import Gradients
from tracelab.execute.run.node_record import NodeRecord
from tracelab.graph.source import short_place
from tracelab.graph.types import bytes_text

_MEGABYTE = 1e6


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Bytes held at one node: weights, activations after it, and what lived only while it ran."""

    record: NodeRecord
    weights: int
    activations: int
    transient: int

    @property
    def peak(self) -> int:
        """The most bytes held while the node ran."""
        return self.weights + self.activations + self.transient


def weight_bytes(state: list[Any]) -> int:
    """Bytes of parameters, buffers and constants, each storage once."""
    memory = Memory()
    for place, tensor in enumerate(state):
        memory.hold(place, tensor)
    return memory.allocated


def memory_rows(records: list[NodeRecord], weights: int) -> list[MemoryRow]:
    """What the records say of memory; nodes of which nothing is known are left out."""
    rows = []
    for record in records:
        if record.allocated is None or record.peak is None:
            continue
        held = min(weights, record.allocated)
        rows.append(MemoryRow(record, held, record.allocated - held, max(record.peak - record.allocated, 0)))
    return rows


def plot_memory(name: str, records: list[NodeRecord], weights: int) -> Any:
    """Weights, activations and what lives only in one node, over the nodes; the peak with its line of code."""
    rows = memory_rows(records, weights)
    if not rows:
        raise TracelabError("no node ran of which the memory is known")
    figure, (axes,) = canvas("a plot")
    places = list(range(len(rows)))
    series = [[getattr(row, part) / _MEGABYTE for row in rows] for part in ("weights", "activations", "transient")]
    axes.stackplot(
        places,
        *series,
        labels=["weights", "activations", "within the node"],
        colors=[WEIGHTS, ACTIVATIONS, TRANSIENT],
        step="mid",
        linewidth=0,
    )
    at = max(places, key=lambda place: rows[place].peak)
    node = rows[at].record.node
    where = [bytes_text(rows[at].peak), node.kind.rpartition("::")[2], short_place(node.source)]
    axes.plot([at], [rows[at].peak / _MEGABYTE], "v", color=INK, markersize=5)
    axes.annotate(
        text(", ".join(part for part in where if part)),
        (at, rows[at].peak / _MEGABYTE),
        xytext=(0, 8),
        textcoords="offset points",
        ha="left" if at < len(rows) / 2 else "right",
        fontsize=8,
        color=INK,
    )
    axes.set(xlabel="node", ylabel="MB", title=text(f"{name}: memory"), xlim=(-0.5, max(len(rows) - 0.5, 0.5)))
    axes.set_ylim(0, rows[at].peak / _MEGABYTE * 1.18 or 1)
    axes.legend(loc="lower right", fontsize=8)
    return figure


def plot_time(name: str, records: list[NodeRecord]) -> Any:
    """Time by module, as an icicle."""
    timed = [(record.node.scope, record.seconds) for record in records]
    known = [(scope, seconds) for scope, seconds in timed if seconds is not None]
    if not known:
        raise TracelabError("no node ran of which the time is known")
    return icicle(name, known)


def plot_statistics(name: str, records: list[NodeRecord], gradients: Gradients | None) -> Any:
    """Mean, spread, share of zeros and norm of the gradient of each node's first tensor, over depth."""
    found = [(place, record) for place, record in enumerate(records) if record.readings]
    if not found:
        raise TracelabError("this run has no statistics: run it with statistics=True")
    firsts = [(place, *next(iter(record.statistics.items()))) for place, record in found]
    known = [item for item in firsts if item[2].mean is not None and item[2].std is not None]
    norms = [
        (place, gradients[value].norm) for place, value, _ in firsts if gradients is not None and value in gradients
    ]
    figure, axes = canvas("a plot", 4 if norms else 3, 6.4 if norms else 5.2)
    parts: list[tuple[str, list[tuple[int, float]]]] = [
        ("mean", [(place, item.mean or 0.0) for place, _, item in known]),
        ("spread (std)", [(place, item.std or 0.0) for place, _, item in known]),
        ("zeros, %", [(place, 100 * item.zeros / item.count) for place, _, item in firsts if item.count]),
        *([("gradient norm", norms)] if norms else []),
    ]
    for one, (label, points), colour in zip(axes, parts, SERIES, strict=False):
        one.plot([x for x, _ in points], [y for _, y in points], ".-", color=colour, linewidth=1, markersize=4)
        one.set_ylabel(label, fontsize=8)
        one.grid(axis="y", color=FAINT, alpha=0.25)
    if norms and all(norm > 0 for _, norm in norms):
        axes[-1].set_yscale("log")
    axes[0].set_title(text(f"{name}: statistics"))
    axes[-1].set_xlabel("node")
    return figure


def known_plot(kind: str, kinds: tuple[str, ...]) -> None:
    """Refuse a plot that is none."""
    if kind not in kinds:
        raise InputError(f"there is no plot {kind!r}: there are {', '.join(kinds)}")
