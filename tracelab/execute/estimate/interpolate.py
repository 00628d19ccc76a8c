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
    >>> values = Rows([[5 * batch * length**2 + batch for batch, length in grid.points]])
    >>> grid.fits(values), grid.at((3, 7), values)
    (True, [738])
    """

    def __init__(self, around: Point, free: Sequence[bool]) -> None:
        """Points around one; sizes that are not free stay as they are there."""
        steps = [(0, 1, 3), (0, 3, around[-1] + 1)]
        axes: list[Point] = [
            tuple(size + step for step in steps[place]) if open_ else (size,)
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

    def fits(self, rows: Rows) -> bool:
        """Whether all values are those of polynomials of degree 2 in each size."""
        table = rows.exact
        for place in range(self.inside, len(self.points)) if len(table) else ():
            weights, common = self.weights(self.points[place])
            if (table[:, : self.inside] @ numpy.array(weights, dtype=object) != table[:, place] * common).any():
                return False
        return True

    def at(self, point: Point, rows: Rows) -> list[int]:
        """The values at another point."""
        if not len(rows.exact):
            return []
        weights, common = self.weights(point)
        totals = rows.exact[:, : self.inside] @ numpy.array(weights, dtype=object)
        return [int(total) // common for total in totals]

    def greatest(self, point: Point, rows: Rows) -> int:
        """The greatest of the values at another point; 0 where there are none."""
        if not len(rows.exact):
            return 0
        weights, common = self.weights(point)
        near = numpy.array([weight / common for weight in weights])
        values = rows.near[:, : self.inside] @ near
        # What rounding may have moved is done exactly.
        error = 1e-12 * float((numpy.abs(rows.near[:, : self.inside]) @ numpy.abs(near)).max())
        chosen = numpy.flatnonzero(values >= values.max() - 2 * error)
        totals = rows.exact[chosen, : self.inside] @ numpy.array(weights, dtype=object)
        return max(int(total) // common for total in totals)


class Rows:
    """Values at the points of a grid, a row for each that is looked for: exact, and as floating-point numbers."""

    def __init__(self, rows: Iterable[Sequence[int]]) -> None:
        held = list(rows)
        self.exact = numpy.empty((len(held), len(held[0]) if held else 0), dtype=object)
        for place, row in enumerate(held):
            self.exact[place, :] = row
        self.near = self.exact.astype(numpy.float64)
