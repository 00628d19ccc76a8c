"""Functions of torch that set what later code depends on: random state, the default dtype, gradients."""

from __future__ import annotations

import torch

from tracelab.capture.patches.registry import Registry, recorded
from tracelab.graph import intrinsics


def patch_settings(registry: Registry) -> None:
    """Code that seeds, or saves and restores the random state, does so at each run; so does what sets the dtype."""
    for name, intrinsic in intrinsics.RANDOM_STATE.items():
        stand_in = recorded(intrinsic)
        for module in (torch, torch.random):
            registry.set(module, name, stand_in)
    registry.set(torch, "set_default_dtype", recorded(intrinsics.SET_DEFAULT_DTYPE))


def patch_backward(registry: Registry) -> None:
    """Make nodes of the functions of `torch.autograd`, which no torch-function mode is shown."""
    registry.set(torch.autograd, "backward", recorded(intrinsics.AUTOGRAD_BACKWARD))
    registry.set(torch.autograd, "grad", recorded(intrinsics.AUTOGRAD_GRAD))
