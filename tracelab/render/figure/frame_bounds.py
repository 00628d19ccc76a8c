"""How large frames are drawn: Graphviz lets lines and their labels leave the frame that both their ends are in."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

Point = tuple[float, float]

_ROOM = 4.0
_LEAST = 2.0
"""What is nearer to the side of its frame moves it away."""
_PARTS = 8


@dataclass(frozen=True, slots=True)
class Bounds:
    """A rectangle, of which `bottom` is less than `top`."""

    left: float
    bottom: float
    right: float
    top: float

    def overlaps(self, other: Bounds) -> bool:
        """Whether some area is in both.

        >>> Bounds(0, 0, 2, 2).overlaps(Bounds(1, 1, 3, 3)), Bounds(0, 0, 2, 2).overlaps(Bounds(2, 0, 3, 3))
        (True, False)
        """
        across = self.left < other.right and other.left < self.right
        return across and self.bottom < other.top and other.bottom < self.top


def around(centre: Point, width: float, height: float) -> Bounds:
    """The rectangle of that size about a point.

    >>> around((1, 1), 2, 4)
    Bounds(left=0.0, bottom=-1.0, right=2.0, top=3.0)
    """
    x, y = centre
    return Bounds(x - width / 2, y - height / 2, x + width / 2, y + height / 2)


def of_curve(points: list[Point]) -> Bounds:
    """The rectangle of a chain of cubic Bézier curves: of points on them, as their handles lie outside.

    >>> of_curve([(0.0, 0.0), (0.0, 8.0), (4.0, 8.0), (4.0, 0.0)])
    Bounds(left=0.0, bottom=0.0, right=4.0, top=6.0)
    """
    passed = [points[0]]
    for at in range(0, len(points) - 3, 3):
        a, b, c, d = points[at : at + 4]
        for part in range(1, _PARTS + 1):
            t = part / _PARTS
            u = 1 - t
            weights = (u * u * u, 3 * u * u * t, 3 * u * t * t, t * t * t)
            x, y = (sum(w * p[axis] for w, p in zip(weights, (a, b, c, d), strict=True)) for axis in (0, 1))
            passed.append((x, y))
    across, up = [x for x, _ in passed], [y for _, y in passed]
    return Bounds(min(across), min(up), max(across), max(up))


def grown(frame: Bounds, inside: Iterable[Bounds], outside: list[Bounds]) -> Bounds:
    """The frame about all that is inside; a side stays where it would run into what is outside.

    >>> grown(Bounds(0, 0, 10, 10), [Bounds(-5, 2, 12, 4)], [Bounds(13, 0, 20, 10)])
    Bounds(left=-9.0, bottom=0, right=10, top=10)
    """
    sides = [frame.left, frame.bottom, frame.right, frame.top]
    for item in inside:
        wanted = (item.left - _ROOM, item.bottom - _ROOM, item.right + _ROOM, item.top + _ROOM)
        for side, place in enumerate(wanted):
            before = sides[side]
            near = before - place if side < 2 else place - before
            if near <= _ROOM - _LEAST:
                continue
            now = Bounds(*sides)
            sides[side] = place
            if any(Bounds(*sides).overlaps(item) and not now.overlaps(item) for item in outside):
                sides[side] = before
    return Bounds(*sides)
