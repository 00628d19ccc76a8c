"""`save`, `load` and `read`: traces in files, and the graphs in files of others."""

from __future__ import annotations

import functools
import io
import os
from collections.abc import Collection
from typing import Any

import torch

from tracelab.api.traced_function import TracedFunction
from tracelab.api.traced_module import TracedModule
from tracelab.compat.modes import keeps_modes
from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.interop.export.exported import read_exported
from tracelab.interop.file_kinds import CAN_READ, kind_of
from tracelab.interop.onnx.reader import read_onnx
from tracelab.interop.packages.providers import READERS, call_provider
from tracelab.interop.torchscript.program import read_torchscript
from tracelab.storage.container import PathOrFile
from tracelab.storage.traces import load_traced


@keeps_modes
def load(
    file: PathOrFile,
    *,
    map_location: str | torch.device | None = None,
    allow: Collection[str] = frozenset(),
) -> TracedFunction | TracedModule:
    """Read a `.tlab` file.

    Nothing in the file runs while it loads. A node runs where its operator is torch's and computes on tensors. One that
    needs another operator, or Python or TorchScript code, shows, and raises `TracelabError` when it should run, unless
    `allow` names it.

    Args:
        file: A path or a binary file object.
        map_location: The device for all tensors, and for the devices that the trace wrote down; None for those that
            they were saved from.
        allow: Names of code that may run: `"namespace::name"` of an operator, `"module:qualname"` of Python code; for
            TorchScript its qualified name, or `"torchscript"` for all.

    Returns:
        The traced function or module, with the verdicts of its last check.

    Raises:
        TracelabFileError: The file is damaged, hostile, or made by a newer tracelab.
        OSError: It cannot be opened.

    >>> file = io.BytesIO()
    >>> tracelab.save(tracelab.trace(torch.relu, torch.ones(2)), file)
    >>> relu = tracelab.load(io.BytesIO(file.getvalue()))
    >>> relu(torch.tensor([-1.0, 2.0]))
    tensor([0., 2.])
    """
    return load_traced(file, TracedFunction, TracedModule, map_location=map_location, allow=allow)


def read(
    file: PathOrFile, *, allow: Collection[str] = frozenset(), trust: bool = False
) -> TracedFunction | TracedModule | Graph:
    """What a file holds: the trace of a `.tlab` file, the graph of a torch.export (`.pt2`), TorchScript or ONNX file.

    The content decides, not the name. Nothing in the file runs while it is read, and nothing of it is unpickled by
    Python. Files of other kinds are read by installed packages that have an entry point in `tracelab.readers`.

    An ONNX file (extra `tracelab[onnx]`) gives a traced function, which runs operator by operator through onnxruntime
    where that is installed; its weights may lie in other files of its folder.

    Args:
        file: A path or a binary file object.
        allow: Names of code that may run when the trace of a `.tlab` file does, as in `load`, and names of operators
            that may run when the graph of a TorchScript file does.
        trust: Whether a TorchScript file whose classes have code that runs as it is read (`__setstate__`) may run it.
            Without it, such code only places the saved state; a file whose code does more than that is refused.

    Returns:
        The trace, or the graph.

    Raises:
        TracelabFileError: Any other file, which the message names, or one that is damaged, or a package's reader
            failed.
        OSError: It cannot be opened.

    >>> file = io.BytesIO()
    >>> torch.export.save(torch.export.export(torch.nn.ReLU(), (torch.ones(2),)), file)
    >>> [node.kind for node in tracelab.read(io.BytesIO(file.getvalue())).nodes if node.schema is not None]
    ['aten::relu']
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
    readers: dict[str, Any] = {
        "tlab": functools.partial(load, allow=allow),
        "export": read_exported,
        "script": functools.partial(read_torchscript, trust=trust, allow=allow),
    }
    found: TracedFunction | TracedModule | Graph | None
    if kind == "onnx":
        found = _read_by_first_bytes(file)
    else:
        found = readers[kind](file) if kind in readers else _read_by_package(file)
    if found is None:
        raise TracelabFileError(f"{kind}: {CAN_READ}")
    return found


def _read_onnx(file: PathOrFile) -> TracedFunction:
    graph = read_onnx(file)
    return TracedFunction(graph, graph.name)


def _read_by_first_bytes(file: PathOrFile) -> TracedFunction | TracedModule | Graph:
    """An ONNX file, which nothing but its first bytes tells: what is none may be a file of an installed package."""
    start = 0 if isinstance(file, (str, os.PathLike)) else file.tell()
    try:
        return _read_onnx(file)
    except TracelabFileError:
        if not isinstance(file, (str, os.PathLike)):
            file.seek(start)
        found = _read_by_package(file)
        if found is None:
            raise
        return found


def _read_by_package(file: PathOrFile) -> TracedFunction | TracedModule | Graph | None:
    """What an installed package's reader makes of it; None where none is for such a file."""
    if isinstance(file, (str, os.PathLike)):
        with open(file, "rb") as opened:
            return _read_by_package(opened)
    answer = call_provider(READERS, file)
    if answer is None:
        return None
    who, found = answer
    graph = found if isinstance(found, Graph) else getattr(found, "graph", None)
    if not isinstance(found, (Graph, TracedFunction, TracedModule)) or not isinstance(graph, Graph):
        raise TracelabFileError(f"{who} gave an object of the type {type(found).__name__}, and no graph")
    try:
        graph.lint()
    except TracelabError as error:
        raise TracelabFileError(f"{who} gave a graph that is not sound: {error}") from error
    return found
