"""NumPy arrays among the arguments: a call gives their values to the graph as tensors."""

from __future__ import annotations

from typing import Any

import numpy
import torch

WRITTEN = "written"
"""The name of the nesting of an array that the traced code writes to."""

_NAMES = ("bool uint8 uint16 uint32 uint64 int8 int16 int32 int64 float16 float32 float64 complex64 complex128").split()
DTYPES = {numpy.dtype(name): getattr(torch, name) for name in _NAMES if hasattr(torch, name)}
"""What torch calls the dtypes of arrays."""

_CLASSES = (numpy.ndarray, numpy.memmap)


class ArrayStandIn:
    """What code that is recorded gets in place of an array; `tensor` has its values."""

    __slots__ = ("__weakref__", "tensor")
    tensor: torch.Tensor

    def plain(self) -> Any:
        """The array, in the memory of the tensor."""
        raise NotImplementedError


def is_array(item: Any) -> bool:
    """Whether it is an array of NumPy's own, that torch can have as a tensor.

    >>> is_array(numpy.ones(2)), is_array(numpy.array(["text"])), is_array([1.0])
    (True, False, False)
    """
    return type(item) in _CLASSES and item.dtype in DTYPES and min(item.strides, default=0) >= 0


def array_tensor(array: Any) -> torch.Tensor:
    """The values of an array as a tensor: in the same memory where that may be written to, a copy otherwise.

    Raises `TypeError` for an array of something else than numbers.

    >>> array = numpy.zeros(2)
    >>> array_tensor(array).add_(1)
    tensor([1., 1.], dtype=torch.float64)
    >>> array
    array([1., 1.])
    """
    if not is_shared(array):
        array = array.astype(array.dtype.newbyteorder("="), copy=True, order="C", subok=False)
    return torch.from_numpy(array)


def is_shared(array: Any) -> bool:
    """Whether a tensor can have the memory of an array, to write to it."""
    strides = array.strides
    whole = all(stride >= 0 and stride % array.itemsize == 0 for stride in strides) if array.itemsize else True
    return bool(array.flags.writeable and array.dtype.isnative and whole)
