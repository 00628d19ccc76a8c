"""The figure of what a file holds, as files: for `tracelab show` and `tracelab export`."""

from __future__ import annotations

import argparse
from typing import Any

from tracelab.api.traced_function import TracedFunction
from tracelab.cli.terminal import say
from tracelab.graph.graph import Graph
from tracelab.render.figure.figure import Figure


def figure_of_file(found: Any, options: argparse.Namespace) -> Figure:
    """The figure, as the options say."""
    traced = TracedFunction(found, found.name) if isinstance(found, Graph) else found
    made: Figure = traced.figure(options.depth, options.orientation, options.root)
    return made


def write_figures(found: Any, options: argparse.Namespace) -> None:
    """Write it to each file that was asked for, in that form whatever its ending is."""
    made = figure_of_file(found, options)
    forms = {"svg": options.svg, "pdf": options.pdf, "png": options.png, "tex": options.tikz}
    for form, path in forms.items():
        if path:
            made.save(path, form=form)
            say(f"the figure: {path}")
