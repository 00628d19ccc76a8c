"""The types and numbers of torch.export archives: dtypes, layouts and memory formats have numbers of their own.

The numbers are those of `ScalarType`, `Layout` and `MemoryFormat` in torch/_export/serde/schema.py.
"""

from __future__ import annotations

import math
from typing import Any

import torch

from tracelab.graph.types import TensorType
from tracelab.storage import validation

_DTYPES = {
    1: "uint8",
    2: "int8",
    3: "int16",
    4: "int32",
    5: "int64",
    6: "float16",
    7: "float32",
    8: "float64",
    9: "complex32",
    10: "complex64",
    11: "complex128",
    12: "bool",
    13: "bfloat16",
    28: "uint16",
    29: "float8_e4m3fn",
    30: "float8_e5m2",
    31: "float8_e4m3fnuz",
    32: "float8_e5m2fnuz",
    33: "float8_e8m0fnu",
    34: "uint32",
    35: "uint64",
}
_LAYOUTS = {1: "sparse_coo", 2: "sparse_csr", 3: "sparse_csc", 4: "sparse_bsr", 5: "sparse_bsc", 6: "_mkldnn"}
_LAYOUTS[7] = "strided"
_MEMORY_FORMATS = {1: "contiguous_format", 2: "channels_last", 3: "channels_last_3d", 4: "preserve_format"}


def _named(names: dict[int, str], item: Any, where: str) -> Any:
    number = validation.integer(item, where)
    found = getattr(torch, names.get(number, ""), None)
    if found is None:
        validation.bad(where, f"has the number {number}, which this torch ({torch.__version__}) does not know")
    return found


def dtype_of(item: Any, where: str) -> torch.dtype:
    return _named(_DTYPES, item, where)  # type: ignore[no-any-return]


def layout_of(item: Any, where: str) -> torch.layout:
    return _named(_LAYOUTS, item, where)  # type: ignore[no-any-return]


def memory_format_of(item: Any, where: str) -> torch.memory_format:
    return _named(_MEMORY_FORMATS, item, where)  # type: ignore[no-any-return]


def device_of(item: Any, where: str) -> torch.device:
    entry = validation.table(item, where)
    name = validation.text(validation.field(entry, "type", where), where)
    index = entry.get("index")
    try:
        return torch.device(name) if index is None else torch.device(name, validation.integer(index, where, 0, 127))
    except RuntimeError:
        validation.bad(where, f"is no device: {name[:40]!r}")


def float_of(item: Any, where: str) -> float:
    """A number; infinities and NaN may be written as words."""
    if isinstance(item, str) and item in ("Infinity", "-Infinity", "NaN"):
        return float(item)
    if type(item) not in (int, float):
        validation.bad(where, "should be a number")
    try:
        return float(item)
    except OverflowError:
        return math.inf if item > 0 else -math.inf


def size_of(item: Any, where: str) -> int:
    """A size, or the hint of a symbolic one; -1 where an expression has no hint."""
    entry = validation.table(item, where)
    if "as_int" in entry:
        return validation.integer(entry["as_int"], where, -1)
    expression = validation.table(validation.field(entry, "as_expr", where), where)
    hint = expression.get("hint")
    if hint is None:
        return -1
    number = validation.table(hint, where).get("as_int")
    return -1 if number is None else validation.integer(number, where, -(2**63))


def tensor_type(item: Any, where: str) -> TensorType:
    """The type of one tensor, as `TensorMeta` has it."""
    entry = validation.table(item, where)
    sizes = tuple(
        [max(size_of(size, where), -1) for size in validation.rows(validation.field(entry, "sizes", where), where)]
    )
    steps = validation.rows(validation.field(entry, "strides", where), where)
    strided = entry.get("layout", 7) == 7 and len(steps) == len(sizes)
    return TensorType(
        dtype_of(validation.field(entry, "dtype", where), where),
        sizes,
        tuple([max(size_of(step, where), 0) for step in steps]) if strided else None,
        device_of(validation.field(entry, "device", where), where),
        validation.boolean(validation.field(entry, "requires_grad", where), where),
    )


_SCRIPT_DTYPES = (
    "uint8 int8 int16 int32 int64 float16 float32 float64 complex32 complex64 complex128 bool qint8 quint8 qint32 "
    "bfloat16"
).split()
_SCRIPT_LAYOUTS = ("strided", "sparse_coo", "sparse_csr")
_SCRIPT_FORMATS = ("contiguous_format", "preserve_format", "channels_last", "channels_last_3d")
_SCRIPT = {"ScalarType": _SCRIPT_DTYPES, "Layout": _SCRIPT_LAYOUTS, "MemoryFormat": _SCRIPT_FORMATS}


def scalar_type(wanted: str, number: int) -> Any:
    """The dtype, layout or memory format behind a number of TorchScript's, which are those of c10; else the number."""
    names = _SCRIPT.get(wanted)
    return getattr(torch, names[number]) if names is not None and 0 <= number < len(names) else number
