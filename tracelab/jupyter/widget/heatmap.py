"""A 2-D slice of a tensor, made small enough to be sent to the browser."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor

from tracelab.errors import InputError
from tracelab.execute.measure.statistics import plain_elements
from tracelab.graph.types import counted

MOST = 128
"""Cells along each side at most."""


@dataclass(frozen=True, slots=True)
class Heatmap:
    """`cells` are float32, row after row; each is the mean of `step[0]`×`step[1]` elements or fewer (NaN where one is).

    `axes` are the tensor's dimensions that run down and across, -1 where the tensor has none; `index` is the place in
    each dimension, of which those of `axes` do not count. `low` and `high` are the extremes of the slice's finite
    elements, None where it has none.
    """

    rows: int
    columns: int
    axes: tuple[int, int]
    index: tuple[int, ...]
    step: tuple[int, int]
    low: float | None
    high: float | None
    cells: bytes


def heatmap(tensor: Tensor, axes: Sequence[int] | None = None, index: Sequence[int] | None = None) -> Heatmap:
    """The slice of `tensor` along two of its dimensions, the last two unless told, at `index` in all others.

    Raises `InputError` for dimensions and places that the tensor does not have, and for tensors without data.

    >>> heatmap(torch.eye(4)).rows
    4
    """
    dims = tensor.dim()
    across, down = dims - 1, dims - 2 if dims > 1 else -1
    if axes is not None and dims > 1:
        down, across = axes[0], axes[1]
        if down == across or not (0 <= down < dims and 0 <= across < dims):
            raise InputError(
                f"dimensions {down} and {across} do not span a slice of a tensor of {counted(dims, 'dimension')}"
            )
    place = tuple(index) if index is not None and len(index) == dims else (0,) * dims
    outside = next((d for d in range(dims) if d not in (down, across) and not 0 <= place[d] < tensor.shape[d]), None)
    if outside is not None:
        raise InputError(f"index {place[outside]} is outside dimension {outside}, of extent {tensor.shape[outside]}")
    if tensor.layout is not torch.strided or tensor.is_nested:
        raise InputError("a heatmap is drawn of dense tensors only")
    with torch.no_grad():
        part = tensor.detach()
        for dimension in reversed(range(dims)):
            if dimension not in (down, across):
                part = part.select(dimension, place[dimension])
        if dims > 1 and down > across:
            part = part.transpose(0, 1)
        part = part.reshape(1, -1) if dims < 2 else part
        rows, columns = part.shape
        elements = plain_elements(part.contiguous())
        if elements is None:
            raise InputError("this tensor has no data to draw")
        grid = elements.reshape(rows, columns).float()
        finite = grid[torch.isfinite(grid)]
        step = (math.ceil(rows / MOST) or 1, math.ceil(columns / MOST) or 1)
        if step != (1, 1) and grid.numel():
            pool = torch.nn.functional.avg_pool2d
            grid = pool(grid[None], step, ceil_mode=True, count_include_pad=False)[0]
        cells = grid.to("cpu").contiguous()
        low = float(finite.min()) if finite.numel() else None
        high = float(finite.max()) if finite.numel() else None
    data = bytes(cells.reshape(-1).view(torch.uint8).tolist())
    return Heatmap(cells.shape[0], cells.shape[1], (down, across), place, step, low, high, data)
