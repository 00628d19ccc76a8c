"""Tensors that are stored as several plain ones: quantized, sparse and nested.

Each kind says how it is taken apart, and how it is put together; what a file says of it is checked by torch.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from tracelab.compat.tensors import indices_of, quantized_by_channel_of, quantized_of, values_of
from tracelab.storage import validation

Parts = dict[str, torch.Tensor]

_COMPRESSED = {
    torch.sparse_csr: ("sparse_csr", True),
    torch.sparse_csc: ("sparse_csc", False),
    torch.sparse_bsr: ("sparse_bsr", True),
    torch.sparse_bsc: ("sparse_bsc", False),
}
"""Layouts by their names, with whether rows are what is compressed."""
_LAYOUTS = {name: layout for layout, (name, _) in _COMPRESSED.items()}
_QUANTIZED = (torch.quint8, torch.qint8, torch.qint32)
_PER_TENSOR = (torch.per_tensor_affine, torch.per_tensor_symmetric)


def take_apart(tensor: torch.Tensor) -> tuple[dict[str, Any], Parts] | None:
    """What a row says of the tensor, and its parts by name; None for one that is stored as it is, or not at all."""
    if tensor.is_meta:
        return None
    with torch.no_grad():
        tensor = tensor.detach()
        if tensor.is_quantized:
            return _take_quantized(tensor)
        if tensor.is_nested:
            return _take_nested(tensor)
        if tensor.layout is torch.sparse_coo:
            parts = {"indices": indices_of(tensor), "values": values_of(tensor)}
            return {"made": "sparse_coo", "coalesced": tensor.is_coalesced()}, parts
        if tensor.layout in _COMPRESSED:
            name, by_rows = _COMPRESSED[tensor.layout]
            compressed, plain = (
                (tensor.crow_indices(), tensor.col_indices())
                if by_rows
                else (tensor.ccol_indices(), tensor.row_indices())
            )
            return {"made": name}, {"compressed": compressed, "plain": plain, "values": tensor.values()}
    return None


def _take_quantized(tensor: torch.Tensor) -> tuple[dict[str, Any], Parts] | None:
    if tensor.dtype not in _QUANTIZED:
        return None
    numbers = tensor.int_repr()
    if tensor.qscheme() in _PER_TENSOR:
        scale = torch.tensor(tensor.q_scale(), dtype=torch.float64)
        zero_point = torch.tensor(tensor.q_zero_point(), dtype=torch.int64)
        return {"made": "quantized"}, {"numbers": numbers, "scale": scale, "zero_point": zero_point}
    scales, zero_points = tensor.q_per_channel_scales(), tensor.q_per_channel_zero_points()
    parts = {"numbers": numbers, "scales": scales, "zero_points": zero_points}
    return {"made": "quantized_by_channel", "axis": tensor.q_per_channel_axis()}, parts


def _take_nested(tensor: torch.Tensor) -> tuple[dict[str, Any], Parts] | None:
    if tensor.layout is not torch.strided:
        return None
    return {"made": "nested"}, {str(number): part for number, part in enumerate(tensor.unbind())}


def put_together(row: Mapping[str, Any], parts: Parts, shape: list[int]) -> torch.Tensor:
    """The tensor again; `TracelabFileError` where its parts do not fit together."""
    kind = validation.text(row["made"], "a tensor")
    maker = _MAKERS.get(kind)
    if maker is None:
        validation.bad("a tensor", f"is of the unknown kind {kind[:40]!r}")
    try:
        with torch.no_grad():
            made = maker(row, parts, shape)
    except (RuntimeError, ValueError, TypeError, IndexError, KeyError) as error:
        words = str(error).splitlines() or [type(error).__name__]
        validation.bad(f"a tensor of the kind {kind[:40]!r}", f"cannot be put together: {words[0]}")
    return made


def _quantized(row: Mapping[str, Any], parts: Parts, shape: list[int]) -> torch.Tensor:
    scale, zero_point = float(parts["scale"].item()), int(parts["zero_point"].item())
    made: torch.Tensor = quantized_of(parts["numbers"], scale, zero_point)
    return made


def _by_channel(row: Mapping[str, Any], parts: Parts, shape: list[int]) -> torch.Tensor:
    numbers, scales, zero_points = parts["numbers"], parts["scales"], parts["zero_points"]
    axis = validation.index(row.get("axis"), "the axis of a quantized tensor", numbers.dim())
    for item in (scales, zero_points):
        if item.shape != (numbers.shape[axis],):
            raise ValueError("there is not one scale and one zero point for each channel")
    made: torch.Tensor = quantized_by_channel_of(numbers, scales, zero_points, axis)
    return made


def _coo(row: Mapping[str, Any], parts: Parts, shape: list[int]) -> torch.Tensor:
    coalesced = validation.boolean(row.get("coalesced"), "a sparse tensor")
    return torch.sparse_coo_tensor(
        parts["indices"], parts["values"], shape, check_invariants=True, is_coalesced=coalesced
    )


def _compressed(row: Mapping[str, Any], parts: Parts, shape: list[int]) -> torch.Tensor:
    return torch.sparse_compressed_tensor(
        parts["compressed"],
        parts["plain"],
        parts["values"],
        shape,
        layout=_LAYOUTS[row["made"]],
        check_invariants=True,
    )


def _nested(row: Mapping[str, Any], parts: Parts, shape: list[int]) -> torch.Tensor:
    return torch.nested.as_nested_tensor([parts[str(number)] for number in range(len(parts))], layout=torch.strided)


_MAKERS: dict[str, Callable[[Mapping[str, Any], Parts, list[int]], torch.Tensor]] = {
    "quantized": _quantized,
    "quantized_by_channel": _by_channel,
    "sparse_coo": _coo,
    "nested": _nested,
    **dict.fromkeys(_LAYOUTS, _compressed),
}
