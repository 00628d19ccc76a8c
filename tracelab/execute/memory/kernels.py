"""What kernels of the CPU hold for themselves while they run.

Measured with torch's profiler: oneDNN lays images, weights and results of a convolution out in blocks of channels, and
attention and norms have a buffer for each thread. What a library takes beside torch's allocator is not known.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.allocations import convolution_library

_ONEDNN = ("Mkldnn", "MkldnnTranspose")
_LANES = {"AVX512": 16, "AVX2": 8}
"""Channels in a block, by what the processor can do."""


def held_inside(function: Any, args: tuple[Any, ...]) -> int | None:
    """The most bytes that a call makes and holds at once, its results among them.

    Args:
        function: The operator that runs.
        args: Its arguments; tensors need no data.

    Returns:
        The bytes; None where it holds its results alone, as far as is known.
    """
    found = _HOLDS.get(function)
    if found is None or args[0].device.type != "cpu":
        return None
    return found(*args)


def stand_in(function: Any, args: tuple[Any, ...]) -> Callable[..., Any] | None:
    """What gives results like those of an operator that torch does not run without data; None for all others."""
    if function is torch.ops.aten._grouped_mm.default and args[0].dtype is not torch.bfloat16:
        return _grouped_product
    return None


def _grouped_product(one: Tensor, other: Tensor, *rest: Any, **options: Any) -> Tensor:
    # Without data torch takes this dtype alone, and with data any.
    made = torch.ops.aten._grouped_mm.default(one.bfloat16(), other.bfloat16(), *rest, **options)
    return made.to(one.dtype)


# Convolutions ------------------------------------------------------------------------------------------------


def _convolution(image: Tensor, weight: Tensor, *rest: Any) -> int | None:
    lanes = _lanes(image, weight, rest)
    if lanes is None:
        return None
    transposed, groups = rest[4], rest[6]
    out = _numel(_result_shape(image, weight, *rest)) * image.element_size()
    if _channels_last(image) or _channels_last(weight):
        return out + _bytes(weight) * (1 if _channels_last(weight) else 2)
    blocked_in, blocked_out = _blocked(image, groups, lanes), _blocked_shape(
        _result_shape(image, weight, *rest), image, lanes
    )
    strided = transposed and max(rest[1]) > 1
    return max(blocked_in + blocked_out + _bytes(weight), blocked_out + out * (2 if strided else 1))


def _convolution_backward(
    gradient: Tensor,
    image: Tensor,
    weight: Tensor,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    output_padding: Any,
    groups: int,
    wanted: Any,
) -> int | None:
    lanes = _lanes(image, weight, (None, stride, padding, dilation, transposed, output_padding, groups))
    if lanes is None:
        return None
    most = held = 0
    size, weights = _bytes(image), _bytes(weight)
    if _channels_last(image) or _channels_last(weight):
        held = sum(_bytes(tensor) for tensor in (gradient, image, weight) if not _channels_last(tensor))
        if wanted[0]:
            most = held + size + weights
            held += size
        return max(most, held + 3 * weights) if wanted[1] else most
    blocked, blocked_gradient = _blocked(image, groups, lanes), _blocked_shape(gradient.shape, gradient, lanes)
    if not gradient.is_contiguous():
        held += _bytes(gradient)
    if not image.is_contiguous():
        held += size
    if wanted[0]:
        whole = _blocked_shape(image.shape, image, lanes)
        strided = not transposed and max(stride) > 1
        most = held + max(blocked_gradient + weights + whole, whole + size * (2 if strided else 1))
        held += size
    return max(most, held + blocked_gradient + blocked + 2 * weights) if wanted[1] else most


def _lanes(image: Tensor, weight: Tensor, rest: tuple[Any, ...]) -> int | None:
    """Channels in a block of oneDNN; None where another library does the convolution."""
    lanes = _LANES.get(torch.backends.cpu.get_cpu_capability())
    return lanes if lanes is not None and convolution_library((image, weight, *rest)) in _ONEDNN else None


def _result_shape(
    image: Tensor, weight: Tensor, bias: Any, stride: Any, padding: Any, dilation: Any, transposed: bool, more: Any,
    groups: int,
) -> tuple[int, ...]:
    sizes = []
    for place, size in enumerate(image.shape[2:]):
        step, around, apart = (item[place if len(item) > 1 else 0] for item in (stride, padding, dilation))
        reach = apart * (weight.shape[2 + place] - 1)
        if transposed:
            sizes.append((size - 1) * step - 2 * around + reach + more[place if len(more) > 1 else 0] + 1)
        else:
            sizes.append((size + 2 * around - reach - 1) // step + 1)
    return (image.shape[0], weight.shape[1] * groups if transposed else weight.shape[0], *sizes)


def _blocked(image: Tensor, groups: int, lanes: int) -> int:
    """Bytes of an image in blocks of channels; the first convolution of a network reads it as it is."""
    return 0 if groups == 1 and image.shape[1] < lanes else _blocked_shape(image.shape, image, lanes)


def _blocked_shape(shape: Any, like: Tensor, lanes: int) -> int:
    channels = -(-shape[1] // lanes) * lanes
    return _numel((shape[0], channels, *shape[2:])) * like.element_size()


def _channels_last(tensor: Tensor) -> bool:
    formats = {4: torch.channels_last, 5: torch.channels_last_3d}
    wanted = formats.get(tensor.dim())
    return wanted is not None and not tensor.is_contiguous() and tensor.is_contiguous(memory_format=wanted)


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _numel(shape: Any) -> int:
    return math.prod(shape)


# Attention and norms -----------------------------------------------------------------------------------------


def _split(query: Tensor, key: Tensor) -> tuple[int, int]:
    """How many rows of queries and of keys a thread works on at once."""
    length = query.shape[2]
    return min(256 if length >= 768 else 64 if length >= 192 else 32, length), min(512, key.shape[2])


def _attention(query: Tensor, key: Tensor, value: Tensor, *rest: Any) -> int:
    rows, columns = _split(query, key)
    batch, heads, length, _ = query.shape
    buffers = torch.get_num_threads() * rows * (columns + 2 + value.shape[3]) * 4
    return buffers + batch * heads * length * (value.shape[3] * query.element_size() + 4)


def _attention_backward(gradient: Tensor, query: Tensor, key: Tensor, value: Tensor, *rest: Any) -> int:
    rows, columns = _split(query, key)
    batch, heads, length, _ = query.shape
    buffers = torch.get_num_threads() * 2 * rows * columns * 4
    return buffers + batch * heads * length * 4 + _bytes(query) + _bytes(key) + _bytes(value)


def _layer_norm_backward(gradient: Tensor, given: Tensor, shape: Any, *rest: Any) -> int:
    wanted = rest[-1]
    width = _numel(shape) * given.element_size()
    results = (_bytes(given) if wanted[0] else 0) + width * (wanted[1] + wanted[2])
    return results + torch.get_num_threads() * width * (wanted[1] + wanted[2])


_HOLDS: dict[Any, Callable[..., int | None]] = {
    torch.ops.aten.convolution.default: _convolution,
    torch.ops.aten.convolution_backward.default: _convolution_backward,
    torch.ops.aten.native_layer_norm_backward.default: _layer_norm_backward,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu.default: _attention,
    torch.ops.aten._scaled_dot_product_flash_attention_for_cpu_backward.default: _attention_backward,
}
