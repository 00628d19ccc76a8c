"""What a file holds, told apart by what is in it and not by its name; torch is not needed for that."""

from __future__ import annotations

from typing import IO

from tracelab.errors import TracelabFileError
from tracelab.interop.entries import names_of, program_entries
from tracelab.storage.container import ZIP_ERRORS, bounded_zip, is_whole

CAN_READ = "tracelab reads .tlab, torch.export (.pt2), TorchScript and ONNX files"
"""The suggestion of a message about another file."""


def kind_of(file: IO[bytes]) -> str:
    """`tlab`, `export`, `script`, `onnx`, or a sentence about what else it is."""
    start = file.tell()
    head = file.read(16)
    file.seek(start)
    if not head:
        return "the file is empty"
    if not head.startswith(b"PK"):
        return _by_first_bytes(head)
    try:
        with bounded_zip(file) as archive:
            if not is_whole(archive):
                return "the file is a damaged or truncated archive"
            if "meta.json" in archive.namelist() and "graph.json" in archive.namelist():
                return "tlab"
            return "export" if program_entries(archive) else _torch_kind(names_of(archive))
    except ZIP_ERRORS as error:
        reason = str(error)[:100] or type(error).__name__
        raise TracelabFileError(f"the file is a damaged or truncated archive: {reason}") from error


def _torch_kind(names: list[str]) -> str:
    if any(name.startswith("code/") for name in names) or "constants.pkl" in names:
        return "script"
    if any(name.startswith("data/aotinductor/") for name in names):
        return "the file is an AOTInductor package, which holds compiled code and no graph"
    if "data.pkl" in names:
        return (
            "the file is a checkpoint, a pickle that torch.save wrote (a state_dict, or a whole module), which holds "
            "weights but no graph and is not loaded, as loading can run code"
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
    if head[:1] == b"\x08" and head[2:3] in _BEHIND_VERSION:
        return "onnx"
    return "the file holds no graph that tracelab knows"


_BEHIND_VERSION = (b"\x12", b"\x1a", b"\x22", b"\x28", b"\x32", b"\x3a", b"\x42")
"""What begins the field of an ONNX model that stands behind the version of its format."""
