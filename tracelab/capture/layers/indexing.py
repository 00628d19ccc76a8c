"""Indexing: `x[...]` and `x[...] = y`, written out as the operators they stand for.

torch's own binding takes shortcuts that depend on sizes (a slice over a whole dimension is left out) and
needs plain numbers; here every step is an operator and traced sizes stay symbolic.
"""

from __future__ import annotations

from typing import Any

import torch

from tracelab.capture.recording.recorder import Recorder

_aten = torch.ops.aten


def get_item(recorder: Recorder, tensor: torch.Tensor, index: Any) -> Any:
    """`tensor[index]`, or `NotImplemented` where the index is of a kind that torch should handle itself."""
    entries = _entries(tensor, index)
    if entries is None:
        return NotImplemented
    result, indices = _walk(recorder, tensor, entries)
    if not indices:
        return _aten.alias.default(result) if result is tensor else result
    return _aten.index.Tensor(result, indices)


def set_item(recorder: Recorder, tensor: torch.Tensor, index: Any, item: Any) -> Any:
    """`tensor[index] = item`; returns None when done, `NotImplemented` otherwise."""
    entries = _entries(tensor, index)
    if entries is None or tensor.layout is not torch.strided:
        return NotImplemented
    target, indices = _walk(recorder, tensor, entries)
    if not indices:
        if isinstance(item, torch.Tensor):
            _aten.copy_.default(target, _fit(item, target))
        else:
            _aten.fill_.Scalar(target, item)
        return None
    if not isinstance(item, torch.Tensor):
        item = torch.full((), item, dtype=tensor.dtype, device=tensor.device)
    elif item.dtype != tensor.dtype or (item.device != tensor.device and item.dim() > 0):
        item = item.to(device=tensor.device, dtype=tensor.dtype)
    _aten.index_put_.default(target, indices, item)
    return None


def _fit(item: torch.Tensor, target: torch.Tensor) -> torch.Tensor:
    """Leading dimensions of size one that the target has not may be left out, as in NumPy."""
    extra = item.dim() - target.dim()
    while extra > 0 and item.dim() > 0 and item.size(0) == 1:
        item = _aten.squeeze.dim(item, 0)
        extra -= 1
    return item


def _entries(tensor: torch.Tensor, index: Any) -> list[Any] | None:
    """The index as a list, an ellipsis spread out; None for what torch should do itself."""
    if type(index) is list:
        return None
    entries = list(index) if isinstance(index, tuple) else [index]
    used = 0
    for entry in entries:
        if entry is None or entry is Ellipsis:
            continue
        foreign_array = hasattr(entry, "__array__") and not isinstance(entry, (torch.Tensor, torch.SymInt))
        if foreign_array or isinstance(entry, (bool, list, str)):
            return None
        if isinstance(entry, torch.Tensor):
            if entry.dtype in (torch.bool, torch.uint8):
                if entry.dim() == 0:
                    return None
                used += entry.dim()
                continue
        elif not isinstance(entry, (int, slice, torch.SymInt)):
            return None
        used += 1
    if sum(1 for entry in entries if entry is Ellipsis) > 1 or used > tensor.dim():
        return None
    spread: list[Any] = []
    for entry in entries:
        if entry is Ellipsis:
            spread.extend([slice(None)] * (tensor.dim() - used))
        else:
            spread.append(entry)
    return spread


def _walk(
    recorder: Recorder, tensor: torch.Tensor, entries: list[Any]
) -> tuple[torch.Tensor, list[torch.Tensor | None]]:
    """Apply the entries that make views one by one; tensors are collected for one `index` at the end."""
    result = tensor
    dim = 0
    indices: list[torch.Tensor | None] = []
    for entry in entries:
        if entry is None:
            result = _aten.unsqueeze.default(result, dim)
            dim += 1
        elif isinstance(entry, (int, torch.SymInt)):
            result = _aten.select.int(result, dim, entry)
        elif isinstance(entry, slice):
            whole = entry.start is None and entry.stop is None and entry.step is None
            if not whole:
                start, stop, step = (_bound(part) for part in (entry.start, entry.stop, entry.step))
                result = _aten.slice.Tensor(result, dim, start, stop, 1 if step is None else step)
            dim += 1
        elif entry.dim() == 0:
            # A whole number in a tensor selects, as a Python number does; its value stays traced.
            result = _aten.select.int(result, dim, _aten.item.default(entry))
        else:
            indices.extend([None] * (dim - len(indices)))
            indices.append(entry.to(result.device) if entry.device != result.device else entry)
            taken = entry.dim() if entry.dtype in (torch.bool, torch.uint8) else 1
            dim += taken
            indices.extend([None] * (taken - 1))
    # A mask of several dimensions stands for as many entries.
    return result, _without_mask_padding(indices)


def _without_mask_padding(indices: list[torch.Tensor | None]) -> list[torch.Tensor | None]:
    kept: list[torch.Tensor | None] = []
    skip = 0
    for entry in indices:
        if skip:
            skip -= 1
            continue
        kept.append(entry)
        if entry is not None and entry.dtype in (torch.bool, torch.uint8):
            skip = entry.dim() - 1
    return kept


def _bound(part: Any) -> Any:
    """A bound of a slice: a tensor's value stays traced."""
    if isinstance(part, torch.Tensor):
        return _aten.item.default(part)
    if part is None or isinstance(part, (int, torch.SymInt)):
        return part
    return part.__index__()
