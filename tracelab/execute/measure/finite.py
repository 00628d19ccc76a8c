"""Whether a tensor holds NaN or infinity, at the cost of one pass over it."""

from __future__ import annotations

import cmath
from collections.abc import Callable, Iterable

import torch
from torch import Tensor

from tracelab.compat.tensors import is_fake
from tracelab.execute.measure.statistics import without_repeats


def nonfinite(tensors: Iterable[Tensor]) -> Callable[[], str] | None:
    """A function that gives `nan`, `inf` or an empty string; None where all is finite already, or cannot be told.

    On a GPU nothing waits before that function is called.
    """
    readings = []
    for tensor in tensors:
        if not (tensor.is_floating_point() or tensor.is_complex()) or tensor.is_meta or is_fake(tensor):
            continue
        if tensor.layout is not torch.strided or tensor.is_nested:
            continue
        tensor, _ = without_repeats(tensor)
        reading = _cpu(tensor) if tensor.device.type == "cpu" else _device(tensor)
        if reading is not None:
            readings.append(reading)
    if not readings:
        return None
    return lambda: "nan" if any(read() == "nan" for read in readings) else max(read() for read in readings)


def _cpu(tensor: Tensor) -> Callable[[], str] | None:
    # A sum is NaN or infinite whenever an element is, and one fast pass; it may also overflow, so look again then.
    if tensor.element_size() == 1:
        tensor = tensor.float()
    elif tensor.dtype is torch.complex32:
        tensor = tensor.to(torch.complex64)
    if cmath.isfinite(tensor.sum(dtype=_SUM.get(tensor.dtype)).item()):
        return None
    if torch.isnan(tensor).any():
        return _nan
    return _inf if torch.isinf(tensor).any() else None


_SUM = {torch.float16: torch.float32, torch.bfloat16: torch.float32}


def _nan() -> str:
    return "nan"


def _inf() -> str:
    return "inf"


def _device(tensor: Tensor) -> Callable[[], str]:
    found = torch.stack([torch.isnan(tensor).any(), torch.isinf(tensor).any()])
    kept: list[str] = []

    def read() -> str:
        if not kept:
            nan, inf = found.tolist()
            kept.append("nan" if nan else "inf" if inf else "")
        return kept[0]

    return read
