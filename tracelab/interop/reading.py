"""`read`: any file that holds a graph, told apart by what is in it and not by its name."""

from __future__ import annotations

import io
import os
from typing import Any

from tracelab.execute.function import TracedFunction
from tracelab.execute.module import TracedModule
from tracelab.graph.ir import Graph
from tracelab.interop.export.exported import read_exported
from tracelab.interop.file_kinds import CAN_READ, kind_of
from tracelab.interop.torchscript.program import read_torchscript
from tracelab.storage.archive import load
from tracelab.storage.container import PathOrFile
from tracelab.storage.errors import TracelabFileError


def read(file: PathOrFile) -> TracedFunction | TracedModule | Graph:
    """What a file holds: the trace of a `.tlab` file, the graph of a torch.export (`.pt2`) or TorchScript file.

    A path or a binary file object; the content decides, not the name. No Python code of the file runs and nothing
    of it is unpickled by Python. Raises `TracelabFileError`, which says what it is, for any other file, and for one
    that is damaged; `OSError` for one that cannot be opened.

    >>> tracelab.diff(tracelab.read("old.pt2"), tracelab.read("new.pt2"))
    """
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            kind = kind_of(opened)
    elif isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise TypeError(f"read needs a path or a binary file object, but got {type(file).__name__}")
    else:
        file = file if file.seekable() else io.BytesIO(file.read())
        start = file.tell()
        kind = kind_of(file)
        file.seek(start)
    readers: dict[str, Any] = {"tlab": load, "export": read_exported, "script": read_torchscript}
    if kind in readers:
        return readers[kind](file)  # type: ignore[no-any-return]
    raise TracelabFileError(f"{kind}: {CAN_READ}")


__all__ = ["read"]
