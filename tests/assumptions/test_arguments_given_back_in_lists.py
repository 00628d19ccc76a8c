"""Operators of several tensors that give some of them back as they are: on another input they may not."""

from __future__ import annotations

import io
import warnings

import pytest
import torch

import tracelab
from tracelab import AssumptionWarning


def broadcast(x, y):
    parts = torch.broadcast_tensors(x, y)
    return parts[0] + parts[1], x * 1


def raised(x, y):
    parts = torch.atleast_2d(x, y)
    return parts[0] * 2, x * 1


def expanded_and_written_to(x, y):
    wide = torch.broadcast_tensors(x, y)[0]
    return wide * 2, x.mul(3)


CASES = {
    broadcast: (torch.rand(3, 4), torch.rand(4), torch.rand(4), torch.rand(3, 4)),
    raised: (torch.rand(3, 4), torch.rand(4), torch.rand(4), torch.rand(4)),
    expanded_and_written_to: (torch.rand(3, 4), torch.rand(4), torch.rand(1, 4), torch.rand(3, 4)),
}


@pytest.mark.parametrize("function", CASES)
def test_an_argument_that_is_used_beside_its_result_is_told_where_the_result_is_another(function):
    x, y, *others = CASES[function]
    traced = tracelab.trace(function, x, y)
    with pytest.warns(AssumptionWarning, match="gave back its argument itself"):
        traced(*others)


@pytest.mark.parametrize("function", CASES)
def test_calls_for_which_it_is_given_back_again_are_right_in_silence(function):
    x, y, *_ = CASES[function]
    traced = tracelab.trace(function, x, y)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert all(map(torch.equal, traced(x + 1, y + 1), function(x + 1, y + 1)))


def test_an_argument_that_is_not_used_any_more_is_no_assumption():
    def only_results(x, y):
        x, y = torch.broadcast_tensors(x, y)
        return x + y

    traced = tracelab.trace(only_results, torch.rand(3, 4), torch.rand(4))
    assert not traced.assumptions
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert traced(torch.rand(4), torch.rand(2, 4)).shape == (2, 4)


def test_it_is_kept_in_a_file():
    traced = tracelab.trace(broadcast, torch.rand(3, 4), torch.rand(4))
    file = io.BytesIO()
    tracelab.save(traced, file)
    loaded = tracelab.load(io.BytesIO(file.getvalue()))
    with pytest.warns(AssumptionWarning, match="gave back its argument itself"):
        loaded(torch.rand(4), torch.rand(3, 4))
