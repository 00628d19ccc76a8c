"""What a tensor is, asked in a way that no recording sees."""

from __future__ import annotations

from typing import Any

import numpy
import torch

from tracelab.compat.tensors import without_torch_function
from tracelab.graph.arrays import DTYPES


def dtype_now(tensor: torch.Tensor) -> torch.dtype:
    """The dtype of a tensor."""
    with without_torch_function():
        return tensor.dtype


def version_of(tensor: torch.Tensor) -> int:
    """How often a tensor was written to; 0 where torch does not count."""
    try:
        with without_torch_function():
            return tensor._version
    except RuntimeError:
        return 0


def array_dtype(dtype: torch.dtype) -> Any:
    """NumPy's dtype of that name.

    >>> array_dtype(torch.float32)
    dtype('float32')
    """
    return numpy.dtype(str(dtype).removeprefix("torch."))


def tensor_dtype(dtype: Any) -> torch.dtype | None:
    """torch's dtype of an array's; None where there is none.

    >>> tensor_dtype("float32")
    torch.float32
    """
    try:
        return DTYPES.get(numpy.dtype(dtype))
    except TypeError:
        return None
