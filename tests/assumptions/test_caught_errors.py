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


def with_a_bare_except(x):
    try:
        return x.view(3)
    except:  # noqa: E722
        return x * 2


def given(x):
    return x.view(3)


def by_a_helper(x):
    try:
        return given(x)
    except (ValueError, RuntimeError) as error:
        return x * len(str(error))


@pytest.mark.parametrize("function", [with_a_bare_except, by_a_helper])
def test_an_error_that_the_code_would_catch_is_told_with_its_line(function):
    traced = tracelab.trace(function, torch.ones(3))
    with pytest.raises(AssumptionError) as raised:
        traced(torch.ones(5))
    assert str(raised.value).startswith(
        f"view raised no error when {function.__name__} was traced (test_caught_errors.py:"
    )
    assert "and raises one at this call, inside of a `try` of the code" in str(raised.value)
    assert isinstance(raised.value.__cause__, RuntimeError)


def in_a_context(x):
    with torch.no_grad():
        return x.view(3)


def with_a_finally(x):
    try:
        return x.view(3)
    finally:
        x.add_(0)


@pytest.mark.parametrize("function", [given, in_a_context, with_a_finally])
def test_an_error_that_nothing_catches_is_that_of_the_operator(function):
    traced = tracelab.trace(function, torch.ones(3))
    with pytest.raises(RuntimeError) as raised:
        traced(torch.ones(5))
    assert type(raised.value) is RuntimeError
