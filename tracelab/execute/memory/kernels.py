"""What kernels of the CPU hold for themselves while they run.

Measured with torch's profiler: oneDNN lays images, weights and results of a convolution out in blocks of channels, and
attention and norms have a buffer for each thread. What a library takes beside torch's allocator is not known.
"""

from __future__ import annotations

import functools
import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from torch import Tensor

from tracelab.compat.allocations import convolution_library

_UNNAMED = "???"
"""Python has no name for oneDNN's transposed convolutions."""

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
    found = _HOLDS.get(str(function))
    if found is None or args[0].device.type != "cpu":
        return None
    return found(*args)


def stand_in(function: Any, args: tuple[Any, ...]) -> Callable[..., Any] | None:
    """What gives results like those of an operator that torch does not run without data; None for all others."""
    if str(function) == "aten._grouped_mm.default" and args[0].dtype is not torch.bfloat16:
        return functools.partial(_in_bfloat16, function)
    return None


def _in_bfloat16(function: Any, one: Tensor, other: Tensor, *rest: Any, **options: Any) -> Tensor:
    # Without data torch takes this dtype alone, and with data any.
    made: Tensor = function(one.bfloat16(), other.bfloat16(), *rest, **options)
    return made.to(one.dtype)


# Convolutions ------------------------------------------------------------------------------------------------


def _convolution(image: Tensor, weight: Tensor, *rest: Any) -> int | None:
    lanes = _lanes(image, weight, rest)
    if lanes is None:
        return None
    transposed, groups = rest[4], rest[6]
    shape = _result_shape(image, weight, *rest)
    out = _numel(shape) * image.element_size()
    if _channels_last(image) or _channels_last(weight):
        return out + _bytes(weight) * (1 if _in_channels_last(weight) else 2)
    blocks = out if transposed and shape[1] < lanes else _blocked(shape, image, lanes)
    # With steps, the transposed one comes out in another order.
    copies = 2 if transposed and max(rest[1]) > 1 and shape[1] > 1 else 1
    return max(_blocked_image(image, groups, lanes) + blocks + _bytes(weight), blocks + copies * out)


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
    size, weights = _bytes(image), _bytes(weight)
    if _channels_last(image) or _channels_last(weight):
        held = sum(_bytes(tensor) for tensor in (gradient, image, weight) if not _in_channels_last(tensor))
        most = held + size + weights if wanted[0] else 0
        held += size if wanted[0] else 0
        return max(most, held + 2 * weights + _blocked_weight(weight, groups, lanes)) if wanted[1] else most
    held = sum(_bytes(tensor) for tensor in (gradient, image) if not tensor.is_contiguous())
    most = 0
    blocks = 0 if transposed and gradient.shape[1] < lanes else _blocked(gradient.shape, gradient, lanes)
    if wanted[0]:
        whole = _blocked(image.shape, image, lanes)
        copies = 2 if not transposed and max(stride) > 1 and image.shape[1] > 1 else 1
        most = held + max(blocks + weights + whole, whole + copies * size)
        held += size
    return max(most, held + blocks + _blocked_image(image, groups, lanes) + 2 * weights) if wanted[1] else most


def _lanes(image: Tensor, weight: Tensor, rest: tuple[Any, ...]) -> int | None:
    """Channels in a block of oneDNN; None where another library does the convolution."""
    lanes = _LANES.get(torch.backends.cpu.get_cpu_capability())
    named = ("Mkldnn", _UNNAMED) if rest[4] else ("Mkldnn",)
    return lanes if lanes is not None and convolution_library((image, weight, *rest)) in named else None


def _result_shape(
    image: Tensor,
    weight: Tensor,
    bias: Any,
    stride: Any,
    padding: Any,
    dilation: Any,
    transposed: bool,
    more: Any,
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


def _blocked_image(image: Tensor, groups: int, lanes: int) -> int:
    """Bytes of an image in blocks of channels; the first convolution of a network reads it as it is."""
    return 0 if groups == 1 and image.shape[1] < lanes else _blocked(image.shape, image, lanes)


def _blocked(shape: Any, like: Tensor, lanes: int) -> int:
    return _numel((shape[0], _whole_blocks(shape[1], lanes), *shape[2:])) * like.element_size()


def _blocked_weight(weight: Tensor, groups: int, lanes: int) -> int:
    """Bytes of a weight in blocks of both kinds of channels, those of each group by themselves."""
    given, made = weight.shape[1], weight.shape[0] // groups
    blocks = groups * _whole_blocks(given, lanes) * _whole_blocks(made, lanes)
    return _numel((blocks, *weight.shape[2:])) * weight.element_size()


def _whole_blocks(channels: int, lanes: int) -> int:
    return -(-channels // lanes) * lanes


_FORMATS = {4: torch.channels_last, 5: torch.channels_last_3d}


def _in_channels_last(tensor: Tensor) -> bool:
    wanted = _FORMATS.get(tensor.dim())
    return wanted is not None and tensor.is_contiguous(memory_format=wanted)


def _channels_last(tensor: Tensor) -> bool:
    """Whether it lies with channels last, and in no other order."""
    return _in_channels_last(tensor) and not tensor.is_contiguous()


def _bytes(tensor: Tensor) -> int:
    return tensor.numel() * tensor.element_size()


def _numel(shape: Iterable[int]) -> int:
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
    weights = width * int(wanted[1] + wanted[2])
    return (_bytes(given) if wanted[0] else 0) + weights * (1 + torch.get_num_threads())


_HOLDS: dict[str, Callable[..., int | None]] = {
    "aten.convolution.default": _convolution,
    "aten.convolution_backward.default": _convolution_backward,
    "aten.native_layer_norm_backward.default": _layer_norm_backward,
    "aten._scaled_dot_product_flash_attention_for_cpu.default": _attention,
    "aten._scaled_dot_product_flash_attention_for_cpu_backward.default": _attention_backward,
}
