"""What every traced object can be written out as, for people and other programs to look at."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING, Protocol

if TYPE_CHECKING:
    from tracelab.graph.ir import Graph

# Drawing stands below this room in the list of rooms: it is imported when it is asked for.


class HasGraph(Protocol):
    """A traced function or module."""

    @property
    def graph(self) -> Graph: ...


class Drawn:
    """The methods `to_html`, `to_svg`, `to_dot` and `to_json` of whatever has a `graph`."""

    __slots__ = ()

    def to_html(self: HasGraph, path: str | os.PathLike[str] | None = None) -> str | None:
        """One HTML file with the explorer and the graph, which any browser opens without a network.

        Written to `path`, or returned where no path is given. Raises `TracelabError` where tracelab was installed
        without its front end.

        >>> traced.to_html("model.html")
        """
        from tracelab.render.export import to_html

        return to_html(self.graph, path)

    def to_svg(self: HasGraph, path: str | os.PathLike[str] | None = None, max_boxes: int = 60) -> str | None:
        """A picture of at most `max_boxes` boxes: modules are closed until that suffices.

        >>> traced.to_svg("model.svg")
        """
        from tracelab.render.export import to_svg

        return to_svg(self.graph, path, max_boxes)

    def to_dot(self: HasGraph, path: str | os.PathLike[str] | None = None, max_boxes: int = 60) -> str | None:
        """The same picture in Graphviz's language.

        >>> traced.to_dot("model.dot")
        """
        from tracelab.render.export import to_dot

        return to_dot(self.graph, path, max_boxes)

    def to_json(self: HasGraph, path: str | os.PathLike[str] | None = None) -> str | None:
        """The view document as JSON: all that the explorer shows.

        >>> traced.to_json("model.json")
        """
        from tracelab.render.export import to_json

        return to_json(self.graph, path)
