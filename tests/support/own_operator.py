"""A function that calls an operator of a package."""

from __future__ import annotations

import torch


@torch.library.custom_op("tracelab_read_test::twice", mutates_args=())
def twice(x: torch.Tensor) -> torch.Tensor:
    return x * 2


@twice.register_fake
def _(x: torch.Tensor) -> torch.Tensor:
    return torch.empty_like(x)


def own_operator(x: torch.Tensor) -> torch.Tensor:
    return torch.ops.tracelab_read_test.twice(x)
