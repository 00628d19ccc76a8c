"""What following memory without data needs of torch: calls below autograd, steps of the backward pass, fake tensors."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.compat.names import needed
from tracelab.compat.tensors import FakeMode

DispatchMode: Any = needed("torch.utils._python_dispatch.TorchDispatchMode")
"""A mode that sees calls below autograd, those of the backward pass too."""

next_sequence_number: Callable[[], int] = needed("torch.autograd._get_sequence_nr")
"""The number of the next operation that autograd records."""

_current_node: Callable[[], Any] = needed("torch._C._current_autograd_node")
_storage_uses: Callable[[int], int] = needed("torch._C._storage_Use_Count")
_select_backend: Callable[..., Any] = needed("torch._C._select_conv_backend")

needed("torch.Tensor._use_count")

_NO_OPERATION = 1 << 62
"""From here on are the numbers of steps that add to a parameter's gradient."""


def without_data() -> FakeMode:
    """A mode in which tensors of any device have sizes alone, and torch picks kernels as on that device."""
    mode: FakeMode = needed("torch._subclasses.fake_tensor.FakeTensorMode")(allow_non_fake_inputs=True)
    return mode


def backward_number() -> int | None:
    """The number of the operation whose backward step runs now; None for steps that only add up gradients."""
    node = _current_node()
    if node is None:
        return None
    number: int = node._sequence_nr()
    return number if number < _NO_OPERATION else None


def in_backward() -> bool:
    """Whether this is called by a backward pass."""
    return _current_node() is not None


def holders(tensor: torch.Tensor) -> tuple[int, int]:
    """How many hold a tensor, and its storage; torch and Python's objects for them count too."""
    count: Any = tensor._use_count()  # type: ignore[attr-defined]
    return count, _storage_uses(tensor.untyped_storage()._cdata)


def convolution_library(arguments: tuple[Any, ...]) -> str:
    """Which library does a convolution, such as `Mkldnn`, by the arguments of `aten::convolution`."""
    return str(_select_backend(*arguments)).rpartition(".")[2]
