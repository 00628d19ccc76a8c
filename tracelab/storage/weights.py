"""`weights.safetensors`: written and read one tensor at a time.

The format is small: eight bytes with the length of a JSON header, the header, and the tensors' bytes one
after the other. Written here, tensors go straight into the archive and out of it, and a model needs its size
in memory once.
"""

from __future__ import annotations

import ctypes
import json
import math
from collections.abc import Iterable
from typing import IO, Any

import torch

from tracelab.storage import validation

_DTYPES = {
    torch.bool: "BOOL",
    torch.uint8: "U8",
    torch.int8: "I8",
    torch.uint16: "U16",
    torch.int16: "I16",
    torch.uint32: "U32",
    torch.int32: "I32",
    torch.uint64: "U64",
    torch.int64: "I64",
    torch.float16: "F16",
    torch.bfloat16: "BF16",
    torch.float32: "F32",
    torch.float64: "F64",
    torch.float8_e4m3fn: "F8_E4M3",
    torch.float8_e5m2: "F8_E5M2",
    torch.float8_e4m3fnuz: "F8_E4M3FNUZ",
    torch.float8_e5m2fnuz: "F8_E5M2FNUZ",
    torch.float8_e8m0fnu: "F8_E8M0",
}
_BY_NAME = {name: dtype for dtype, name in _DTYPES.items()}
_LARGEST_HEADER = 100_000_000

STORED_DTYPES = frozenset(_DTYPES)
"""What the format has a name for; complex tensors are written as pairs of real numbers."""


def write_weights(out: IO[bytes], tensors: Iterable[tuple[str, torch.Tensor]]) -> None:
    """Write contiguous tensors of `STORED_DTYPES`, from any device, under distinct names."""
    # Larger elements first: every tensor then starts at a multiple of its element's size.
    ordered = sorted(tensors, key=lambda pair: (-pair[1].element_size(), pair[0]))
    header: dict[str, Any] = {}
    offset = 0
    for name, tensor in ordered:
        size = tensor.numel() * tensor.element_size()
        header[name] = {
            "dtype": _DTYPES[tensor.dtype],
            "shape": list(tensor.shape),
            "data_offsets": [offset, offset + size],
        }
        offset += size
    text = json.dumps(header, separators=(",", ":")).encode()
    text += b" " * (-len(text) % 8)
    out.write(len(text).to_bytes(8, "little"))
    out.write(text)
    for _, tensor in ordered:
        on_cpu = tensor.detach().cpu()
        if on_cpu.numel():
            out.write(_bytes_of(on_cpu))


def read_weights(source: IO[bytes], size: int) -> dict[str, torch.Tensor]:
    """The tensors of an entry of `size` bytes; `TracelabFileError` where it is not sound."""
    where = "weights.safetensors"
    length = int.from_bytes(_exactly(source, 8, where), "little")
    if length > min(size - 8, _LARGEST_HEADER):
        validation.bad(where, "has a header longer than the file")
    try:
        header = validation.table(json.loads(_exactly(source, length, where).decode()), where)
    except (ValueError, RecursionError):
        validation.bad(where, "has an unreadable header")
    header.pop("__metadata__", None)
    entries = sorted((_entry(name, item, where) for name, item in header.items()), key=lambda entry: entry[3:])
    made: dict[str, torch.Tensor] = {}
    position = 0
    for name, dtype, shape, start, end in entries:
        if start != position or end > size - 8 - length:
            validation.bad(where, f"has bytes that belong to no tensor, or to two, at {name[:60]!r}")
        if end - start != math.prod(shape) * dtype.itemsize:
            validation.bad(where, f"gives {name[:60]!r} {end - start} bytes, which do not fit its shape {shape}")
        made[name] = _read_tensor(source, dtype, shape, end - start, where)
        position = end
    if position != size - 8 - length or source.read(1):
        validation.bad(where, "has bytes after its last tensor")
    return made


def _entry(name: str, item: Any, where: str) -> tuple[str, torch.dtype, list[int], int, int]:
    entry = validation.table(item, where)
    word = validation.text(validation.field(entry, "dtype", where), where)
    if word not in _BY_NAME:
        validation.bad(where, f"holds {name[:60]!r} of the unknown type {word[:20]!r}")
    shape = [
        validation.integer(count, where) for count in validation.rows(validation.field(entry, "shape", where), where)
    ]
    if len(shape) > 64:
        validation.bad(where, f"gives {name[:60]!r} more than 64 dimensions")
    start, end = validation.rows(validation.field(entry, "data_offsets", where), where, 2)
    first = validation.integer(start, where)
    return name, _BY_NAME[word], shape, first, validation.integer(end, where, first)


def _read_tensor(source: IO[bytes], dtype: torch.dtype, shape: list[int], size: int, where: str) -> torch.Tensor:
    # A byte other than 0 and 1 is no boolean to torch: those are made by comparison.
    kept = torch.uint8 if dtype is torch.bool else dtype
    try:
        tensor = torch.empty(shape, dtype=kept, device="cpu")
    except (RuntimeError, ValueError) as error:
        validation.bad(where, f"holds a tensor that cannot be made: {str(error).splitlines()[0]}")
    if size:
        buffer = _bytes_of(tensor)
        done = 0
        while done < size:
            chunk = source.read(min(size - done, 1 << 24))
            if not chunk:
                validation.bad(where, "is truncated")
            buffer[done : done + len(chunk)] = chunk
            done += len(chunk)
    return tensor != 0 if dtype is torch.bool else tensor


def _bytes_of(tensor: torch.Tensor) -> memoryview:
    """The memory of a contiguous CPU tensor, which must outlive the view."""
    size = tensor.numel() * tensor.element_size()
    return memoryview((ctypes.c_char * size).from_address(tensor.data_ptr())).cast("B")


def _exactly(source: IO[bytes], size: int, where: str) -> bytes:
    content = source.read(size)
    if len(content) != size:
        validation.bad(where, "is truncated")
    return content
