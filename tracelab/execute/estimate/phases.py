"""One phase of a model (a forward call, or one step of decoding) and what it costs at any sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tracelab.errors import InputError
from tracelab.execute.estimate.interpolate import Grid, Point, Rows
from tracelab.execute.estimate.memory_over_time import live_rows
from tracelab.execute.estimate.propagate import Findings, Vector
from tracelab.graph.assumptions import Assumption


@dataclass(frozen=True, slots=True)
class Costs:
    """What a phase costs at one point: operations, bytes moved, bytes of activations at their peak, of the cache."""

    flops: int
    bytes_moved: int
    activations: int
    cache: int


_MOST_FITS = 4
"""Regimes of which grids are made; beyond, the graph is run at each point."""


@dataclass(slots=True)
class Phase:
    """The same at any point, by a grid of points where that is exact, else by running it there.

    `find` runs the graph at some points. Answers of the grid are within the regime that it was made in: every
    comparison of sizes that picks what is done (a slice that reaches the end, a mask, the smaller of two) turns out as
    on the grid.
    """

    find: Callable[[list[Point]], tuple[Findings, frozenset[int]]]
    _fits: dict[tuple[bool, ...], list[_Fit | None]] = field(default_factory=dict)
    _direct: dict[Point, tuple[Costs, Assumption | None]] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)

    def at(self, point: Point) -> tuple[Costs, Assumption | None]:
        """The costs, and an assumption of the trace that does not hold there."""
        known = self._direct.get(point)
        if known is not None:
            return known
        # A size of one is like no other: strides, broadcasting.
        free = tuple(size > 1 for size in point)
        fits = self._fits.setdefault(free, [])
        for fit in fits:
            costs = fit.at(point) if fit is not None else None
            if costs is not None:
                return costs, None
        if any(free) and len(fits) < _MOST_FITS:
            try:
                fits.append(self._made(point, free))
                return self._direct[point]
            except InputError:
                # The graph may go without data at this point, and not at those around it.
                fits.append(None)
        found, grown = self.find([point])
        self.unknown.update(found.unknown)
        known = self._direct[point] = (_costs(0, found, grown), found.broken.get(0))
        return known

    def _made(self, point: Point, free: tuple[bool, ...]) -> _Fit | None:
        grid = Grid(point, free)
        found, grown = self.find(grid.points)
        self.unknown.update(found.unknown)
        place = grid.points.index(point)
        self._direct[point] = (_costs(place, found, grown), found.broken.get(place))
        if found.broken:
            return None
        return _fitted(grid, found, grown)


@dataclass(slots=True)
class _Fit:
    grid: Grid
    sums: Rows
    """Operations, bytes moved, bytes of the cache."""
    live: Rows
    sides: Rows
    """Of each comparison of sizes, one and the other."""
    signs: list[int]
    grouped: Rows
    """Of each product by group, its rows."""
    groups: list[tuple[int, int, int]]
    """And its groups, the bytes of one, and how often there is such a product."""

    def at(self, point: Point) -> Costs | None:
        """The costs; None where another regime begins."""
        sides = self.grid.at(point, self.sides)
        if [_sign(one, other) for one, other in zip(sides[::2], sides[1::2], strict=True)] != self.signs:
            return None
        flops, moved, cache = self.grid.at(point, self.sums)
        rows = self.grid.at(point, self.grouped)
        for count, (groups, size, times) in zip(rows, self.groups, strict=True):
            moved += min(count, groups) * size * times
        return Costs(flops, moved, self.grid.greatest(point, self.live), cache)


def _fitted(grid: Grid, found: Findings, grown: frozenset[int]) -> _Fit | None:
    sides: list[Vector] = []
    signs: list[int] = []
    for one, other in found.relations:
        turns = {_sign(a, b) for a, b in zip(one, other, strict=True)}
        if len(turns) > 1:
            return None
        sides += [one, other]
        signs += turns
    sums = Rows([_total(found.flops, found.count), _total(found.moved, found.count), _cache(found)])
    live = Rows(live_rows(found, grown))
    for group in found.grouped:
        if len({(one.groups, one.bytes) for one in group}) > 1:
            return None
    grouped = Rows([[one.rows for one in group] for group in found.grouped])
    groups = [(group[0].groups, group[0].bytes, times) for group, times in found.grouped.items()]
    fit = _Fit(grid, sums, live, Rows(sides), signs, grouped, groups)
    return fit if all(grid.fits(rows) for rows in (sums, live, fit.sides, grouped)) else None


def _costs(place: int, found: Findings, grown: frozenset[int]) -> Costs:
    return Costs(
        _total(found.flops, found.count)[place],
        _total(found.moved, found.count)[place]
        + sum(
            min(group[place].rows, group[place].groups) * group[place].bytes * n for group, n in found.grouped.items()
        ),
        max((row[place] for row in live_rows(found, grown)), default=0),
        _cache(found)[place],
    )


def _cache(found: Findings) -> Vector:
    blocks = dict.fromkeys(flow.storage for flow in found.cached)
    return _total([found.storages[block].sizes for block in blocks], found.count)


def _total(rows: Sequence[Vector], count: int) -> Vector:
    return tuple([sum([row[place] for row in rows]) for place in range(count)])


def _sign(one: int, other: int) -> int:
    return (one > other) - (one < other)
