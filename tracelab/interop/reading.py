"""`read`: any file that holds a graph, told apart by what is in it and not by its name."""

from __future__ import annotations

import io
import os
import zipfile
from typing import IO, Any

from tracelab.execute.module import TracedModule
from tracelab.execute.traced import TracedFunction
from tracelab.graph.ir import Graph
from tracelab.interop.entries import is_whole, names_of
from tracelab.interop.exported import is_exported, read_exported
from tracelab.interop.torchscript import read_torchscript
from tracelab.storage.archive import load
from tracelab.storage.container import ZIP_ERRORS, PathOrFile
from tracelab.storage.errors import TracelabFileError

_CAN_READ = "tracelab reads .tlab, torch.export (.pt2) and TorchScript files"


def read(file: PathOrFile) -> TracedFunction | TracedModule | Graph:
    """What a file holds: the trace of a `.tlab` file, the graph of a torch.export (`.pt2`) or TorchScript file.

    A path or a binary file object; the content decides, not the name. No Python code of the file runs and nothing
    of it is unpickled by Python. Raises `TracelabFileError`, which says what it is, for any other file, and for one
    that is damaged; `OSError` for one that cannot be opened.

    >>> tracelab.diff(tracelab.read("old.pt2"), tracelab.read("new.pt2"))
    """
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            kind = _kind(opened)
    elif isinstance(file, io.TextIOBase) or not hasattr(file, "read"):
        raise TypeError(f"read needs a path or a binary file object, but got {type(file).__name__}")
    else:
        file = file if file.seekable() else io.BytesIO(file.read())
        start = file.tell()
        kind = _kind(file)
        file.seek(start)
    readers: dict[str, Any] = {"tlab": load, "export": read_exported, "script": read_torchscript}
    if kind in readers:
        return readers[kind](file)  # type: ignore[no-any-return]
    raise TracelabFileError(f"{kind}: {_CAN_READ}")


def _kind(file: IO[bytes]) -> str:
    """`tlab`, `export`, `script`, or a sentence about what else it is."""
    start = file.tell()
    head = file.read(16)
    file.seek(start)
    if not head:
        return "the file is empty"
    if not head.startswith(b"PK"):
        return _by_first_bytes(head)
    try:
        with zipfile.ZipFile(file) as archive:
            if not is_whole(archive):
                return "the file is a damaged or cut off archive"
            if "meta.json" in archive.namelist() and "graph.json" in archive.namelist():
                return "tlab"
            return "export" if is_exported(archive) else _torch_kind(names_of(archive))
    except ZIP_ERRORS as error:
        reason = str(error)[:100] or type(error).__name__
        raise TracelabFileError(f"the file is a damaged or cut off archive: {reason}") from error


def _torch_kind(names: list[str]) -> str:
    if any(name.startswith("code/") for name in names) or "constants.pkl" in names:
        return "script"
    if any(name.startswith("data/aotinductor/") for name in names):
        return "the file is an AOTInductor package, which holds compiled code and no graph"
    if "data.pkl" in names:
        return (
            "the file is a pickle that torch.save wrote (a state_dict, or a whole module), which holds no graph and is "
            "not loaded, as loading can run code"
        )
    return "the file is a zip archive that holds no graph"


def _by_first_bytes(head: bytes) -> str:
    if head[:1] == b"\x80" and head[1:2] <= b"\x05":
        return (
            "the file is a pickle (an old torch.save, or Python's own), which holds no graph and is not loaded, as "
            "loading can run code"
        )
    if head[8:9] == b"{":
        return "the file is safetensors, which holds weights and no graph"
    if head.startswith(b"GGUF"):
        return "the file is GGUF, which holds weights and no graph"
    if head.startswith(b"\x08") and b"\x12" in head:
        return "the file looks like ONNX, which tracelab does not read"
    return "the file holds no graph that tracelab knows"


__all__ = ["read"]
