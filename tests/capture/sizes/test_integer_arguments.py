"""Traced sizes as integer arguments of functions whose bindings take plain integers."""

from __future__ import annotations

import pytest
import torch
from torch.nn import functional as F

import tracelab

CALLS = {
    "linspace": lambda x: torch.linspace(0, 1, x.size(0)),
    "hann_window": lambda x: torch.hann_window(x.size(-1)),
    "triu_indices": lambda x: torch.triu_indices(x.size(0), x.size(-1)),
    "diagonal": lambda x: x.diagonal(x.size(0) - 3),
    "one_hot": lambda x: F.one_hot(torch.arange(2), x.size(0)),
    "unfold": lambda x: x.unfold(1, x.size(1) // 2, 1),
    "adaptive_avg_pool1d": lambda x: F.adaptive_avg_pool1d(x[None], x.size(-1) // 2),
    "adaptive_avg_pool2d": lambda x: F.adaptive_avg_pool2d(x[None, None], (x.size(0) // 2, 1)),
    "max_pool1d": lambda x: F.max_pool1d(x[None], x.size(-1) // 2),
    "avg_pool2d": lambda x: F.avg_pool2d(x[None, None], x.size(0) // 2),
}


@pytest.mark.parametrize("name", CALLS)
def test_the_size_is_followed(name: str, recwarn: pytest.WarningsRecorder) -> None:
    function = CALLS[name]
    traced = tracelab.trace(function, torch.randn(4, 6))
    other = torch.randn(6, 10)
    assert torch.equal(traced(other), function(other))
    assert traced.graph.warnings == []
