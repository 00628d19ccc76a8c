"""A scene as TikZ, for papers whose text is LaTeX: fonts are those of the paper."""

from __future__ import annotations

from tracelab.render.figure.scene import Arrowhead, Curve, Item, Point, Rectangle, Scene

_LETTERS = {
    "\\": r"\textbackslash{}",
    "{": r"\{",
    "}": r"\}",
    "$": r"\$",
    "&": r"\&",
    "#": r"\#",
    "%": r"\%",
    "_": r"\_",
    "^": r"\textasciicircum{}",
    "~": r"\textasciitilde{}",
    "<": r"\textless{}",
    ">": r"\textgreater{}",
    "|": r"\textbar{}",
    # The straight mark is in no font of LaTeX's first encoding.
    '"': "''",
    "*": r"{*}",
    "\N{MULTIPLICATION SIGN}": r"$\times$",
    "\N{HORIZONTAL ELLIPSIS}": r"\ldots{}",
    "\N{LESS-THAN OR EQUAL TO}": r"$\leq$",
    "\N{GREATER-THAN OR EQUAL TO}": r"$\geq$",
    "\N{NOT EQUAL TO}": r"$\neq$",
    "\N{RIGHTWARDS ARROW}": r"$\to$",
    "\N{LEFT CEILING}": r"$\lceil$",
    "\N{RIGHT CEILING}": r"$\rceil$",
    "\N{LEFT FLOOR}": r"$\lfloor$",
    "\N{RIGHT FLOOR}": r"$\rfloor$",
    "\N{MIDDLE DOT}": r"$\cdot$",
    "\N{REPLACEMENT CHARACTER}": "?",
}


def tikz_text(scene: Scene) -> str:
    r"""The picture, to be read by `\input` where `\usepackage{tikz}` is."""
    colours: dict[str, str] = {}

    def colour(code: str) -> str:
        return colours.setdefault(code, f"tracelab{chr(ord('a') + len(colours))}")

    drawn = [_item(item, colour) for item in scene.items]
    width, height = _number(scene.width), _number(scene.height)
    page = rf"\fill[{colour(scene.page)}] (0,0) rectangle ({width},{height});" if scene.page else ""
    lines = [
        r"% In the preamble: \usepackage{tikz}",
        *(rf"\definecolor{{{name}}}{{HTML}}{{{code[1:].upper()}}}" for code, name in colours.items()),
        r"\begin{tikzpicture}[x=1pt, y=-1pt, inner sep=0pt, outer sep=0pt]",
        rf"\path[use as bounding box] (0,0) rectangle ({width},{height});",
        *([page] if page else []),
        *drawn,
        r"\end{tikzpicture}",
        "",
    ]
    return "\n".join(lines)


def _item(item: Item, colour: object) -> str:
    named = colour if callable(colour) else str
    if isinstance(item, Rectangle):
        dashes = ", dash pattern=on 4pt off 2.5pt" if item.dashed else ""
        corner = item.x + item.width, item.y + item.height
        return (
            rf"\draw[draw={named(item.border)}, fill={named(item.fill)}, line width={_number(item.line_width)}pt, "
            rf"rounded corners={_number(item.radius)}pt{dashes}] {_pair((item.x, item.y))} rectangle {_pair(corner)};"
        )
    if isinstance(item, Curve):
        start, *rest = item.points
        parts = [_pair(start)]
        for first, second, end in zip(rest[::3], rest[1::3], rest[2::3], strict=True):
            parts.append(f".. controls {_pair(first)} and {_pair(second)} .. {_pair(end)}")
        return rf"\draw[draw={named(item.colour)}, line width={_number(item.line_width)}pt] {' '.join(parts)};"
    if isinstance(item, Arrowhead):
        return rf"\fill[{named(item.colour)}] {' -- '.join(map(_pair, item.corners))} -- cycle;"
    anchor = "base" if item.anchor == "middle" else "base west"
    size, skip = _number(item.size), _number(item.size * 1.2)
    weight = r"\bfseries" if item.bold else ""
    return (
        rf"\node[anchor={anchor}, text={named(item.colour)}, "
        rf"font=\sffamily{weight}\fontsize{{{size}}}{{{skip}}}\selectfont] "
        rf"at {_pair((item.x, item.y))} {{{escaped(item.text)}}};"
    )


def escaped(text: str) -> str:
    r"""Text that LaTeX takes literally.

    >>> escaped("input_ids & 50%")
    'input\\_ids \\& 50\\%'
    """
    return "".join(_LETTERS.get(letter, letter) for letter in text)


def _pair(point: Point) -> str:
    return f"({_number(point[0])},{_number(point[1])})"


def _number(number: float) -> str:
    return f"{number:.2f}".rstrip("0").rstrip(".")
