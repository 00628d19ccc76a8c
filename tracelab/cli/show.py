"""`tracelab show`: the explorer, a picture or the text of a graph in a file, or of a configuration's model."""

from __future__ import annotations

import argparse
import json
import os
import webbrowser
from pathlib import Path
from typing import Any

from tracelab.api.configuration import trace_configuration
from tracelab.cli.figures import write_figures
from tracelab.cli.files import graph_of, opened
from tracelab.cli.outputs import refuse_inputs
from tracelab.cli.terminal import say
from tracelab.demo.run import has_screen
from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.render.export import to_html


def run(options: argparse.Namespace) -> int:
    """Show it, where somebody can see it."""
    if _is_graph(options.file):
        found = opened(options.file)
        name = Path(options.file).stem
    else:
        found = trace_configuration(options.file, options.batch, options.length, options.dtype)
        name = found.original_name
        if not options.text:
            say(f"{found.summary(depth=1)}\n\n{found.estimate()}")
    if options.text:
        say(str(graph_of(found)))
    elif options.svg or options.pdf or options.png or options.tikz:
        write_figures(found, options)
    else:
        page = Path(options.output or f"{name}.html")
        refuse_inputs(options, page)
        cases = [] if isinstance(found, Graph) else [case.graph for case in found.cases]
        _write(page, lambda path: to_html(graph_of(found), path, cases), "explorer")
        if not options.no_browser and has_screen():
            webbrowser.open(page.resolve().as_uri())
    return 0


def _is_graph(path: str) -> bool:
    """Whether it is a file that is no JSON, as a configuration would be."""
    if not os.path.isfile(path):
        # A path with such an ending is meant to be one: the message should say that it is missing.
        return path.endswith((".tlab", ".pt2", ".pt", ".pth"))
    try:
        with open(path, "rb") as file:
            start = file.read(4096)
    except OSError:
        return True
    try:
        json.loads(start)
    except (ValueError, RecursionError):
        return not path.endswith(".json") and not start.lstrip().startswith((b"{", b"["))
    return False


def _write(path: Path, write: Any, what: str) -> None:
    try:
        write(path)
    except OSError as error:
        reason = error.strerror or error
        raise TracelabFileError(f"cannot write to {path}: {reason}; choose another file with -o") from None
    say(f"the {what}: {path}")
