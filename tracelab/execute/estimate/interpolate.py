"""Polynomials in one or two sizes, through exact values at a grid, checked at points beside it.

What a graph costs grows with its sizes as a polynomial: a product of matrices with two or three of them, attention with
the square of the length. Lagrange's form of it needs no coefficients, and is exact in fractions.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from fractions import Fraction
from math import lcm

import numpy

Point = tuple[int, ...]
"""A value for each size: batch, and length where there is one."""

_DEGREE = 2


class Grid:
    """Points at which values are known, and by which they are known elsewhere.

    >>> grid = Grid((4, 10), (True, True))
    >>> values = [[5 * batch * length**2 + batch for batch, length in grid.points]]
    >>> grid.fits(values), grid.at((3, 7), values)
    (True, [738])
    """

    def __init__(self, around: Point, free: Sequence[bool]) -> None:
        """Points around one; sizes that are not free stay as they are there."""
        steps = (0, 1, 3) if len(around) == 1 else ((0, 1, 3), (0, 3, around[-1] + 1))
        axes = [
            tuple(size + step for step in (steps[place] if len(around) > 1 else steps)) if open_ else (size,)  # type: ignore[union-attr]
            for place, (size, open_) in enumerate(zip(around, free, strict=True))
        ]
        self.axes = axes
        grid: list[Point] = [()]
        for axis in axes:
            grid = [(*point, size) for point in grid for size in axis]
        beside = [tuple(max(axis) + step if len(axis) > 1 else axis[0] for axis in axes) for step in (2, 5)]
        if len(around) > 1:
            low = tuple(max(2, min(axis) // 2) if len(axis) > 1 else axis[0] for axis in axes)
            beside[1] = low
        self.inside = len(grid)
        self.points: list[Point] = [*grid, *(point for point in beside if point not in grid)]

    def weights(self, point: Point) -> tuple[list[int], int]:
        """The whole numbers by which values on the grid are multiplied, and that by which the sum is divided."""
        parts: list[list[Fraction]] = []
        for size, axis in zip(point, self.axes, strict=True):
            row = []
            for one in axis:
                part = Fraction(1)
                for other in axis:
                    if other != one:
                        part *= Fraction(size - other, one - other)
                row.append(part)
            parts.append(row)
        found = [Fraction(1)]
        for row in parts:
            found = [before * part for before in found for part in row]
        common = lcm(*(part.denominator for part in found))
        return [int(part * common) for part in found], common

    def fits(self, rows: Iterable[Sequence[int]]) -> bool:
        """Whether all values are those of polynomials of degree 2 in each size."""
        table = _table(rows)
        if not table.size:
            return True
        for place in range(self.inside, len(self.points)):
            weights, common = self.weights(self.points[place])
            if (table[:, : self.inside] @ numpy.array(weights, dtype=object) != table[:, place] * common).any():
                return False
        return True

    def at(self, point: Point, rows: Iterable[Sequence[int]]) -> list[int]:
        """The values at another point."""
        table = _table(rows)
        if not table.size:
            return []
        weights, common = self.weights(point)
        return [int(total) // common for total in table[:, : self.inside] @ numpy.array(weights, dtype=object)]


def _table(rows: Iterable[Sequence[int]]) -> numpy.ndarray[tuple[int, int], numpy.dtype[numpy.object_]]:
    held = list(rows)
    table = numpy.empty((len(held), len(held[0]) if held else 0), dtype=object)
    for place, row in enumerate(held):
        table[place, :] = row
    return table
