"""A scene as SVG."""

from __future__ import annotations

from xml.sax.saxutils import escape, quoteattr

from tracelab.render.figure.scene import Arrowhead, Curve, Item, Line, Point, Rectangle, Scene

_FONT = "Helvetica, Arial, 'DejaVu Sans', sans-serif"


def svg_text(scene: Scene) -> str:
    """The SVG, with fonts by name and nothing that a reader would have to run."""
    width, height = _number(scene.width), _number(scene.height)
    lines = [
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" height="{height}" '
        f'viewBox="0 0 {width} {height}" style="max-width:100%;height:auto" role="img" '
        f'aria-label={quoteattr(scene.title)} font-family="{_FONT}">',
        f"<title>{escape(scene.title)}</title>",
    ]
    if scene.page:
        lines.append(f'<rect width="{width}" height="{height}" fill="{scene.page}"/>')
    lines += map(_item, scene.items)
    return "\n".join([*lines, "</svg>", ""])


def _item(item: Item) -> str:
    if isinstance(item, Rectangle):
        dashes = ' stroke-dasharray="4 2.5"' if item.dashed else ""
        return (
            f'<rect x="{_number(item.x)}" y="{_number(item.y)}" width="{_number(item.width)}" '
            f'height="{_number(item.height)}" rx="{_number(item.radius)}" fill="{item.fill}" '
            f'stroke="{item.border}" stroke-width="{_number(item.line_width)}"{dashes}/>'
        )
    if isinstance(item, Curve):
        start, *rest = map(_pair, item.points)
        return (
            f'<path d="M{start} C{" ".join(rest)}" fill="none" stroke="{item.colour}" '
            f'stroke-width="{_number(item.line_width)}"/>'
        )
    if isinstance(item, Arrowhead):
        return f'<polygon points="{" ".join(map(_pair, item.corners))}" fill="{item.colour}"/>'
    return _line(item)


def _line(item: Line) -> str:
    bold = ' font-weight="bold"' if item.bold else ""
    anchor = ' text-anchor="middle"' if item.anchor == "middle" else ""
    return (
        f'<text x="{_number(item.x)}" y="{_number(item.y)}" font-size="{_number(item.size)}" '
        f'fill="{item.colour}"{bold}{anchor}>{escape(item.text)}</text>'
    )


def _pair(point: Point) -> str:
    return f"{_number(point[0])},{_number(point[1])}"


def _number(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
