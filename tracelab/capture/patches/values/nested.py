"""Nested and masked tensors: Python functions of torch that stay one node each, on the tensors of their call."""

from __future__ import annotations

import torch
from torch.masked import MaskedTensor

from tracelab.capture.patches.code import Code
from tracelab.capture.patches.registry import recorded
from tracelab.graph import intrinsics

NESTED = (
    *[Code(getattr(torch.nested, name), recorded(entry)) for name, entry in intrinsics.NESTED.items()],
    Code(MaskedTensor.get_data, recorded(intrinsics.MASKED_DATA)),
)
"""Record these functions."""
