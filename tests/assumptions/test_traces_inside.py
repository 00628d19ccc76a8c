"""A traced callable inside of another trace: what the inner one assumes, the outer one assumes of its own values."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from support.told import told
from tracelab import AssumptionError, AssumptionWarning

ONES = torch.ones(2, 2)


def by_value(x):
    return x * 2 if x.sum() > 0 else x * 1


def by_number(x):
    return x * 2 if x.sum().item() * 2 > 0 else x * 1


def by_size(x):
    return x * 2 if x.shape[0] + 1 > 2 else x * 1


def by_dtype(x):
    return x * 2 if x.dtype == torch.float32 else x * 1


def by_dimensions(x):
    return x * 2 if x.dim() == 2 else x * 1


def checking(x):
    if (x < 0).any():
        raise ValueError("negative")
    return x * 1


class Doubling(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(2, 2)
        self.factor = 1.0

    def forward(self, x):
        y = self.linear(x)
        return y * 2 if x.shape[0] > 1 else y


class Dropping(nn.Module):
    def __init__(self):
        super().__init__()
        self.drop = nn.Dropout(0.5)

    def forward(self, x):
        return self.drop(x)


DIFFERENT = [
    (by_value, -ONES),
    (by_number, -ONES),
    (by_size, torch.ones(1, 2)),
    (by_dtype, ONES.double()),
    (by_dimensions, torch.ones(2, 2, 2)),
    (checking, -ONES),
]


def traced_on(function, *example, policy="warn"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, example, check_trace=False, on_violation=policy)


def around(function, policy="warn"):
    """A trace of a function that calls another trace."""
    inner = traced_on(function, ONES, policy=policy)

    def outer(x):
        return inner(x * 1) + 1

    return traced_on(outer, ONES, policy=policy), outer


def named(item):
    return getattr(item, "__name__", "")


@pytest.mark.parametrize(("function", "other"), DIFFERENT, ids=named)
def test_what_the_inner_trace_assumes_is_told_with_its_own_line(function, other):
    traced, _ = around(function)
    (sentence,) = told(traced, other)
    (inner,) = traced_on(function, ONES).assumptions
    assert f"when outer was traced ({inner.line}: `{inner.code}`)" in sentence


@pytest.mark.parametrize(("function", "other"), DIFFERENT, ids=named)
def test_what_the_inner_trace_assumes_raises_where_it_is_asked_to(function, other):
    with pytest.raises(AssumptionError):
        around(function, "raise")[0](other)


@pytest.mark.parametrize(("function", "other"), DIFFERENT[:-1], ids=named)
def test_both_with_retrace_are_right(function, other):
    traced, outer = around(function, "retrace")
    assert torch.equal(traced(other), outer(other))
    assert torch.equal(traced(ONES), outer(ONES))


@pytest.mark.parametrize("function", [item[0] for item in DIFFERENT], ids=named)
def test_a_call_like_that_of_the_trace_is_told_nothing(function):
    assert told(around(function)[0], ONES * 3) == []


def test_an_inner_trace_that_ignores_assumes_nothing():
    assert around(by_size, "ignore")[0].assumptions == []


def test_an_inner_trace_that_does_not_fit_is_told_while_it_is_recorded():
    inner = traced_on(by_size, torch.ones(1, 2))
    with pytest.warns(AssumptionWarning, match="is True at this call"):
        traced_on(lambda x: inner(x), ONES)


def test_a_loaded_inner_trace_is_taken_over_too(tmp_path):
    tracelab.save(traced_on(by_size, ONES), tmp_path / "inner.tlab")
    inner = tracelab.load(tmp_path / "inner.tlab")
    assert len(told(traced_on(lambda x: inner(x) + 1, ONES), torch.ones(1, 2))) == 1


def test_a_traced_module_in_a_sequential_is_taken_over():
    inner = traced_on(Doubling(), ONES)
    assert len(told(traced_on(nn.Sequential(inner, nn.ReLU()), ONES), torch.ones(1, 2))) == 1


def test_the_mode_of_a_traced_module_in_a_sequential_is_taken_over():
    inner = traced_on(Dropping().eval(), ONES)
    assert len(told(traced_on(nn.Sequential(inner, nn.ReLU()).eval(), ONES).train)) == 1


def test_a_traced_module_in_a_sequential_is_right_with_retrace():
    inner = traced_on(Doubling(), ONES, policy="retrace")
    model = nn.Sequential(inner, nn.ReLU())
    other = torch.ones(1, 2)
    assert torch.equal(traced_on(model, ONES, policy="retrace")(other), model(other))


def test_the_mode_of_a_traced_module_in_a_sequential_is_right_with_retrace():
    inner = traced_on(Dropping().eval(), ONES, policy="retrace")
    traced = traced_on(nn.Sequential(inner, nn.ReLU()).eval(), ONES, policy="retrace")
    assert torch.equal(traced(ONES), ONES)
    traced.train()
    assert set(traced(torch.ones(50, 2)).flatten().tolist()) == {0.0, 2.0}


def test_three_traces_in_one_another_are_taken_over():
    first = traced_on(by_size, ONES)
    second = traced_on(lambda x: first(x) + 1, ONES)
    third = traced_on(lambda x: second(x * 1) + 1, ONES)
    assert len(told(third, torch.ones(1, 2))) == 1
