"""Plots of a run: memory, time by module, statistics over depth."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any

from tracelab.errors import InputError, TracelabError
from tracelab.execute.measure.memory import Memory
from tracelab.execute.measure.statistics import Statistics
from tracelab.execute.plots.canvas import (
    ACTIVATIONS,
    FAINT,
    INK,
    SERIES,
    TRANSIENT,
    WEIGHTS,
    bytes_unit,
    canvas,
    few_ticks,
    text,
    whole_numbers,
)
from tracelab.execute.plots.icicle import icicle
from tracelab.execute.run.gradients import Gradients
from tracelab.execute.run.node_record import NodeRecord
from tracelab.graph.ir import Node, Value
from tracelab.graph.source import short_place
from tracelab.graph.types import TensorType, bytes_text


@dataclass(frozen=True, slots=True)
class MemoryRow:
    """Bytes held at one node: weights, activations after it, and what was freed at it: last uses, and work space."""

    record: NodeRecord
    weights: int
    activations: int
    freed: int

    @property
    def peak(self) -> int:
        """The most bytes held while the node ran."""
        return self.weights + self.activations + self.freed


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


def plot_memory(name: str, records: list[NodeRecord], weights: int, turn: int | None = None) -> Any:
    """Weights, activations and what is freed at each node, over the nodes; the peak with its line of code.

    `turn` is the first record of the backward pass, before which a line is drawn.
    """
    rows = memory_rows(records, weights)
    if not rows:
        raise TracelabError("no node ran of which the memory is known")
    figure, (axes,) = canvas("a plot")
    at = max(range(len(rows)), key=lambda place: rows[place].peak)
    size, unit = bytes_unit(rows[at].peak)
    # Each node from half a step before its number to half a step after it.
    edges = [place - 0.5 for place in range(len(rows) + 1)]
    series = [[getattr(row, part) / size for row in [*rows, rows[-1]]] for part in ("weights", "activations", "freed")]
    axes.stackplot(
        edges,
        *series,
        labels=["weights", "activations" if turn is None else "activations and gradients", "freed at the node"],
        colors=[WEIGHTS, ACTIVATIONS, TRANSIENT],
        step="post",
        linewidth=0,
    )
    node = rows[at].record.node
    where = [bytes_text(rows[at].peak), node.kind.rpartition("::")[2], node_place(node)]
    axes.plot([at], [rows[at].peak / size], "v", color=INK, markersize=5)
    axes.annotate(
        text(", ".join(part for part in where if part)),
        (at, rows[at].peak / size),
        xytext=(0, 8),
        textcoords="offset points",
        ha="left" if at < len(rows) / 2 else "right",
        fontsize=8,
        color=INK,
    )
    if turn is not None:
        axes.axvline(turn - 0.5, color=FAINT, linewidth=1, linestyle=":")
        axes.text(turn - 0.5, 1, " backward", transform=axes.get_xaxis_transform(), va="top", fontsize=8, color=FAINT)
    axes.set(xlabel="node", ylabel=unit, title=text(f"{name}: memory"), xlim=(edges[0], edges[-1]))
    axes.set_ylim(0, rows[at].peak / size * 1.18 or 1)
    whole_numbers(axes)
    axes.legend(loc="lower right" if turn is None else "upper left", fontsize=8)
    return figure


def node_place(node: Node) -> str:
    """The line of a node, or its module where no line of the user's called it."""
    if node.source is not None or node.scope is None or not node.scope.path:
        return short_place(node.source)
    return f"in {node.scope.path}"


def plot_time(name: str, records: list[NodeRecord]) -> Any:
    """Time by module, as an icicle."""
    timed = [(record.node.scope, record.seconds) for record in records]
    known = [(scope, seconds) for scope, seconds in timed if seconds is not None]
    if not known:
        raise TracelabError("no node ran of which the time is known")
    return icicle(name, known)


def plot_statistics(name: str, records: list[NodeRecord], gradients: Gradients | None, has_data: bool = True) -> Any:
    """Mean, spread, share of zeros and norm of the gradient of each node's first tensor, over depth.

    Whole numbers (positions, masks) are left out where there are others.
    """
    if not has_data:
        raise TracelabError("a run without data has no statistics: run it on a device that holds data")
    found = [(place, record) for place, record in enumerate(records) if record.readings]
    if not found:
        raise TracelabError("this run has no statistics: run it with statistics=True")
    every = [(place, *next(iter(record.statistics.items()))) for place, record in found]
    made = [item for item in every if item[2].count]
    firsts = [item for item in made if _measures(item[1])] or made
    norms = [
        (place, gradients[value].norm) for place, value, _ in firsts if gradients is not None and value in gradients
    ]
    figure, axes = canvas("a plot", 4 if norms else 3, 6.4 if norms else 5.2)
    parts: list[tuple[str, list[tuple[int, float]]]] = [
        ("mean", [(place, _or_gap(item.mean)) for place, _, item in firsts]),
        ("spread (std)", [(place, _or_gap(item.std)) for place, _, item in firsts]),
        ("zeros, %", [(place, 100 * item.zeros / item.count) for place, _, item in firsts]),
        *([("gradient norm", norms)] if norms else []),
    ]
    for one, (label, points), colour in zip(axes, parts, SERIES, strict=False):
        one.plot([x for x, _ in points], [y for _, y in points], ".-", color=colour, linewidth=1, markersize=4)
        one.set_ylabel(label, fontsize=8)
        few_ticks(one)
        one.grid(axis="y", color=FAINT, alpha=0.25)
    axes[1].set_ylim(bottom=0)
    axes[2].set_ylim(0, max(axes[2].get_ylim()[1], 1.0))
    _mark_nonfinite(axes[0], [(place, item) for place, _, item in firsts])
    if norms and all(norm > 0 for _, norm in norms):
        axes[-1].set_yscale("log")
    axes[0].set_title(text(f"{name}: statistics"))
    axes[-1].set_xlabel("node")
    figure.align_ylabels(axes)
    whole_numbers(axes[-1])
    return figure


def _measures(value: Value) -> bool:
    return not isinstance(value.type, TensorType) or value.type.dtype.is_floating_point or value.type.dtype.is_complex


def _or_gap(number: float | None) -> float:
    """NaN where there is no finite element: the line has a gap."""
    return math.nan if number is None else number


def _mark_nonfinite(axes: Any, items: list[tuple[int, Statistics]]) -> None:
    """A cross below each node that made NaN or infinity."""
    places = [place for place, item in items if item.nans or item.infs]
    if places:
        below = axes.get_xaxis_transform()
        axes.plot(
            places, [0.0] * len(places), "x", color=TRANSIENT, transform=below, clip_on=False, label="NaN or infinity"
        )
        axes.legend(loc="upper right", fontsize=8)


def known_plot(kind: str, kinds: tuple[str, ...]) -> None:
    """Refuse a plot that is none."""
    if kind not in kinds:
        raise InputError(f"there is no plot {kind!r}: there are {', '.join(kinds)}")
