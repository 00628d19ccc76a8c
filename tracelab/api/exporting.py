"""What every traced object can be written out as, for people and other programs to look at."""

from __future__ import annotations

import os
from collections.abc import Mapping, Sequence
from typing import IO, Any, Protocol

from tracelab.api.saving import save
from tracelab.execute.run.program import program_of
from tracelab.execute.shapes.known import known_shapes, told_names
from tracelab.graph.graph import Graph
from tracelab.render.export import to_dot, to_html, to_json, to_svg
from tracelab.render.figure.figure import Figure, figure_of


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
        graphs = [case.graph for case in self.cases]
        return to_html(self.graph, path, graphs, **named)  # type: ignore[arg-type]

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

    def figure(
        self: Any,
        depth: int | None = None,
        orientation: str = "vertical",
        root: str = "",
        theme: str = "print",
        symbolic: bool = True,
        *,
        dims: Mapping[str, Sequence[str | None]] | None = None,
        repeats: bool = True,
        method: str = "forward",
    ) -> Figure:
        """A figure for a paper or a slide: modules as boxes, calls of functions as dashed ones, sizes on the lines.

        What no output depends on, arithmetic on sizes, and what changes nothing is left out; what makes positions or a
        mask is one box.

        Args:
            depth: How many levels of modules and functions are open; None for as many as 25 boxes allow.
            orientation: `"vertical"`, from top to bottom, or `"horizontal"`, from left to right.
            root: The path of the module that is drawn, such as `"layers.0"`; all by default.
            theme: `"print"`, `"grey"` for print without colours, or `"dark"`.
            symbolic: Whether sizes have the names of `traced.shapes()`, `?` where one is not known; else they are the
                numbers of the trace.
            dims: Names for the sizes of inputs, as in `shapes`: `{"x": ("batch", "length")}`.
            repeats: Whether blocks that are alike and follow each other are one, "× 12".
            method: Which traced method of a module.

        Returns:
            The figure: a notebook shows it, `save("figure.pdf")` writes it as SVG, PDF, PNG or TikZ.

        Raises:
            InputError: There is no such module, orientation or theme, or there would be more than 400 boxes.

        >>> net = torch.nn.Sequential(torch.nn.Linear(4, 3), torch.nn.ReLU())
        >>> figure = tracelab.trace(net, torch.ones(2, 4)).figure(orientation="horizontal")
        >>> figure.save("net.svg")
        """
        named = None if dims is None else {name: tuple(words) for name, words in dims.items()}
        return figure_of(
            program_of(self, method).graph,
            known_shapes(self, named, method, told=False) if symbolic else None,
            depth=depth,
            orientation=orientation,
            root=root,
            theme=theme,
            repeats=repeats,
        )

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
