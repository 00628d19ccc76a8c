"""The functions behind `torch.func`: wrappers that were made before a recording reach them too.

They are looked up at import: a recording that does not see a transform would be wrong without a word.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from typing import Any

import torch

from tracelab.compat.names import needed

VMAP = "vmap_impl"
"""In `apis`; all others are in `eager`."""

GRAD, GRAD_AND_VALUE = "grad_impl", "grad_and_value_impl"
JVP, VJP, LINEARIZE = "_jvp_with_argnums", "_vjp_with_argnums", "linearize"
JACREV, JACFWD, HESSIAN = "jacrev", "jacfwd", "hessian"
FUNCTIONALIZE = "functionalize"

for _name in (GRAD, GRAD_AND_VALUE, JVP, VJP, LINEARIZE, JACREV, JACFWD, HESSIAN, FUNCTIONALIZE):
    needed(f"torch._functorch.eager_transforms.{_name}")
needed(f"torch._functorch.apis.{VMAP}")

eager: Any = sys.modules["torch._functorch.eager_transforms"]
"""The module of `grad_impl` and its like."""

apis: Any = sys.modules["torch._functorch.apis"]
"""The module of `vmap_impl`."""

_outside: Callable[[], Any] = needed("torch._functorch.pyfunctorch.temporarily_clear_interpreter_stack")
is_wrapped: Callable[[Any], bool] = needed("torch._C._functorch.is_functorch_wrapped_tensor")
_is_batched: Callable[[Any], bool] = needed("torch._C._functorch.is_batchedtensor")
_is_functional: Callable[[Any], bool] = needed("torch._C._functorch.is_functionaltensor")
_batch_dim: Callable[[Any], int] = needed("torch._C._functorch.maybe_get_bdim")
_unwrapped: Callable[[Any], Any] = needed("torch._C._functorch.get_unwrapped")
_from_functional: Callable[[Any], Any] = needed("torch._from_functional_tensor")
_sync: Callable[[Any], None] = needed("torch._sync")


def plain_example(tensor: torch.Tensor) -> torch.Tensor:
    """A plain tensor like one that a transform gives to a function: of a batch its first element, a copy."""
    asks, shape = tensor.requires_grad, tensor.shape
    dims: list[int] = []
    while is_wrapped(tensor) or _is_functional(tensor):
        if _is_functional(tensor):
            _sync(tensor)
            tensor = _from_functional(tensor)
            continue
        if _is_batched(tensor):
            dims.append(_batch_dim(tensor))
        tensor = _unwrapped(tensor)
    with _outside(), torch.no_grad():
        for dim in reversed(dims):
            if tensor.shape[dim] == 0:
                tensor = tensor.new_ones(shape)
                break
            tensor = tensor.select(dim, 0)
        return tensor.detach().clone(memory_format=torch.preserve_format).requires_grad_(asks)
