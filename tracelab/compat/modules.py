"""The inside of `torch.nn.Module`: the tables of its parameters, buffers and children, and two methods."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch

from tracelab.compat.names import attribute_of, needed

for _name in (
    "_parameters",
    "_buffers",
    "_modules",
    "_non_persistent_buffers_set",
    "_forward_pre_hooks",
):
    needed(f"torch.nn.Module().{_name}")
# A traced module has these two methods of its own, which torch is to call.
needed("torch.nn.Module._get_name")
apply_to: Callable[..., Any] = needed("torch.nn.Module._apply")
"""What `.to()`, `.half()` and their like end in."""


def infer_lazy_parameters(module: torch.nn.Module, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Let a lazy module make its parameters, as its first call would.

    Raises:
        TorchVersionError: If this torch cannot be told to.
    """
    attribute_of(module, "torch.nn.modules.lazy.LazyModuleMixin._infer_parameters")(module, args, kwargs)
