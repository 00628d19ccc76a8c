"""Adaptive pools as ONNX, of any size: torch's exporter writes the windows of the example's sizes as numbers."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.export import ExportedProgram

_AVERAGES = {
    "aten.adaptive_avg_pool1d.default": 1,
    "aten.adaptive_avg_pool2d.default": 2,
    "aten._adaptive_avg_pool2d.default": 2,
    "aten.adaptive_avg_pool3d.default": 3,
    "aten._adaptive_avg_pool3d.default": 3,
}
_MAXIMA = {
    "aten.adaptive_max_pool1d.default": 1,
    "aten.adaptive_max_pool2d.default": 2,
    "aten.adaptive_max_pool3d.default": 3,
}


def forms_of_pools(program: ExportedProgram) -> dict[Any, Callable[..., Any]]:
    """What to write for each adaptive pool of the program whose windows follow from sizes that are open.

    A pool to one element is a mean or a maximum, and one whose sizes are numbers has windows: torch writes these.
    """
    found: dict[Any, Callable[..., Any]] = {}
    for node in program.graph.nodes:
        dims = {**_AVERAGES, **_MAXIMA}.get(str(node.target))
        taken = node.args[0].meta.get("val") if dims else None
        if not isinstance(taken, Tensor) or all(size == 1 for size in node.args[1]):
            continue
        if any(isinstance(size, torch.SymInt) for size in taken.shape[-dims:]):  # type: ignore[operator]
            found[node.target] = _form(dims, _average if str(node.target) in _AVERAGES else _maximum)  # type: ignore[arg-type]
    return found


def _form(dims: int, write: Callable[..., Any]) -> Callable[..., Any]:
    def form(self: Any, output_size: Any) -> Any:
        from onnxscript import opset18

        op: Any = opset18
        wanted = [
            op.Constant(value_ints=[size]) if isinstance(size, int) else op.Reshape(size, op.Constant(value_ints=[1]))
            for size in output_size
        ]
        return write(op, self, wanted, dims)

    return form


def _windows(op: Any, size: Any, wanted: Any) -> tuple[Any, Any]:
    """Which of `size` elements (rows) each of the `wanted` windows (columns) takes, and how many."""
    zero, one = op.Constant(value_int=0), op.Constant(value_int=1)
    window = op.Range(zero, op.Squeeze(wanted), one)
    start = op.Div(op.Mul(window, size), wanted)
    # Rounded up.
    end = op.Div(op.Sub(op.Add(op.Mul(op.Add(window, one), size), wanted), one), wanted)
    place = op.Unsqueeze(op.Range(zero, op.Squeeze(size), one), op.Constant(value_ints=[-1]))
    return op.And(op.GreaterOrEqual(place, start), op.Less(place, end)), op.Sub(end, start)


def _size(op: Any, item: Any, axis: int) -> Any:
    return op.Shape(item, start=axis) if axis == -1 else op.Shape(item, start=axis, end=axis + 1)


def _swapped(op: Any, item: Any, axis: int, rank: int) -> Any:
    """With that axis at the end, and the last one in its place."""
    order = list(range(rank))
    order[axis], order[-1] = order[-1], order[axis]
    return item if axis == -1 else op.Transpose(item, perm=order)


def _average(op: Any, item: Any, wanted: list[Any], dims: int) -> Any:
    rank = len(item.shape)
    for axis in range(-dims, 0):
        taken, count = _windows(op, _size(op, item, axis), wanted[axis])
        share = op.Div(op.CastLike(taken, item), op.CastLike(count, item))
        item = _swapped(op, op.MatMul(_swapped(op, item, axis, rank), share), axis, rank)
    return item


def _maximum(op: Any, item: Any, wanted: list[Any], dims: int) -> tuple[Any, Any]:
    """The greatest elements, and where each is among all: of equal ones the first, as in torch."""
    rank = len(item.shape)
    last, before_last = op.Constant(value_ints=[-1]), op.Constant(value_ints=[-2])
    lowest = op.CastLike(op.Constant(value_float=float("-inf")), item)
    places: Any = None
    stride: Any = None
    for axis in range(-1, -dims - 1, -1):
        size = _size(op, item, axis)
        taken, _ = _windows(op, size, wanted[axis])
        candidates = op.Where(taken, op.Unsqueeze(_swapped(op, item, axis, rank), last), lowest)
        at = op.ArgMax(candidates, axis=-2, keepdims=0)
        item = _swapped(op, op.ReduceMax(candidates, before_last, keepdims=0), axis, rank)
        at = _swapped(op, at, axis, rank)
        if places is None:
            places, stride = at, size
        else:
            places = op.Add(op.GatherElements(places, at, axis=rank + axis), op.Mul(at, stride))
            stride = op.Mul(stride, size)
    return item, places
