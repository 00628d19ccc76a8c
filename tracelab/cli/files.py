"""Files that commands are given."""

from __future__ import annotations

from typing import Any

from tracelab.api.files import read
from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph


def opened(path: str) -> Any:
    """What a file holds: a trace, or a graph.

    Raises:
        TracelabFileError: It cannot be opened or read; the message begins with the path.
    """
    try:
        return read(path)
    except TracelabFileError as error:
        raise TracelabFileError(f"{path}: {error}") from error
    except OSError as error:
        raise TracelabFileError(f"cannot open {path}: {error.strerror or error}") from error


def graph_of(found: Any) -> Graph:
    """The graph of what a file holds: of a module, that of its first method."""
    graph: Graph = found if isinstance(found, Graph) else found.graph
    return graph
