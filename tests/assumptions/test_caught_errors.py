"""A call that raised an error, which the code caught, may be possible for another input: that is told."""

from __future__ import annotations

import pytest
import torch

import tracelab
from tracelab import AssumptionError


def flat(x):
    try:
        return x.view(-1) * 2
    except RuntimeError:
        return x.reshape(-1) * 3


def test_other_strides_are_told_where_a_view_failed():
    turned = torch.ones(4, 3).T
    traced = tracelab.trace(flat, (turned,), on_violation="raise")
    assert torch.equal(traced(turned), flat(turned))
    with pytest.raises(AssumptionError, match=r"x.stride\(\) was \(1, 3\)"):
        traced(torch.ones(3, 4))


def test_where_it_was_possible_the_same_call_raises():
    traced = tracelab.trace(flat, (torch.ones(3, 4),))
    with pytest.raises(RuntimeError, match="view"):
        traced(torch.ones(4, 3).T)
