"""Graphs as files for other programs and other people: HTML, SVG, DOT, JSON."""

from __future__ import annotations

import os
import pathlib
from collections.abc import Callable, Mapping, Sequence

from tracelab.graph.graph import Graph
from tracelab.render.html import document_html
from tracelab.render.picture.dot import dot_source, svg
from tracelab.render.view_document.cases_document import cases_document
from tracelab.render.view_document.document import SizeNames, document_bytes
from tracelab.render.view_document.overlay_rows import Numbers, overlays_of

Path = str | os.PathLike[str]


SizesOf = Callable[[Graph], SizeNames | None]


def _no_sizes(graph: Graph) -> None:
    return None


def to_html(
    graph: Graph,
    path: Path | None = None,
    cases: Sequence[Graph] = (),
    sizes_of: SizesOf = _no_sizes,
    overlays: Mapping[str, Numbers] | None = None,
) -> str | None:
    """One file with the explorer and the graph (of all `cases`), which any browser opens without a network.

    `sizes_of` gives the names of sizes of a graph, where they are known. `overlays` are numbers of the graph's nodes by
    name, which stand on their boxes.

    Written to `path`, or returned where no path is given. Raises `TracelabError` where the front end was not built.
    """
    document = cases_document(graph, cases, sizes_of)
    if overlays:
        document["overlays"] = overlays_of(graph, overlays)
    return _written(document_html(document), path)


def to_svg(graph: Graph, path: Path | None = None, max_boxes: int = 60) -> str | None:
    """A picture of at most `max_boxes` boxes, however large the graph is: modules are collapsed until that suffices."""
    return _written(svg(graph, _checked(max_boxes)), path)


def to_dot(graph: Graph, path: Path | None = None, max_boxes: int = 60) -> str | None:
    """The same picture in Graphviz's language."""
    return _written(dot_source(graph, _checked(max_boxes)), path)


def to_json(
    graph: Graph, path: Path | None = None, cases: Sequence[Graph] = (), sizes_of: SizesOf = _no_sizes
) -> str | None:
    """The view document: all that the explorer shows, as JSON; the same text for the same trace."""
    return _written(document_bytes(cases_document(graph, cases, sizes_of)).decode(), path)


def _checked(max_boxes: int) -> int:
    if max_boxes < 1:
        raise ValueError(f"max_boxes is {max_boxes}; a picture has at least 1 box")
    return max_boxes


def _written(text: str, path: Path | None) -> str | None:
    if path is None:
        return text
    pathlib.Path(path).write_bytes(text.encode())
    return None
