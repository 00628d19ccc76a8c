"""One tensor as two arguments: writes into it are repeated, and another shape that it gets in place is told."""

from __future__ import annotations

import warnings

import pytest
import torch

import tracelab
from tracelab import AssumptionWarning


def a_row_more(x, y):
    y.unsqueeze_(0)
    return torch.as_tensor([x.dim(), 2])


def turned_after_a_write(x, y):
    y.mul_(2).t_()
    return torch.zeros(x.shape) + x.dim()


def written_to(x, y):
    y.mul_(2)
    return x + 1


def square():
    return torch.rand(3, 3)


@pytest.mark.parametrize("function", [a_row_more, turned_after_a_write])
def test_a_shape_that_changes_in_place_is_told_where_both_are_one_tensor(function):
    traced = tracelab.trace(function, square(), square())
    one = square()
    with pytest.warns(AssumptionWarning, match="`x is y` was False"):
        traced(one, one)


@pytest.mark.parametrize("function", [a_row_more, turned_after_a_write, written_to])
def test_two_tensors_are_right_in_silence(function):
    traced = tracelab.trace(function, square(), square())
    x, y = square(), square()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(x.clone(), y.clone()), function(x, y))


def test_a_write_into_one_is_seen_in_the_other():
    traced = tracelab.trace(written_to, square(), square())
    one, other = square(), square()
    other.copy_(one)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(one, one), written_to(other, other))


def test_one_argument_needs_no_such_assumption():
    def alone(x):
        return x.unsqueeze_(0) * 1

    assert not tracelab.trace(alone, square()).assumptions


def by_address(q, k):
    return q * 9 if q.data_ptr() == k.data_ptr() else q + k


def by_storage(q, k):
    return q * 9 if q.untyped_storage().data_ptr() == k.untyped_storage().data_ptr() else q + k


def by_hash(q, k):
    return q * 9 if hash(q) == hash(k) else q + k


def by_set(q, k):
    return q * 9 if len({q, k}) == 1 else q + k


def by_key(q, k):
    return q * 9 if k in {q: 1} else q + k


@pytest.mark.parametrize("function", [by_address, by_storage, by_hash, by_set, by_key])
def test_one_for_two_is_told_where_the_code_can_tell(function):
    traced = tracelab.trace(function, square(), square())
    one, other = square(), square()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(one, other), function(one, other))
    with pytest.warns(AssumptionWarning, match="`q is k` was False"):
        traced(one, one)


@pytest.mark.parametrize("function", [by_address, by_storage, by_hash, by_set])
def test_two_for_one_are_told_where_the_code_can_tell(function):
    one, other = square(), square()
    traced = tracelab.trace(function, one, one)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(other, other), function(other, other))
    with pytest.warns(AssumptionWarning, match="`q is k` was True"):
        traced(one, other)


def test_a_set_of_what_is_computed_tells_nothing_of_the_arguments():
    traced = tracelab.trace(lambda q, k: q + k + len({q * 2, k * 2}), square(), square())
    one = square()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(one, one), one + one + 2)
