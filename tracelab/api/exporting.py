"""What every traced object can be written out as, for people and other programs to look at."""

from __future__ import annotations

import os
from typing import IO, Any, Protocol

from tracelab.api.saving import save
from tracelab.execute.shapes.known import known_shapes, told_names
from tracelab.graph.graph import Graph
from tracelab.render.export import to_dot, to_html, to_json, to_svg


class HasGraph(Protocol):
    """A traced function or module."""

    @property
    def graph(self) -> Graph: ...

    @property
    def cases(self) -> list[Any]: ...


class Exporting:
    """`save`, `to_html`, `to_svg`, `to_dot` and `to_json` of everything that was traced."""

    __slots__ = ()

    def save(self: Any, path: str | os.PathLike[str] | IO[bytes]) -> None:
        """Write it to a `.tlab` file: see `tracelab.save`."""
        save(self, path)

    def to_html(self: Any, path: str | os.PathLike[str] | None = None, *, shapes: bool | None = None) -> str | None:
        """One HTML file with the explorer and the graph, which any browser opens without a network.

        Args:
            path: Where to write it; without one the text is returned.
            shapes: Whether sizes have names, `[batch, length, 64]`; None: where `traced.shapes()` was called before.

        Returns:
            The text, or None where it was written to a file.

        Raises:
            TracelabError: tracelab was installed without its front end.

        >>> traced = tracelab.trace(torch.relu, torch.ones(2))
        >>> traced.to_html().startswith("<!doctype html>")
        True
        """
        cases = [self, *self.cases]
        if shapes:
            for case in cases:
                known_shapes(case)
        named = {} if shapes is False else {"sizes_of": told_names(cases)}
        return to_html(self.graph, path, [case.graph for case in self.cases], **named)

    def to_svg(self: HasGraph, path: str | os.PathLike[str] | None = None, max_boxes: int = 60) -> str | None:
        """A picture of at most `max_boxes` boxes: modules are collapsed until that suffices.

        Args:
            path: Where to write it; without one the text is returned.
            max_boxes: How many boxes the picture may have.

        Returns:
            The text, or None where it was written to a file.

        >>> "<svg" in tracelab.trace(torch.relu, torch.ones(2)).to_svg()
        True
        """
        return to_svg(self.graph, path, max_boxes)

    def to_dot(self: HasGraph, path: str | os.PathLike[str] | None = None, max_boxes: int = 60) -> str | None:
        """The same picture in Graphviz's language: see `to_svg`.

        >>> tracelab.trace(torch.relu, torch.ones(2)).to_dot().startswith("digraph")
        True
        """
        return to_dot(self.graph, path, max_boxes)

    def to_json(self: HasGraph, path: str | os.PathLike[str] | None = None) -> str | None:
        """The view document as JSON: all that the explorer shows; sizes by name after `traced.shapes()`.

        Args:
            path: Where to write it; without one the text is returned.

        Returns:
            The text, or None where it was written to a file.

        >>> tracelab.trace(torch.relu, torch.ones(2)).to_json()[:25]
        '{"format":"tracelab.view"'
        """
        cases = self.cases
        return to_json(self.graph, path, [case.graph for case in cases], told_names([self, *cases]))
