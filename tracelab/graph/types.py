"""Types of values: a `TensorType` for tensors, TorchScript's own type words for everything else; amounts of bytes."""

from __future__ import annotations

from dataclasses import dataclass

import torch

# TorchScript's names of scalar types, as its printed graphs use them.
TORCHSCRIPT_DTYPE = {
    torch.float32: "Float",
    torch.float64: "Double",
    torch.float16: "Half",
    torch.bfloat16: "BFloat16",
    torch.int64: "Long",
    torch.int32: "Int",
    torch.int16: "Short",
    torch.int8: "Char",
    torch.uint8: "Byte",
    torch.bool: "Bool",
    torch.complex32: "ComplexHalf",
    torch.complex64: "ComplexFloat",
    torch.complex128: "ComplexDouble",
}


@dataclass(frozen=True, slots=True)
class TensorType:
    """What a tensor was like when it was recorded.

    `shape` and `stride` count elements; `stride` is None where the layout has none (sparse, nested).
    """

    dtype: torch.dtype
    shape: tuple[int, ...]
    stride: tuple[int, ...] | None
    device: torch.device
    requires_grad: bool = False

    def __str__(self) -> str:
        """TorchScript's notation: `Float(2, 3, strides=[3, 1], requires_grad=0, device=cpu)`."""
        name = TORCHSCRIPT_DTYPE.get(self.dtype)
        if name is None:
            return "Tensor"
        parts = [str(n) for n in self.shape]
        if self.stride:
            parts.append(f"strides=[{', '.join(map(str, self.stride))}]")
        parts.append(f"requires_grad={int(self.requires_grad)}")
        parts.append(f"device={self.device}")
        return f"{name}({', '.join(parts)})"

    @property
    def dtype_name(self) -> str:
        """`float32`."""
        return str(self.dtype).removeprefix("torch.")

    @property
    def short(self) -> str:
        """`float32[2, 3]`, as hints and tables show it."""
        return f"{self.dtype_name}[{', '.join(map(str, self.shape))}]"


Type = TensorType | str


def type_text(type_: Type) -> str:
    """The TorchScript spelling of a type."""
    return str(type_)


def type_of_constant(value: object) -> str:
    """TorchScript's word for the type of a Python constant; `Any` where it has none.

    >>> type_of_constant(True), type_of_constant(1), type_of_constant([1, 2])
    ('bool', 'int', 'int[]')
    """
    if value is None:
        return "NoneType"
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, (int, torch.dtype, torch.layout, torch.memory_format)):
        return "int"
    if isinstance(value, float):
        return "float"
    if isinstance(value, complex):
        return "complex"
    if isinstance(value, str):
        return "str"
    if isinstance(value, torch.device):
        return "Device"
    if isinstance(value, torch.Generator):
        return "Generator"
    if isinstance(value, (list, tuple)):
        inner = {type_of_constant(item) for item in value}
        return f"{inner.pop()}[]" if len(inner) == 1 else "Any"
    return "Any"


def tensor_type(tensor: torch.Tensor) -> TensorType:
    """What a tensor is like now."""
    if tensor.layout is torch.strided and not tensor.is_nested:
        shape, stride = tuple(tensor.shape), tensor.stride()
    elif tensor.is_nested:
        # A jagged tensor's size along its ragged dimension is not one number.
        shape, stride = tuple(-1 for _ in range(tensor.dim())), None
    else:
        shape, stride = tuple(tensor.shape), None
    found = (tensor.dtype, shape, stride, tensor.device, tensor.requires_grad)
    known = _KNOWN.get(found)
    if known is None:
        if len(_KNOWN) >= _MOST_KNOWN:
            _KNOWN.clear()
        known = _KNOWN[found] = TensorType(*found)
    return known


_KNOWN: dict[tuple[object, ...], TensorType] = {}
"""Most values of a trace are like another one: a look costs a fifth of a new object, which would be kept as well."""
_MOST_KNOWN = 65_536


def bytes_text(count: int) -> str:
    """`44.6 MiB`."""
    size = float(count)
    for unit in ("B", "KiB", "MiB", "GiB"):
        if size < 1024 or unit == "GiB":
            break
        size /= 1024
    return f"{count} B" if unit == "B" else f"{size:.1f} {unit}"


def time_text(seconds: float) -> str:
    """`1.20 ms`, `3.4 µs`."""
    return f"{seconds * 1e3:.2f} ms" if seconds >= 1e-3 else f"{seconds * 1e6:.1f} µs"


def counted(count: int, noun: str) -> str:
    """`1 node`, `1,234 nodes`."""
    return f"{count:,} {noun}{'' if count == 1 else 's'}"
