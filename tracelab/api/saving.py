"""`save`: a `.tlab` file with the picture in it that the file viewer shows."""

from __future__ import annotations

from typing import Any

from tracelab.compat.modes import keeps_modes
from tracelab.execute.function import ReplayFunction
from tracelab.execute.module import ReplayModule
from tracelab.execute.shapes.known import told_names
from tracelab.graph.graph import Graph
from tracelab.render.view_document.cases_document import cases_document
from tracelab.render.view_document.document import document_bytes, view_bytes
from tracelab.storage.container import PathOrFile
from tracelab.storage.traces import save_traced


@keeps_modes
def save(traced: ReplayFunction | ReplayModule | Graph, file: PathOrFile) -> None:
    """Write a traced function, traced module or graph to a path or a binary file object.

    The same trace gives the same bytes. An existing file is replaced only when the new one is complete. The file holds
    the view document too (of a module the graph of `forward`), so that JupyterLab shows it without a kernel; one of
    more than 128 MiB is left out, and a kernel then reads the graph. Its sizes have names after `traced.shapes()`.

    Args:
        traced: What `trace` or `trace_module` gave, or a graph.
        file: A path or a binary file object.

    Raises:
        TracelabFileError: It holds what files do not (tensors of classes of one's own, say), or a call that could never
            run from a file. Of a graph alone such a call is written, to be looked at.
        TypeError: It is not a trace.
        OSError: The file cannot be written.

    >>> import io
    >>> tracelab.save(tracelab.trace(torch.relu, torch.ones(2)), io.BytesIO())
    """
    view = None
    if isinstance(traced, Graph):
        view = view_bytes(traced)
    elif isinstance(traced, (ReplayModule, ReplayFunction)):
        cases: list[Any] = list(traced.cases)
        view = document_bytes(
            cases_document(traced.graph, [case.graph for case in cases], told_names([traced, *cases]))
        )
    save_traced(traced, file, view=view)
