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
from tracelab.interop.overlays.json_file import read_json
from tracelab.interop.overlays.node_data import results_of
from tracelab.interop.overlays.overlay import Overlay
from tracelab.interop.overlays.profiler_events import is_profile
from tracelab.interop.overlays.read import read_overlay
from tracelab.render.export import to_html


def run(options: argparse.Namespace) -> int:
    """Show it, where somebody can see it."""
    if options.overlay and (options.svg or options.pdf or options.png or options.tikz):
        raise TracelabFileError("--overlay goes with the page and with --text, not with a figure")
    if _is_graph(options.file):
        found = opened(options.file)
        name = Path(options.file).stem
    else:
        _refuse_numbers(options.file)
        found = trace_configuration(options.file, options.batch, options.length, options.dtype)
        name = found.original_name
        if not options.text:
            say(f"{found.summary(depth=1)}\n\n{found.estimate()}")
    overlays = [_overlay(path, graph_of(found)) for path in options.overlay]
    if options.text:
        say("\n\n".join(map(str, [graph_of(found), *overlays])))
    elif options.svg or options.pdf or options.png or options.tikz:
        write_figures(found, options)
    else:
        page = Path(options.output or f"{name}.html")
        refuse_inputs(options, page)
        cases = [] if isinstance(found, Graph) else [case.graph for case in found.cases]
        numbers = {f"{item.name} ({item.unit})" if item.unit else item.name: item.values for item in overlays}
        _write(page, lambda path: to_html(graph_of(found), path, cases, overlays=numbers), "explorer")
        if not options.no_browser and has_screen():
            webbrowser.open(page.resolve().as_uri())
    return 0


def _overlay(path: str, graph: Graph) -> Overlay:
    try:
        return read_overlay(path, graph)
    except TracelabFileError as error:
        raise TracelabFileError(f"{path}: {error}") from error
    except OSError as error:
        raise TracelabFileError(f"cannot open {path}: {error.strerror or error}") from error


def _refuse_numbers(path: str) -> None:
    """Raise for a JSON file of numbers, which lie on a graph and are none."""
    try:
        with open(path, "rb") as file:
            data = read_json(file)
    except (TracelabFileError, OSError):
        return
    what = "a profile of torch.profiler" if is_profile(data) else "node data" if results_of(data) is not None else ""
    if what:
        raise TracelabFileError(f"{path} is {what}, which lies on a graph: tracelab show TRACE.tlab --overlay {path}")


def _is_graph(path: str) -> bool:
    """Whether it is a file that is no JSON, as a configuration would be."""
    if not os.path.isfile(path):
        # A path with such an ending, and a pipe, is meant to be one: the message should say what is wrong with it.
        is_pipe = os.path.exists(path) and not os.path.isdir(path)
        return is_pipe or path.endswith((".tlab", ".pt2", ".pt", ".pth"))
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
