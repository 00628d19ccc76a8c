"""How far two tensors are apart: absolutely, relatively, in direction, and in units of the last place."""

from __future__ import annotations

import math
from dataclasses import dataclass

import torch
from torch import Tensor

_CHUNK = 1 << 20
_TOLERANCES = {
    torch.float16: (1e-3, 1e-5),
    torch.bfloat16: (1.6e-2, 1e-5),
    torch.float32: (1.3e-6, 1e-5),
    torch.float64: (1e-7, 1e-7),
    torch.complex64: (1.3e-6, 1e-5),
    torch.complex128: (1e-7, 1e-7),
}
"""Relative and absolute, as `torch.testing.assert_close` has them."""
_BITS = {
    torch.float16: torch.int16,
    torch.bfloat16: torch.int16,
    torch.float32: torch.int32,
    torch.float64: torch.int64,
}


@dataclass(frozen=True, slots=True)
class Distance:
    """How far two tensors of one shape are apart.

    `max_abs` is the largest difference of two elements, `max_rel` the largest difference over the larger of the two
    magnitudes (2 at most); `cosine` the cosine of the angle between them as vectors; `ulp` the largest number of
    representable numbers between two elements, in the coarser of the two dtypes, None where they are no floats.
    An element that is NaN or infinite in one only counts as infinitely far. `close` says whether every element is
    within the tolerance.
    """

    max_abs: float
    max_rel: float
    cosine: float
    ulp: int | None
    close: bool


def distance(a: Tensor, b: Tensor, rtol: float | None = None, atol: float | None = None) -> Distance:
    """How far `b` is from `a`, which is taken as right: close is `|a - b| <= atol + rtol * max(|a|, rms(a))`.

    The root mean square of `a` stands in for elements that are near zero by chance, whose error is that of the sums
    they come from. Tolerances that are not given are those of the coarser dtype in `torch.testing.assert_close`, 0
    for integers.

    >>> distance(torch.tensor([1.0, 2.0]), torch.tensor([1.0, 2.5])).max_abs
    0.5
    """
    dtype = coarser(a.dtype, b.dtype)
    default = _TOLERANCES.get(dtype, (0.0, 0.0))
    rtol = default[0] if rtol is None else rtol
    atol = default[1] if atol is None else atol
    first, second = _parts(a), _parts(b)
    if not first.numel():
        return Distance(0.0, 0.0, 1.0, None, True)
    max_abs = max_rel = dot = norm_a = norm_b = 0.0
    scale = _root_mean_square(first) if rtol else 0.0
    close = True
    for one, two in zip(first.split(_CHUNK), second.to(first.device).split(_CHUNK), strict=True):
        x, y = one.double(), two.double()
        apart = (x - y).abs()
        # Equal infinities and NaN at the same place are no difference.
        same = (x == y) | (torch.isnan(x) & torch.isnan(y))
        apart = torch.where(same, 0.0, apart).nan_to_num(nan=math.inf, posinf=math.inf)
        size = torch.maximum(x.abs(), y.abs()).nan_to_num(nan=1.0, posinf=1.0)
        max_abs = max(max_abs, apart.max().item())
        max_rel = max(max_rel, torch.where(same, 0.0, apart / size).max().item())
        within = apart <= atol + rtol * x.abs().nan_to_num(nan=0.0, posinf=0.0).clamp_min(scale)
        close = close and bool(within.all())
        known = torch.isfinite(x) & torch.isfinite(y)
        x, y = torch.where(known, x, 0.0), torch.where(known, y, 0.0)
        dot += torch.dot(x, y).item()
        norm_a += torch.dot(x, x).item()
        norm_b += torch.dot(y, y).item()
    cosine = 1.0 if max_abs == 0 else dot / math.sqrt(norm_a * norm_b) if norm_a and norm_b else 0.0
    return Distance(max_abs, max_rel, max(-1.0, min(1.0, cosine)), _ulps(a, b, dtype), close)


def _root_mean_square(elements: Tensor) -> float:
    finite = elements.double().nan_to_num(nan=0.0, posinf=0.0, neginf=0.0)
    return float(torch.linalg.vector_norm(finite)) / math.sqrt(finite.numel())


def coarser(a: torch.dtype, b: torch.dtype) -> torch.dtype:
    """The dtype of the two that tells fewer numbers apart; the first where they are alike."""
    if a.is_floating_point and b.is_floating_point:
        return a if torch.finfo(a).eps >= torch.finfo(b).eps else b
    return a if not (b.is_floating_point or b.is_complex) else b


def _parts(tensor: Tensor) -> Tensor:
    """All elements in the order of their indices, on the processor; complex numbers as pairs."""
    tensor = tensor.detach().cpu()
    if tensor.layout is not torch.strided:
        tensor = tensor.to_dense()
    if tensor.is_quantized:
        tensor = tensor.dequantize()
    if tensor.is_complex():
        tensor = torch.view_as_real(tensor.resolve_conj())
    return tensor.reshape(-1)


def _ulps(a: Tensor, b: Tensor, dtype: torch.dtype) -> int | None:
    bits = _BITS.get(dtype)
    if bits is None or a.is_complex() or b.is_complex() or not (a.is_floating_point() and b.is_floating_point()):
        return None
    most = 0
    for one, two in zip(_parts(a).split(_CHUNK), _parts(b).split(_CHUNK), strict=True):
        x, y = one.to(dtype), two.to(dtype)
        known = torch.isfinite(x) & torch.isfinite(y)
        places = [_place(part[known], bits) for part in (x, y)]
        if places[0].numel():
            # In float64 only where the two are so far apart that it makes no difference.
            apart = (places[0].double() - places[1].double()).abs()
            near = apart < 2.0**62
            exact = torch.where(near, (places[0] - places[1]).abs(), torch.iinfo(torch.int64).max)
            most = max(most, int(exact.max()))
    return most


def _place(tensor: Tensor, bits: torch.dtype) -> Tensor:
    """Where each number stands in the row of all numbers of its dtype; both zeros at 0."""
    pattern = tensor.contiguous().view(bits).long()
    lowest = torch.iinfo(bits).min
    return torch.where(pattern >= 0, pattern, lowest - pattern)
