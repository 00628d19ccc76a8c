"""Indexing: `x[...]` and `x[...] = y`, written out as the operators they stand for.

torch's own binding takes shortcuts that depend on sizes (a slice over a whole dimension is left out) and
needs plain numbers; here every step is an operator and traced sizes stay symbolic. Entries apply from left to right:
those that make views at once, and the tensors together at the end, by one `index` or `index_put_`.
"""

from __future__ import annotations

import sys
from typing import Any

import torch
from torch import Tensor

from tracelab.capture.layers.index_entries import (
    Flag,
    LeftToTorch,
    dimensions_used,
    is_mask,
    is_plain,
    read_entries,
    taken,
)
from tracelab.capture.layers.properties import assume_dimensions
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.values import SYMBOLIC, concrete, storage_of

_aten = torch.ops.aten


def get_item(recorder: Recorder, tensor: Tensor, index: Any) -> Any:
    """`tensor[index]`, or `NotImplemented` where the index is of a kind that torch should handle itself."""
    try:
        if not is_plain(tensor):
            raise LeftToTorch
        if type(index) is int and tensor.dim() > 0:
            return _aten.select.int(tensor, 0, index)
        entries = read_entries(recorder, tensor, index)
        result, indices = _walk(tensor, entries)
    except LeftToTorch:
        return NotImplemented
    if result is tensor and not indices:
        if _ends_behind_ellipsis(entries):
            _assume_whole(recorder, tensor, entries)
        return _whole(tensor, index)
    _assume_whole(recorder, tensor, entries)
    if not indices:
        return result
    _assume_rank(recorder, tensor, index)
    return _aten.index.Tensor(result, indices)


def set_item(recorder: Recorder, tensor: Tensor, index: Any, item: Any) -> Any:
    """`tensor[index] = item`; returns None when done, `NotImplemented` otherwise."""
    try:
        if not is_plain(tensor) or tensor.layout is not torch.strided or tensor.is_quantized:
            raise LeftToTorch
        item = _value(item)
        if index is False:
            _do_nothing(recorder, tensor, item)
            return None
        entries = [None] if index is True else read_entries(recorder, tensor, index)
        target, indices = _walk(tensor, entries)
    except LeftToTorch:
        return NotImplemented
    if indices:
        _assume_rank(recorder, tensor, index)
        _assume_whole(recorder, tensor, entries)
        if isinstance(index, torch.SymBool) and isinstance(item, Tensor) and item.dtype != tensor.dtype:
            # `x[True] = y` copies, which casts; `index_put_` does not.
            item = item.to(tensor.dtype)
        _put(target, indices, item)
        return None
    is_whole = target is tensor and _full_slices(index) > 0
    if not is_whole or _ends_behind_ellipsis(entries):
        _assume_whole(recorder, tensor, entries)
    if is_whole:
        target = _whole(tensor, index)
    if isinstance(item, Tensor):
        _copy(target, item)
    else:
        _aten.fill_.Scalar(target, item)
    return None


def _whole(tensor: Tensor, index: Any) -> Tensor:
    """`x[...]` is a view of all; `x[:, :]` as well, of a tensor that has two dimensions: another is refused."""
    count = _full_slices(index)
    result: Tensor = _aten.slice.Tensor(tensor, count - 1) if count else _aten.alias.default(tensor)
    return result


def _full_slices(index: Any) -> int:
    """How many slices there are in front of an ellipsis."""
    entries = list(index) if isinstance(index, (tuple, list)) else [index]
    before = entries[: entries.index(Ellipsis)] if any(entry is Ellipsis for entry in entries) else entries
    return sum(isinstance(entry, slice) for entry in before)


def _ends_behind_ellipsis(entries: list[Any]) -> bool:
    """`x[:, ..., :]`: the slices behind the ellipsis leave no operator, whatever stands in front of it."""
    return isinstance(entries[-1] if entries else None, slice) and any(entry is Ellipsis for entry in entries)


def _assume_whole(recorder: Recorder, tensor: Tensor, entries: list[Any]) -> None:
    """`x[0, :]`: the slice leaves no operator, and is refused where there is no such dimension."""
    using = [entry for entry in entries if entry is not None]
    middle = next((at for at, entry in enumerate(using) if entry is Ellipsis), None)
    looked_at = using[-1:] if middle is None else using
    # Counted from both ends, entries may meet in one dimension.
    on_both_sides = middle is not None and 0 < middle < len(using) - 1
    # `x[None, ..., :1]`: the new dimension takes the slice of one that is not there.
    has_room = middle is not None and len(using) > 1 and len(using) < len(entries)
    if on_both_sides or has_room or any(_is_whole(entry) for entry in looked_at):
        recorder.assume_rank_of(recorder.known(tensor), dimensions_used(entries), sys._getframe(2))


def _is_whole(entry: Any) -> bool:
    return isinstance(entry, slice) and entry.start is None and entry.stop is None and entry.step is None


def _assume_rank(recorder: Recorder, tensor: Tensor, index: Any) -> None:
    """`x[..., table]`: which dimension a table indexes is counted from the front."""
    if isinstance(index, (tuple, list)) and any(entry is Ellipsis for entry in index):
        assume_dimensions(recorder, tensor, sys._getframe(2))


def _value(item: Any) -> Any:
    """The assigned value: a tensor or a number of Python's; torch refuses others."""
    if isinstance(item, Tensor):
        if not is_plain(item):
            raise LeftToTorch
        return item
    if isinstance(item, (bool, *SYMBOLIC)):
        return item
    kind: Any
    for kind in (int, float, complex):
        if isinstance(item, kind):
            return kind(item)
    if type(item).__module__ == "numpy" and hasattr(item, "__index__") and not hasattr(item, "__len__"):
        return int(item)
    raise LeftToTorch


def _walk(tensor: Tensor, entries: list[Any]) -> tuple[Tensor, list[Tensor | None]]:
    """Apply the entries that make views one by one; tensors are collected for one `index` at the end.

    A mask stands in the list once, for as many dimensions as it has. Behind an ellipsis, dimensions are counted from
    the end.
    """
    result = tensor
    rest = tensor.dim() - dimensions_used(entries)
    dim = 0
    from_the_end = False
    indices: list[Tensor | None] = []

    def keep(count: int) -> None:
        nonlocal dim
        dim += count
        if indices:
            indices.extend([None] * count)

    def new_dimension() -> Tensor:
        made: Tensor = _aten.unsqueeze.default(result, dim - result.dim() - 1 if from_the_end else dim)
        return made

    for entry in entries:
        place = dim - result.dim() if from_the_end else dim
        if entry is None:
            result = new_dimension()
            keep(1)
        elif entry is Ellipsis:
            keep(rest)
            from_the_end = True
        elif isinstance(entry, slice):
            result = _slice(result, place, entry)
            keep(1)
        elif isinstance(entry, (Tensor, Flag)):
            if isinstance(entry, Flag):
                result, entry = new_dimension(), entry.index
            indices.extend([None] * (0 if indices else dim))
            indices.append(entry)
            dim += taken(entry)
        else:
            result = _aten.select.int(result, place, entry)
    while indices and indices[-1] is None:
        indices.pop()
    return result, indices


def _slice(tensor: Tensor, dim: int, bounds: slice) -> Tensor:
    if _is_whole(bounds):
        return tensor
    step = 1 if bounds.step is None else bounds.step
    result: Tensor = _aten.slice.Tensor(tensor, dim, bounds.start, bounds.stop, step)
    return result


def _do_nothing(recorder: Recorder, tensor: Tensor, item: Any) -> None:
    """`x[False] = y` writes nothing, whatever the shape of the value; but a number has to fit."""
    if not isinstance(item, Tensor):
        with recording_paused(recorder):
            torch.full((), concrete(item), dtype=tensor.dtype)


def _copy(target: Tensor, item: Tensor) -> None:
    item = _without_extra(item, target.dim())
    if item.shape != target.shape and storage_of(item) == storage_of(target) is not None:
        # `copy_` refuses to broadcast within the same memory; torch's binding expands the value first.
        item = _aten.expand_as.default(item, target)
    _aten.copy_.default(target, item)


def _put(target: Tensor, indices: list[Tensor | None], item: Any) -> None:
    if isinstance(item, Tensor):
        item = _without_extra(item, _rank_of_indexed(target, indices))
    else:
        item = _aten.new_full.default(target, [], item)
    _aten.index_put_.default(target, indices, item)


def _rank_of_indexed(target: Tensor, indices: list[Tensor | None]) -> int:
    """How many dimensions `target` has once indexed: the tensors share theirs."""
    tensors = [index for index in indices if index is not None]
    shared = max(1 if is_mask(index) else index.dim() for index in tensors)
    return target.dim() - sum(map(taken, tensors)) + shared


def _without_extra(item: Tensor, rank: int) -> Tensor:
    """Leading dimensions of size one that the target has not may be left out, as in NumPy."""
    extra = item.dim() - rank
    while extra > 0 and item.size(0) == 1:
        item = _aten.squeeze.dim(item, 0)
        extra -= 1
    return item
