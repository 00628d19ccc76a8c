"""What the elements of a tensor are like: extremes, mean, zeros, NaN, a histogram.

Nothing here draws random numbers, writes into what it looks at, or takes part in autograd. On a GPU nothing waits:
the figures stay there until somebody reads them.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass, replace

import torch
from torch import Tensor

from tracelab.compat.tensors import is_fake

BINS = 32
"""Bars of a histogram."""

_CHUNK = 1 << 18
"""Elements looked at together: what is made of them stays in the processor's cache."""


@dataclass(frozen=True, slots=True)
class Statistics:
    """The elements of one tensor; of complex ones, their absolute values.

    `min`, `max`, `mean`, `std` (of the population, divided by n) and `histogram` are over the finite elements, None
    where there are none; `count` is all elements, `zeros`, `nans` and `infs` how many are exactly that. The bars of
    `histogram` part the range from `min` to `max` evenly; where all elements are equal there is one bar.
    """

    count: int
    min: float | None
    max: float | None
    mean: float | None
    std: float | None
    zeros: int
    nans: int
    infs: int
    histogram: tuple[int, ...] | None

    def __str__(self) -> str:
        """`min -1.2 max 3.4 mean 0.1 std 1 zeros 12%`"""
        if self.min is None:
            parts = ["no finite element" if self.count else "empty"]
        else:
            parts = [f"{name} {getattr(self, name):.4g}" for name in ("min", "max", "mean", "std")]
        if self.zeros:
            parts.append(f"zeros {100 * self.zeros / self.count:.0f}%")
        parts += [f"{name} {count}" for name, count in (("NaN", self.nans), ("inf", self.infs)) if count]
        return " ".join(parts)


Reading = Callable[[], Statistics]
"""Gives the figures; on a GPU the first call waits for them."""


def statistics_of(tensor: Tensor) -> Statistics | None:
    """The statistics of a tensor; None where it has no data (meta, fake) or no plain elements.

    >>> statistics_of(torch.tensor([0.0, 1.0, 3.0, float("nan")]))
    Statistics(count=4, min=0.0, max=3.0, mean=1.333..., std=1.247..., zeros=1, nans=1, infs=0, histogram=(1, ...))
    """
    reading = read_statistics(tensor)
    return None if reading is None else reading()


def read_statistics(tensor: Tensor) -> Reading | None:
    """The same, to be read later: what the tensor holds now counts, and nothing waits for a GPU."""
    with torch.no_grad():
        held, times = without_repeats(tensor)
        elements = plain_elements(held)
        if elements is None:
            return None
        if elements.device.type == "cpu":
            found = _repeated(_at_once(elements), times)
            return lambda: found
        reading = _later(elements)
        return lambda: _repeated(reading(), times)


def without_repeats(tensor: Tensor) -> tuple[Tensor, int]:
    """The part of an expanded tensor that is in memory, and how often each of its elements stands in the tensor."""
    times = 1
    if tensor.layout is torch.strided and not (tensor.is_nested or tensor.is_quantized):
        for dim in reversed(range(tensor.dim())):
            size = tensor.size(dim)
            if size > 1 and tensor.stride(dim) == 0:
                tensor, times = tensor.select(dim, 0), times * size
    return tensor, times


def _repeated(found: Statistics, times: int) -> Statistics:
    if times == 1:
        return found
    bars = None if found.histogram is None else tuple(times * bar for bar in found.histogram)
    counts = {name: times * getattr(found, name) for name in ("count", "zeros", "nans", "infs")}
    return replace(found, histogram=bars, **counts)


def plain_elements(tensor: Tensor) -> Tensor | None:
    """The elements as one flat real tensor of float32 or float64, in any order; None where there are none to see."""
    if tensor.is_meta or is_fake(tensor):
        return None
    tensor = tensor.detach()
    try:
        if tensor.is_quantized:
            tensor = tensor.dequantize()
        if tensor.is_nested:
            tensor = tensor.values()
        if tensor.layout is not torch.strided:
            tensor = tensor.coalesce().values() if tensor.layout is torch.sparse_coo else tensor.values()
        if tensor.is_complex():
            tensor = tensor.abs()
        if tensor.dtype is not torch.float32 and tensor.dtype is not torch.float64:
            small = tensor.dtype.is_floating_point or tensor.dtype in (torch.bool, torch.uint8, torch.int8, torch.int16)
            tensor = tensor.to(torch.float32 if small else torch.float64)
    except (RuntimeError, NotImplementedError):
        return None
    if not tensor.is_contiguous() and tensor.dim() > 1:
        # Elements in the order of memory: a channels-last tensor is then not copied.
        tensor = tensor.permute(sorted(range(tensor.dim()), key=tensor.stride, reverse=True))
    return tensor.reshape(-1)


def _at_once(elements: Tensor) -> Statistics:
    count = elements.numel()
    if not count:
        return Statistics(0, None, None, None, None, 0, 0, 0, None)
    low, high = (bound.item() for bound in torch.aminmax(elements))
    nans = infs = 0
    if not _finite(low, high):
        nans = int(torch.isnan(elements).sum())
        infs = int(torch.isinf(elements).sum())
        elements = elements[torch.isfinite(elements)]
        if not elements.numel():
            return Statistics(count, None, None, None, None, 0, nans, infs, None)
        low, high = (bound.item() for bound in torch.aminmax(elements))
    zeros = elements.numel() - int(torch.count_nonzero(elements))
    # The squares of very small numbers and of very large ones do not fit float32.
    mean, deviation = _moments(elements if high - low > 1e-15 else elements.double())
    if not _finite(mean, deviation):
        mean, deviation = _moments(elements.double())
    return Statistics(count, low, high, mean, deviation, zeros, nans, infs, _histogram(elements, low, high))


def _moments(elements: Tensor) -> tuple[float, float]:
    """Mean and deviation in two passes: several times as fast on a processor as `torch.std_mean`, and as exact."""
    mean = elements.sum().item() / elements.numel()
    squares = sum(torch.linalg.vector_norm(chunk - mean).item() ** 2 for chunk in elements.split(_CHUNK))
    return mean, math.sqrt(squares / elements.numel()) if squares < math.inf else math.inf


def _finite(low: float, high: float) -> bool:
    return math.isfinite(low) and math.isfinite(high)


def _histogram(elements: Tensor, low: float, high: float) -> tuple[int, ...]:
    if low == high:
        return (elements.numel(),)
    if high - low > 1e308:
        elements, low, high = elements.double() * 0.25, low * 0.25, high * 0.25
    elif not 1e-35 < high - low < 1e38:
        elements = elements.double()
    scale = BINS / (high - low)
    # One pass less where the range is no small part of the numbers, so that little is lost to rounding.
    wide = max(abs(low), abs(high)) < 1e3 * (high - low)
    origin = elements.new_tensor(-low * scale)
    counts = torch.zeros(BINS + 1, dtype=torch.int64)
    for chunk in elements.split(_CHUNK):
        places = torch.add(origin, chunk, alpha=scale) if wide else chunk.sub(low).mul_(scale)
        counts += torch.bincount(places.to(torch.uint8), minlength=BINS + 1)
    *bars, highest, end = counts.tolist()
    return (*bars, highest + end)


def _later(elements: Tensor) -> Reading:
    """The figures without a branch on the data, so that the GPU need not be waited for."""
    finite = torch.isfinite(elements)
    whole = elements.double()
    count = finite.sum()
    known = torch.where(finite, whole, 0.0)
    if elements.numel():
        low = torch.where(finite, whole, float("inf")).min()
        high = torch.where(finite, whole, float("-inf")).max()
    else:
        low, high = whole.new_tensor(float("inf")), whole.new_tensor(float("-inf"))
    mean = known.sum() / count
    deviation = (torch.where(finite, whole - mean, 0.0).square().sum() / count).sqrt()
    figures = torch.stack(
        [
            count.double(),
            low,
            high,
            mean,
            deviation,
            (elements == 0).sum().double(),
            torch.isnan(elements).sum().double(),
            torch.isinf(elements).sum().double(),
        ]
    )
    place = ((known - low) / (high - low) * BINS).nan_to_num_(0.0).clamp_(0, BINS - 1).long()
    bars = torch.zeros(BINS, dtype=torch.int64, device=elements.device).scatter_add_(0, place, finite.long())
    size = elements.numel()
    kept: list[Statistics] = []

    def read() -> Statistics:
        if not kept:
            kept.append(_read(size, figures.tolist(), bars.tolist()))
        return kept[0]

    return read


def _read(size: int, figures: list[float], bars: list[int]) -> Statistics:
    count, low, high, mean, deviation, zeros, nans, infs = figures
    if not count:
        return Statistics(size, None, None, None, None, 0, int(nans), int(infs), None)
    histogram = (int(count),) if low == high else tuple(bars)
    return Statistics(size, low, high, mean, deviation, int(zeros), int(nans), int(infs), histogram)
