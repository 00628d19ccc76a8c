"""Axes with logarithms: plain numbers as ticks, and names of points that do not cover each other."""

from __future__ import annotations

import math
from typing import Any

from tracelab.execute.plots.canvas import INK, text

_WIDTH, _HEIGHT = 500.0, 250.0
"""About the size of the axes in points, before they are laid out."""
_LETTER, _LINE = 4.3, 10.0
"""The size of a letter in points, somewhat large."""
_STEPS = (3, -11, 15, -23, 27, -35, 39, -47)


def plain_ticks(axis: Any, low: float, high: float) -> None:
    """Ticks as `20`, not as a power: at each power of ten, and of short axes at 2 and 5 times it."""
    from matplotlib.ticker import FuncFormatter, LogLocator, NullLocator

    subs = (1.0,) if math.log10(high / low) > 3 else (1.0, 2.0, 5.0)
    axis.set_major_locator(LogLocator(subs=subs))
    axis.set_minor_locator(NullLocator())
    axis.set_major_formatter(FuncFormatter(lambda number, _: f"{number:g}"))


def offsets(
    points: list[tuple[str, float, float]], xlim: tuple[float, float], ylim: tuple[float, float]
) -> list[tuple[float, float, bool]]:
    """How far from its point each name stands, in points of 1/72 inch, and whether it stands left of it.

    >>> offsets([("a", 1, 1), ("b", 1, 1)], (0.1, 10), (0.1, 10))
    [(6, 3, False), (6, -11, False)]
    """
    taken: list[tuple[float, float, float, float]] = []
    found: list[tuple[float, float, bool]] = []
    for name, x, y in points:
        width = _LETTER * len(name)
        across, up = _part(x, xlim) * _WIDTH, _part(y, ylim) * _HEIGHT
        leftwards = across + 6 + width > _WIDTH and across - 6 - width > 0
        start = across - 6 - width if leftwards else across + 6
        for step in _STEPS:
            box = (start, up + step, start + width, up + step + _LINE)
            if not any(_overlap(box, other) for other in taken):
                break
        taken.append(box)
        found.append((-6 if leftwards else 6, step, leftwards))
    return found


def name_points(
    axes: Any, points: list[tuple[str, float, float]], xlim: tuple[float, float], ylim: tuple[float, float]
) -> None:
    """Write the names beside their points."""
    for (name, x, y), (dx, dy, leftwards) in zip(points, offsets(points, xlim, ylim), strict=True):
        axes.annotate(
            text(name),
            (x, y),
            xytext=(dx, dy),
            textcoords="offset points",
            ha="right" if leftwards else "left",
            fontsize=7.5,
            color=INK,
        )


def _part(number: float, limits: tuple[float, float]) -> float:
    return math.log(number / limits[0]) / math.log(limits[1] / limits[0])


def _overlap(box: tuple[float, float, float, float], other: tuple[float, float, float, float]) -> bool:
    return box[0] < other[2] and other[0] < box[2] and box[1] < other[3] and other[1] < box[3]
