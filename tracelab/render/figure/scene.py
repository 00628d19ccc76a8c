"""What a figure is made of, whatever it is written as: rectangles, curves, arrowheads and lines of text."""

from __future__ import annotations

from dataclasses import dataclass, field

Point = tuple[float, float]
"""From the left, and from the top, in points."""


@dataclass(frozen=True, slots=True)
class Rectangle:
    """A box with round corners; `dashed` is the border of what is no module."""

    x: float
    y: float
    width: float
    height: float
    radius: float
    fill: str
    border: str
    line_width: float = 0.8
    dashed: bool = False


@dataclass(frozen=True, slots=True)
class Curve:
    """Cubic Bézier curves, one after the other: the start, then three points for each."""

    points: tuple[Point, ...]
    colour: str
    line_width: float = 0.8


@dataclass(frozen=True, slots=True)
class Arrowhead:
    """A filled triangle."""

    corners: tuple[Point, Point, Point]
    colour: str


@dataclass(frozen=True, slots=True)
class Line:
    """One line of text on its baseline; `anchor` is `start`, or `middle`."""

    x: float
    y: float
    text: str
    size: float
    colour: str
    bold: bool = False
    anchor: str = "middle"


Item = Rectangle | Curve | Arrowhead | Line


@dataclass(slots=True)
class Scene:
    """The items of a figure, from the back to the front."""

    title: str
    width: float
    height: float
    page: str = ""
    items: list[Item] = field(default_factory=list)
