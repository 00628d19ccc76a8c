"""`read_overlay`: the numbers of a file on the nodes of a graph."""

from __future__ import annotations

import io
import os
from collections.abc import Mapping
from typing import Any

from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.interop.overlays.json_file import read_json
from tracelab.interop.overlays.node_data import node_data_overlay, results_of
from tracelab.interop.overlays.overlay import Overlay, by_node
from tracelab.interop.overlays.profiler import profile_overlay
from tracelab.interop.overlays.profiler_events import is_profile
from tracelab.interop.packages.providers import OVERLAYS, call_provider
from tracelab.storage.container import PathOrFile

_CAN_READ = "tracelab reads Chrome traces of torch.profiler and Model Explorer's node data"


def read_overlay(file: PathOrFile, traced: Any, *, name: str = "") -> Overlay:
    """Lay the numbers of a file on the nodes of a trace.

    A Chrome trace of `torch.profiler` (`export_chrome_trace`, `.json` or `.json.gz`) gives the time of each node: of
    its kernels where the profile has any, else of its operator; the mean where it has several runs. Operators are
    matched by order and name, and by shape where it was recorded with `record_shapes=True`. Model Explorer's node data
    gives the number of the node that makes a value of that name. Files of other kinds are read by installed packages
    that have an entry point in `tracelab.overlays`.

    Args:
        file: A path or a binary file object.
        traced: A traced function or module, or a graph.
        name: What the numbers are called; by default `time`, or the name of the file.

    Returns:
        The numbers by node; `explorer.overlay("time", overlay)` colours the picture by them.

    Raises:
        TracelabFileError: The file is none of these, is damaged, or does not fit the graph.
        OSError: It cannot be opened.

    >>> file = io.BytesIO(b'{"results": {"relu": {"value": 3}}}')
    >>> tracelab.read_overlay(file, tracelab.trace(torch.relu, torch.ones(2)), name="score")["relu"]
    3.0
    """
    graph = traced if isinstance(traced, Graph) else getattr(traced, "graph", None)
    if not isinstance(graph, Graph):
        raise TypeError(f"read_overlay needs a trace or a graph, but got {type(traced).__name__}")
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            return read_overlay(opened, graph, name=name)
    if isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise TypeError(f"read_overlay needs a path or a binary file object, but got {type(file).__name__}")
    file = file if file.seekable() else io.BytesIO(file.read())
    title = name or _title(file)
    start = file.tell()
    try:
        data: Any = read_json(file)
    except TracelabFileError as error:
        file.seek(start)
        found = _by_package(file, graph, title)
        if found is None:
            raise TracelabFileError(f"{error}: {_CAN_READ}") from error
        return found
    if is_profile(data):
        return profile_overlay(data, graph, name or "time")
    results = results_of(data)
    if results is not None:
        return node_data_overlay(results, graph, title)
    file.seek(start)
    found = _by_package(file, graph, title)
    if found is None:
        raise TracelabFileError(f"the file is JSON without numbers for nodes: {_CAN_READ}")
    return found


def _title(file: Any) -> str:
    name = getattr(file, "name", "")
    return os.path.basename(name).partition(".")[0] if isinstance(name, str) and name else "overlay"


def _by_package(file: Any, graph: Graph, title: str) -> Overlay | None:
    """What an installed package makes of it; None where none is for such a file."""
    answer = call_provider(OVERLAYS, file, graph)
    if answer is None:
        return None
    who, found = answer
    if isinstance(found, Overlay):
        return found
    if not isinstance(found, Mapping):
        raise TracelabFileError(f"{who} gave an object of the type {type(found).__name__}, and no numbers by node")
    try:
        return Overlay(title, graph, by_node(graph, found))
    except (TracelabError, TypeError, ValueError) as error:
        raise TracelabFileError(f"{who} gave numbers that do not fit the graph: {error}") from error
