"""One phase of a model (a forward call, or one step of decoding) and what it costs at any sizes."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from tracelab.execute.estimate.interpolate import Grid, Point
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


@dataclass(slots=True)
class Phase:
    """The same at any point, by a grid of points where that is exact, else by running it there.

    `find` runs the graph at some points. Answers of the grid are within the regime that it was made in: every
    comparison of sizes that picks what is done (a slice that reaches the end, a mask, the smaller of two) turns out as
    on the grid.
    """

    find: Callable[[list[Point]], tuple[Findings, frozenset[int]]]
    _fits: dict[tuple[bool, ...], _Fit | None] = field(default_factory=dict)
    _direct: dict[Point, tuple[Costs, Assumption | None]] = field(default_factory=dict)
    unknown: dict[str, None] = field(default_factory=dict)

    def at(self, point: Point) -> tuple[Costs, Assumption | None]:
        """The costs, and an assumption of the trace that does not hold there."""
        known = self._direct.get(point)
        if known is not None:
            return known
        # A size of one is like no other: strides, broadcasting.
        free = tuple(size > 1 for size in point)
        if free not in self._fits:
            self._fits[free] = self._made(point, free) if any(free) else None
        fit = self._fits[free]
        costs = fit.at(point) if fit is not None else None
        if costs is not None:
            return costs, None
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
    flops: Vector
    moved: Vector
    live: Sequence[Vector]
    cache: Vector
    relations: list[tuple[Vector, Vector, int]]

    def at(self, point: Point) -> Costs | None:
        """The costs; None where another regime begins."""
        grid = self.grid
        sides = grid.at(point, [side for one, other, _ in self.relations for side in (one, other)])
        for place, (_, _, sign) in enumerate(self.relations):
            if _sign(sides[2 * place], sides[2 * place + 1]) != sign:
                return None
        flops, moved, cache, *live = grid.at(point, [self.flops, self.moved, self.cache, *self.live])
        return Costs(flops, moved, max(live, default=0), cache)


def _fitted(grid: Grid, found: Findings, grown: frozenset[int]) -> _Fit | None:
    relations = []
    for one, other in found.relations:
        signs = {_sign(a, b) for a, b in zip(one, other, strict=True)}
        if len(signs) > 1:
            return None
        relations.append((one, other, signs.pop()))
    flops, moved = _total(found.flops, found.count), _total(found.moved, found.count)
    live, cache = live_rows(found, grown), _cache(found)
    rows = [flops, moved, cache, *live, *(side for one, other, _ in relations for side in (one, other))]
    return _Fit(grid, flops, moved, live, cache, relations) if grid.fits(rows) else None


def _costs(place: int, found: Findings, grown: frozenset[int]) -> Costs:
    return Costs(
        _total(found.flops, found.count)[place],
        _total(found.moved, found.count)[place],
        max((row[place] for row in live_rows(found, grown)), default=0),
        _cache(found)[place],
    )


def _cache(found: Findings) -> Vector:
    blocks = dict.fromkeys(flow.storage for flow in found.cached)
    return _total([found.storages[block].sizes for block in blocks], found.count)


def _total(rows: Sequence[Vector], count: int) -> Vector:
    return tuple(map(sum, zip(*rows, strict=True))) if rows else (0,) * count


def _sign(one: int, other: int) -> int:
    return (one > other) - (one < other)
