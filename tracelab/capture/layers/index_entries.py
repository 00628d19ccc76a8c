"""What the brackets of `x[...]` hold, read by torch's rules into the few forms that make views or index.

Lists, ranges and arrays become tensors: constants of the code, unless traced numbers or tensors stand in them, which
stay traced.
"""

from __future__ import annotations

import operator
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.values import SYMBOLIC, concrete
from tracelab.graph import intrinsics

_aten = torch.ops.aten

_MASKS = (torch.bool, torch.uint8)
_WITHOUT_RULES = [getattr(one, "__func__", one) for one in (Tensor.__torch_function__, nn.Parameter.__torch_function__)]
"""What `__torch_function__` is of classes that leave all calls to torch."""
_SMALLEST, _LARGEST = -(2**63), 2**63 - 1
_LONGEST_TUPLE = 31
"""A longer list is never taken for a tuple of entries."""


@dataclass(frozen=True, slots=True)
class Flag:
    """A bool: a new dimension, of which `index` takes the one element or none."""

    index: Tensor


class LeftToTorch(Exception):
    """The index is wrong, or of a kind that torch should handle itself."""


def read_entries(recorder: Recorder, tensor: Tensor, index: Any) -> list[Any]:
    """The index as None, `...`, slices, whole numbers, tensors and flags."""
    raw = list(index) if _is_tuple(index) else [index]
    entries = [_entry(recorder, tensor, entry) for entry in raw]
    if dimensions_used(entries) > tensor.dim():
        raise LeftToTorch
    return entries


def dimensions_used(entries: list[Any]) -> int:
    """How many dimensions of the tensor the entries speak of; an ellipsis stands for the others."""
    return sum(taken(entry) for entry in entries if not (entry is None or entry is Ellipsis))


def taken(entry: Any) -> int:
    """The dimensions that one entry takes: a mask has several."""
    if isinstance(entry, Flag):
        return 0
    return entry.dim() if is_mask(entry) else 1


def is_mask(entry: Any) -> bool:
    return isinstance(entry, Tensor) and entry.dtype in _MASKS


def is_plain(tensor: Tensor) -> bool:
    """Whether no class of tensors of its own wants to see what is done with it."""
    own = type(tensor).__torch_function__
    return not tensor.is_nested and getattr(own, "__func__", own) in _WITHOUT_RULES


def _is_tuple(index: Any) -> bool:
    """Whether each item of the index is an entry; a list may be, as in old NumPy."""
    if isinstance(index, tuple):
        return True
    if not _is_sequence(index) or _is_array(index) or not 0 <= len(index) <= _LONGEST_TUPLE:
        return False
    try:
        items = [index[place] for place in range(len(index))]
    except Exception:
        return False
    return any(
        item is None or item is Ellipsis or isinstance(item, (Tensor, slice)) or _is_sequence(item) for item in items
    )


def _is_array(item: Any) -> bool:
    return isinstance(item, Tensor) or f"{type(item).__module__}.{type(item).__name__}" == "numpy.ndarray"


def _is_sequence(item: Any) -> bool:
    kind = type(item)
    return hasattr(kind, "__getitem__") and hasattr(kind, "__len__") and not isinstance(item, dict)


def _entry(recorder: Recorder, tensor: Tensor, entry: Any) -> Any:
    if entry is None or entry is Ellipsis or isinstance(entry, torch.SymInt):
        return entry
    if isinstance(entry, slice):
        return slice(_bound(entry.start), _bound(entry.stop), _bound(entry.step))
    if isinstance(entry, bool):
        return Flag(_to_tensor(recorder, [0] if entry else [], _device(tensor)))
    if isinstance(entry, torch.SymBool):
        return _flag(recorder.record_intrinsic(intrinsics.TENSOR, ([entry],), {"device": _device(tensor)}))
    if isinstance(entry, Tensor):
        return _tensor_entry(recorder, tensor, entry)
    if _is_sequence(entry):
        return _tensor_entry(recorder, tensor, _to_tensor(recorder, entry, _device(tensor)))
    return _number(entry)


def _tensor_entry(recorder: Recorder, tensor: Tensor, entry: Tensor) -> Any:
    """A tensor without dimensions is a number or a flag, whose value stays traced."""
    if not is_plain(entry):
        raise LeftToTorch
    if entry.dim() > 0 or entry.is_floating_point() or entry.is_complex():
        return entry
    if entry.dtype not in _MASKS:
        # Inside of a transform it may be one of a batch, which is no number.
        return entry if recorder.is_inner else _aten.item.default(entry)
    if entry.dtype is not torch.bool:
        entry = _aten.ne.Scalar(entry, 0)
    if entry.device != tensor.device and entry.device.type != "cpu":
        entry = entry.to(tensor.device)
    return _flag(_aten.unsqueeze.default(entry, 0))


def _flag(mask: Tensor) -> Flag:
    """The bool that a mask of one element holds, which stays traced: the place 0, or no place."""
    return Flag(_aten.squeeze.dim(_aten.nonzero.default(mask), 1))


def _to_tensor(recorder: Recorder, data: Any, device: torch.device) -> Tensor:
    """A list, a range or an array as a tensor of indices, or as a mask where it holds bools or bytes."""
    try:
        with recording_paused(recorder):
            made = torch.tensor(concrete(data), device=device)
            made = made if made.dtype in _MASKS else made.to(torch.int64)
    except Exception:
        raise LeftToTorch from None
    if _holds_traced(data):
        traced: Tensor = recorder.record_intrinsic(intrinsics.TENSOR, (data,), {"dtype": made.dtype, "device": device})
        return traced
    # As torch does with a tensor that code wrote out: a constant of the trace.
    lifted: Tensor = _aten.lift_fresh.default(made)
    return lifted


def _holds_traced(data: Any) -> bool:
    if isinstance(data, (Tensor, *SYMBOLIC)):
        return True
    return isinstance(data, (list, tuple)) and any(map(_holds_traced, data))


def _device(tensor: Tensor) -> torch.device:
    """Where indices from Python data lie; on the meta device they would be lost."""
    return torch.device("cpu") if tensor.is_meta else tensor.device


def _bound(part: Any) -> Any:
    """A bound of a slice: a tensor's value stays traced, and what is beyond all sizes is as good as the largest."""
    if part is None or isinstance(part, torch.SymInt):
        return part
    if isinstance(part, torch.SymBool):
        return torch.sym_ite(part, 1, 0)
    if isinstance(part, Tensor):
        if part.numel() != 1 or part.is_floating_point() or part.is_complex():
            raise LeftToTorch
        return _aten.item.default(_aten.to.dtype(part, torch.int64) if part.dtype is torch.bool else part)
    try:
        return min(max(operator.index(part), _SMALLEST), _LARGEST)
    except TypeError:
        raise LeftToTorch from None


def _number(entry: Any) -> int:
    try:
        number = operator.index(entry)
    except TypeError:
        raise LeftToTorch from None
    if not _SMALLEST <= number <= _LARGEST:
        raise LeftToTorch
    return number
