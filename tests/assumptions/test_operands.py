"""Of `a or b` and `a and b`, the side that decides nothing is no assumption."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tracelab


def either(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[0] == 1 or x.shape[0] == y.shape[0]:
        return x + 1
    return x * 2


def both(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[0] > 1 and y.shape[0] > 3:
        return x + 1
    return x * 2


def negated(x: Tensor, y: Tensor) -> Tensor:
    return x - 1 if not (x.shape[0] > 4 or y.shape[0] < 4) else x * 3


def kept(x: Tensor, y: Tensor) -> Tensor:
    same = x.shape[0] == 2 or y.shape[0] == 3
    return x.sum(0) if same else x * 2


def one_by_one(x: Tensor, y: Tensor) -> Tensor:
    total = x * 0
    for n in range(1, 4):
        if x.shape[0] == n or y.shape[0] == n + 1:
            total = total + n
    return total


def named(x: Tensor, y: Tensor) -> Tensor:
    single = x.shape[0] == 1
    if single or y.shape[0] == 3:
        x = x + 1
    return x.sum() if single else x * 2


CODES = [either, both, negated, kept, one_by_one, named]


def traced_on(code: Callable[..., Tensor], x: int, y: int, policy: str = "raise"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(code, (torch.ones(x, 2), torch.ones(y, 2)), on_violation=policy)


def test_the_side_that_was_found_first_decides_nothing():
    traced = traced_on(either, 3, 3)
    assert torch.equal(traced(torch.ones(1, 2), torch.ones(1, 2)), torch.full((1, 2), 2.0))
    assert [item.about for item in traced.assumptions] == ["x.shape[0] == y.shape[0]"]


def test_the_side_that_decides_is_told():
    with pytest.raises(tracelab.AssumptionError, match=r"x\.shape\[0\] == y\.shape\[0\] was True"):
        traced_on(either, 3, 3)(torch.ones(3, 2), torch.ones(4, 2))


def test_both_sides_decide_where_none_holds():
    traced = traced_on(either, 3, 4)
    assert len(traced.assumptions) == 2


@pytest.mark.parametrize("code", CODES)
@settings(deadline=None, max_examples=25)
@given(st.tuples(st.integers(1, 5), st.integers(1, 5)), st.lists(st.tuples(st.integers(1, 5), st.integers(1, 5))))
def test_each_call_is_right_or_told(code, example, calls):
    traced = traced_on(code, *example)
    for x, y in calls:
        given = torch.rand(x, 2), torch.rand(y, 2)
        try:
            found = traced(*given)
        except tracelab.AssumptionError:
            continue
        assert torch.equal(found, code(*given))


# What Python's own values decide -----------------------------------------------------------------------------------


def long_and_unmasked(x: Tensor, mask: Tensor | None) -> Tensor:
    causal = x.shape[0] > 1 and mask is None
    return x + 1 if causal else x * 2


def short_or_masked(x: Tensor, mask: Tensor | None) -> Tensor:
    if x.shape[0] < 2 or mask is not None:
        return x * 2
    return x + 1


def long_and_not_masked(x: Tensor, mask: Tensor | None) -> Tensor:
    masked = mask is not None
    if x.shape[0] > 1 and not masked:
        return x + 1
    return x * 2


def long_and_counted(x: Tensor, mask: Tensor | None) -> Tensor:
    # `0` is no `False`: the value differs.
    count = 0 if mask is not None else 1
    found = x.shape[0] > 1 and count
    return x * 2 if found is False else x + 1


@pytest.mark.parametrize("code", [long_and_unmasked, short_or_masked, long_and_not_masked])
def test_a_comparison_before_what_decides_in_any_case_is_no_assumption(code):
    traced = tracelab.trace(code, (torch.ones(3), torch.ones(1)), on_violation="raise")
    assert all(item.test == "at_least" for item in traced.assumptions)
    assert torch.equal(traced(torch.ones(1), torch.ones(1)), code(torch.ones(1), torch.ones(1)))


@pytest.mark.parametrize("code", [long_and_unmasked, short_or_masked, long_and_not_masked])
def test_a_comparison_that_decides_is_told(code):
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(code, (torch.ones(3), None), on_violation="raise")
    with pytest.raises(tracelab.AssumptionError, match=r"x\.shape\[0\] . \d was"):
        traced(torch.ones(1), None)


def test_a_value_that_is_only_as_good_as_false_is_told():
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(long_and_counted, (torch.ones(3), torch.ones(1)), on_violation="raise")
    with pytest.raises(tracelab.AssumptionError, match=r"x\.shape\[0\] > 1 was True"):
        traced(torch.ones(1), torch.ones(1))
