"""Functions of torch that set what later code depends on: random state, the default dtype, gradients."""

from __future__ import annotations

from tracelab.capture.patches.code import Code
from tracelab.capture.patches.registry import recorded
from tracelab.graph import intrinsics

SETTINGS = tuple(
    Code(intrinsic.function, recorded(intrinsic))
    for intrinsic in (
        # Code that seeds, or saves and restores the random state, does so at each run; so does what sets the dtype.
        *intrinsics.RANDOM_STATE.values(),
        intrinsics.SET_DEFAULT_DTYPE,
        # No torch-function mode is shown these two.
        intrinsics.AUTOGRAD_BACKWARD,
        intrinsics.AUTOGRAD_GRAD,
    )
)
"""Make nodes of them."""
