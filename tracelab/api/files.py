"""`save`: a `.tlab` file with the picture in it that the file viewer shows."""

from __future__ import annotations

from tracelab.execute.function import TracedFunction
from tracelab.execute.module import TracedModule
from tracelab.graph.ir import Graph
from tracelab.render.view_document.document import view_bytes
from tracelab.storage import archive
from tracelab.storage.container import PathOrFile


def save(traced: TracedFunction | TracedModule | Graph, file: PathOrFile) -> None:
    """Write a traced function, traced module or graph to a path or a binary file object.

    The same trace gives the same bytes. An existing file is replaced only when the new one is complete.
    The file holds the view document too (of a module the graph of `forward`), so that JupyterLab shows it without a
    kernel; one of more than 128 MiB is left out, and a kernel then reads the graph.

    Raises `TracelabFileError` for what files do not hold (sparse and quantized tensors, tensor subclasses),
    `TypeError` for what is no trace, `OSError` where the file cannot be written.

    >>> tracelab.save(tracelab.trace(torch.relu, torch.ones(2)), "relu.tlab")
    """
    view = None
    if isinstance(traced, (TracedModule, TracedFunction, Graph)):
        view = view_bytes(traced if isinstance(traced, Graph) else traced.graph)
    archive.save(traced, file, view=view)
