"""Files that commands are given."""

from __future__ import annotations

import os
import stat
from typing import Any

from tracelab.api.files import read
from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph


def opened(path: str) -> Any:
    """What a file holds: a trace, or a graph.

    Raises:
        TracelabFileError: It cannot be opened or read; the message begins with the path.
    """
    _refuse_pipe(path)
    try:
        return read(path)
    except TracelabFileError as error:
        raise TracelabFileError(f"{path}: {error}") from error
    except OSError as error:
        raise TracelabFileError(f"cannot open {path}: {error.strerror or error}") from error


def _refuse_pipe(path: str) -> None:
    """Raise for what would wait for a writer, or cannot be read twice."""
    try:
        mode = os.stat(path).st_mode
    except (OSError, ValueError):
        # To open it tells why.
        return
    if not stat.S_ISREG(mode) and not stat.S_ISDIR(mode):
        raise TracelabFileError(f"{path} is a pipe or a device: write it to a file, and give that")


def graph_of(found: Any) -> Graph:
    """The graph of what a file holds: of a module, that of its first method."""
    graph: Graph = found if isinstance(found, Graph) else found.graph
    return graph
