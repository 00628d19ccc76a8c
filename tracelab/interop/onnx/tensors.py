"""Tensors and types of ONNX files; external data lies in the folder of the file and nowhere else."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import torch

from tracelab.graph.types import TensorType, Type
from tracelab.libraries import needed_library
from tracelab.storage import validation

DTYPES = {
    1: torch.float32,
    2: torch.uint8,
    3: torch.int8,
    4: torch.uint16,
    5: torch.int16,
    6: torch.int32,
    7: torch.int64,
    9: torch.bool,
    10: torch.float16,
    11: torch.float64,
    12: torch.uint32,
    13: torch.uint64,
    14: torch.complex64,
    15: torch.complex128,
    16: torch.bfloat16,
}
"""ONNX's numbers of element types; those that are not here (text, four bits) have no tensor of torch."""
ELEMENTS = {dtype: number for number, dtype in DTYPES.items()}


def needed(library: str) -> Any:
    """An optional library of ONNX; `TracelabError` asks for it where it is missing."""
    return needed_library(library, "this", "'tracelab[onnx]'")


def tensor_of(proto: Any, folder: Path | None, where: str) -> torch.Tensor | None:
    """The tensor of an initializer; None for an element type that torch has not, or data that is not at hand."""
    dtype = DTYPES.get(proto.data_type)
    dims = [validation.integer(int(size), f"a size of {where}") for size in proto.dims]
    if dtype is None:
        return None
    count = 1
    for size in dims:
        count *= size
    if proto.data_location == 1:
        if folder is None:
            return None
        data = external_bytes(proto, folder, where, count * dtype.itemsize)
    elif proto.raw_data:
        data = bytearray(proto.raw_data)
    else:
        return _of_fields(proto, dtype, dims, count, where)
    if len(data) != count * dtype.itemsize:
        validation.bad(where, f"has {len(data)} bytes, and its shape {dims} needs {count * dtype.itemsize}")
    flat = torch.frombuffer(data, dtype=dtype) if count else torch.empty(0, dtype=dtype)
    return flat.reshape(dims)


def _of_fields(proto: Any, dtype: torch.dtype, dims: list[int], count: int, where: str) -> torch.Tensor:
    if not any(len(getattr(proto, field)) for field in _FIELDS) and count:
        validation.bad(where, "has a shape and no data")
    array = needed("onnx").numpy_helper.to_array(proto)
    if array.size != count:
        validation.bad(where, f"has {array.size} elements, and its shape {dims} needs {count}")
    if dtype is torch.bfloat16:
        array = array.view("int16")
        return torch.from_numpy(array.copy()).view(torch.bfloat16).reshape(dims)
    return torch.from_numpy(array.copy()).reshape(dims)


_FIELDS = ("float_data", "int32_data", "int64_data", "double_data", "uint64_data")


def external_bytes(proto: Any, folder: Path, where: str, wanted: int) -> bytearray:
    """The bytes of a tensor that lie in another file of the same folder."""
    entries = {entry.key: entry.value for entry in proto.external_data}
    location = entries.get("location", "")
    parts = location.replace("\\", "/").split("/")
    if not location or os.path.isabs(location) or location[1:2] == ":" or ".." in parts or "\0" in location:
        validation.bad(where, f"lies in {location[:80]!r}, which is not a file in the folder of the model")
    path = (folder / location).resolve()
    if not path.is_relative_to(folder.resolve()) or not path.is_file():
        validation.bad(where, f"lies in {location[:80]!r}, which is not a file in the folder of the model")
    offset = _whole(entries.get("offset", "0"), where)
    length = _whole(entries.get("length", str(wanted)), where)
    if length != wanted or offset + length > path.stat().st_size:
        validation.bad(where, f"should be {wanted} bytes of {location[:80]!r}, which has none there")
    with path.open("rb") as file:
        file.seek(offset)
        return bytearray(file.read(length))


def _whole(text: str, where: str) -> int:
    if not text.isdecimal() or len(text) > 19:
        validation.bad(where, f"has {text[:40]!r} where a number of bytes belongs")
    return int(text)


def type_of(proto: Any) -> Type:
    """A value's type; a size that is not known is -1."""
    if proto is None or not proto.HasField("tensor_type"):
        kind = proto.WhichOneof("value") if proto is not None else None
        return {"sequence_type": "Tensor[]", "optional_type": "Tensor?"}.get(kind or "", "Any")
    tensor = proto.tensor_type
    dtype = DTYPES.get(tensor.elem_type)
    if dtype is None or not tensor.HasField("shape"):
        return "Tensor"
    shape = tuple(dim.dim_value if dim.HasField("dim_value") else -1 for dim in tensor.shape.dim)
    return TensorType(dtype, shape, None, torch.device("cpu"))


def type_of_tensor(proto: Any) -> Type:
    """The type of an initializer."""
    dtype = DTYPES.get(proto.data_type)
    return TensorType(dtype, tuple(proto.dims), None, torch.device("cpu")) if dtype is not None else "Tensor"
