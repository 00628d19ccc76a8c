"""A figure for print of what an explorer shows, as a file that the browser saves."""

from __future__ import annotations

import logging
from typing import Any

from tracelab.api.running import Running
from tracelab.comparison.diff import GraphDiff
from tracelab.errors import TracelabError
from tracelab.execute.shapes.known import known_shapes
from tracelab.graph.graph import Graph
from tracelab.protocol.runs import FigureForm, FigureMade
from tracelab.render.figure.figure import Figure, figure_of_view
from tracelab.render.figure.outline import Opened

_log = logging.getLogger(__name__)


def answer_figure(traced: Any, graph: Graph, content: Any) -> tuple[FigureMade, list[bytes]] | None:
    """The answer to a message of the browser; None to those of others.

    It is made where the message is read: matplotlib's settings are those of the whole process.
    """
    if not isinstance(content, dict) or content.get("type") != "figure.ask":
        return None
    form: FigureForm = "tex" if content.get("form") == "tex" else "pdf"
    try:
        if isinstance(traced, GraphDiff):
            raise TracelabError("a figure of a difference is an SVG")
        file, message = _file(_figure(traced, graph, content), form), ""
    except TracelabError as error:
        file, message = b"", str(error)
    except Exception as error:  # The person reads it in the picture.
        _log.debug("no figure", exc_info=True)
        file, message = b"", f"{type(error).__name__}: {error}"
    return {"type": "figure.made", "form": form, "message": message}, [] if message else [file]


def _figure(traced: Any, graph: Graph, content: dict[str, Any]) -> Figure:
    shapes = known_shapes(traced, told=False) if content.get("symbolic") and isinstance(traced, Running) else None
    opened = Opened(_rows(content.get("opened")), _rows(content.get("inlined")))
    orientation = "horizontal" if content.get("horizontal") else "vertical"
    return figure_of_view(graph, shapes, opened, bool(content.get("repeats")), orientation)


def _file(figure: Figure, form: FigureForm) -> bytes:
    return figure.tikz.encode() if form == "tex" else figure.pdf()


def _rows(given: Any) -> frozenset[int]:
    return frozenset(row for row in given if isinstance(row, int)) if isinstance(given, list) else frozenset()
