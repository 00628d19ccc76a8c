"""`Figure`: a picture of a graph for a paper or a slide, as SVG, PDF, PNG or TikZ."""

from __future__ import annotations

import os
import pathlib
from functools import cached_property

from tracelab.errors import InputError, TracelabFileError
from tracelab.execute.shapes.shapes import Shapes
from tracelab.graph.graph import Graph
from tracelab.render.figure.labels import Labels
from tracelab.render.figure.layout import scene_of
from tracelab.render.figure.matplotlib_bytes import matplotlib_bytes
from tracelab.render.figure.outline import Opened, Outline, outline
from tracelab.render.figure.scene import Scene
from tracelab.render.figure.svg_text import svg_text
from tracelab.render.figure.theme import theme_of
from tracelab.render.figure.tikz_text import tikz_text
from tracelab.render.view_document.document import DocumentBuilder

Path = str | os.PathLike[str]

_ORIENTATIONS = ("vertical", "horizontal")
_FORMS = ("svg", "pdf", "png", "tex")


class Figure:
    """A picture of a graph; a notebook shows it.

    The same graph gives the same bytes in each form. What a figure says of sizes is in `svg`, as text.

    >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
    >>> figure = tracelab.trace(net, torch.ones(2, 4)).figure()
    >>> figure.svg.startswith("<svg")
    True
    """

    def __init__(self, drawn: Outline, orientation: str = "vertical", theme: str = "print") -> None:
        if orientation not in _ORIENTATIONS:
            raise InputError(f"orientation={orientation!r} is none: give {' or '.join(map(repr, _ORIENTATIONS))}")
        self.outline = drawn
        self.orientation = orientation
        self.theme = theme
        self._colours = theme_of(theme)

    @cached_property
    def scene(self) -> Scene:
        """What is drawn, with all places."""
        return scene_of(self.outline, self._colours, self.orientation == "horizontal")

    @property
    def size(self) -> tuple[float, float]:
        """Width and height in points; a text of a paper is about 240 or 500 points wide."""
        return self.scene.width, self.scene.height

    @property
    def svg(self) -> str:
        """The SVG: fonts by name (Helvetica, Arial), no scripts, no links."""
        return svg_text(self.scene)

    @property
    def tikz(self) -> str:
        r"""A `tikzpicture`, for `\input`: its font is the sans-serif font of the paper."""
        return tikz_text(self.scene)

    def pdf(self) -> bytes:
        """The PDF, with its font in it.

        Returns:
            The bytes of the file.

        Raises:
            TracelabError: matplotlib is not installed.
        """
        return matplotlib_bytes(self.scene, "pdf", 72)

    def png(self, dpi: float = 200) -> bytes:
        """The picture in pixels.

        Args:
            dpi: Pixels for each 72 points.

        Returns:
            The bytes of the file.

        Raises:
            TracelabError: matplotlib is not installed.
        """
        return matplotlib_bytes(self.scene, "png", dpi)

    def save(self, path: Path, form: str = "") -> None:
        """Write it as what the ending says: `.svg`, `.pdf`, `.png` or `.tex` (TikZ).

        Args:
            path: The file.
            form: `"svg"`, `"pdf"`, `"png"` or `"tex"`; what the ending says by default.

        Raises:
            InputError: The ending is none of these.
            TracelabError: matplotlib, which PDF and PNG need, is not installed.
            TracelabFileError: The file cannot be written.

        >>> figure = tracelab.trace(torch.relu, torch.ones(2)).figure()
        >>> figure.save("relu.svg")
        >>> figure.save("relu.jpeg")
        Traceback (most recent call last):
        tracelab.errors.InputError: a figure is no .jpeg file: give a name that ends in .svg, .pdf, .png or .tex
        """
        target = pathlib.Path(path)
        form = form or target.suffix.lower().removeprefix(".")
        if form not in _FORMS:
            ending = f"no {target.suffix} file" if target.suffix else "of none"
            known = ", ".join(f".{name}" for name in _FORMS[:-1])
            raise InputError(f"a figure is {ending}: give a name that ends in {known} or .{_FORMS[-1]}")
        made = self.pdf() if form == "pdf" else self.png() if form == "png" else self._text(form).encode()
        try:
            target.write_bytes(made)
        except OSError as error:
            raise TracelabFileError(f"cannot write to {path}: {error.strerror or error}") from None

    def _text(self, form: str) -> str:
        return self.tikz if form == "tex" else self.svg

    def _repr_svg_(self) -> str:
        return self.svg

    def __repr__(self) -> str:
        width, height = self.size
        return f"Figure({self.outline.name}, {len(self.outline)} boxes, {width:.0f} by {height:.0f} points)"


def figure_of_view(
    graph: Graph, shapes: Shapes | None, opened: Opened, repeats: bool, orientation: str = "vertical"
) -> Figure:
    """The figure of a graph as an explorer shows it, with what is open there."""
    builder = DocumentBuilder(graph)
    document = builder.build()
    labels = Labels(builder.values, shapes)
    return Figure(outline(document, None, "", repeats, labels.size, labels.type, opened), orientation)


def figure_of(
    graph: Graph,
    shapes: Shapes | None,
    *,
    depth: int | None,
    orientation: str,
    root: str,
    theme: str,
    repeats: bool,
) -> Figure:
    """The figure of a graph, with the names of sizes where there are shapes: see `traced.figure`."""
    if depth is not None and (not isinstance(depth, int) or isinstance(depth, bool) or depth < 1):
        raise InputError(f"depth={depth!r} is none: give a whole number from 1")
    builder = DocumentBuilder(graph)
    document = builder.build()
    labels = Labels(builder.values, shapes)
    return Figure(outline(document, depth, root, repeats, labels.size, labels.type), orientation, theme)
