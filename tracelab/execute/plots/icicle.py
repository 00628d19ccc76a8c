"""Time by module as an icicle: each module as wide as its time, below the module that it is in."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tracelab.execute.plots.canvas import INK, canvas, text
from tracelab.graph.scope import Scope
from tracelab.graph.types import time_text

_COLOURS = ("#c9d8f0", "#d7e8d4", "#f2e1c3", "#e3d7f1", "#f0d2cf")
_LETTER = 0.011
"""The width of a letter, as a share of the plot."""


@dataclass(frozen=True, slots=True)
class Bar:
    """One module: where it begins and ends, in seconds from the left."""

    scope: Scope
    depth: int
    left: float
    seconds: float


def bars(timed: list[tuple[Scope | None, float]]) -> list[Bar]:
    """The modules, parents first, in the order in which they ran."""
    sums: dict[Scope, float] = {}
    for scope, seconds in timed:
        while scope is not None:
            sums[scope] = sums.get(scope, 0.0) + seconds
            scope = scope.parent
    below: dict[Scope | None, list[Scope]] = {}
    for scope in sums:
        below.setdefault(scope.parent, []).append(scope)
    found: list[Bar] = []

    def add(scope: Scope, depth: int, left: float) -> None:
        found.append(Bar(scope, depth, left, sums[scope]))
        for inner in below.get(scope, []):
            add(inner, depth + 1, left)
            left += sums[inner]

    start = 0.0
    for root in below.get(None, []):
        add(root, 0, start)
        start += sums[root]
    return found


def icicle(name: str, timed: list[tuple[Scope | None, float]]) -> Any:
    """The plot of seconds by node, each with the scope that it ran in."""
    found = bars(timed)
    whole = sum(bar.seconds for bar in found if bar.depth == 0)
    deepest = max((bar.depth for bar in found), default=0)
    figure, (axes,) = canvas("a plot", height=1.2 + 0.42 * (deepest + 1))
    for bar in found:
        colour = _COLOURS[bar.depth % len(_COLOURS)]
        axes.barh(bar.depth, bar.seconds * 1e3, 0.94, bar.left * 1e3, color=colour, edgecolor="white", linewidth=0.6)
        words = bar.scope.last_name or bar.scope.class_name
        share = bar.seconds / whole if whole else 0.0
        if len(words) * _LETTER < share:
            longer = f"{words}  {time_text(bar.seconds)}"
            axes.text(
                (bar.left + bar.seconds / 2) * 1e3,
                bar.depth,
                text(longer if len(longer) * _LETTER < share else words),
                ha="center",
                va="center",
                fontsize=7.5,
                color=INK,
            )
    axes.set(xlabel="ms", title=text(f"{name}: time by module"), xlim=(0, whole * 1e3 or 1))
    axes.set_ylim(deepest + 0.55, -0.55)
    axes.set_yticks([])
    axes.spines["left"].set_visible(False)
    return figure
