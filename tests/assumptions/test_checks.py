"""Checks that only raise an error: silent when traced, and a call that would fail one is told."""

from __future__ import annotations

import warnings

import hypothesis
import hypothesis.strategies as st
import pytest
import torch
from torch import nn

import tracelab
from support.examples import functions_that_check as examples
from support.told import told
from tracelab import AssumptionError
from tracelab.graph.assumptions import AssumptionKind

ONES = torch.ones(3, 2)


def traced_on(function, *example, policy="warn"):
    """The trace, made without one warning."""
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return tracelab.trace(function, example, check_trace=False, on_violation=policy)


FAILING = [
    (examples.positive, -ONES, "was False"),
    (examples.positive_number, -ONES, "x.min().item() < 0 was False"),
    (examples.few_rows, torch.ones(6, 2), "x.shape[0] < 5 was True"),
    (examples.of_one_shape, torch.ones(4, 2), "x.shape != (3, 2) was True"),
    (examples.few_and_narrow, torch.ones(5, 2), "x.shape[0] > 4 was False"),
    (examples.few_and_narrow, torch.ones(3, 4), "x.shape[1] < 4 was True"),
    (examples.not_of_these, torch.ones(6, 2), "x.shape[0] == 6 was False"),
]


def named(item):
    return getattr(item, "__name__", "")


@pytest.mark.parametrize(("function", "other", "was"), FAILING, ids=named)
def test_a_call_that_fails_a_check_is_told_the_line_and_that_the_code_raises(function, other, was):
    (sentence,) = told(traced_on(function, ONES), other)
    # Python 3.11 gives a branch the whole line.
    assert f"{was} when {function.__name__} was traced (functions_that_check.py:" in sentence
    assert sentence.endswith("at this call, where the code raises an error, which the trace does not")


@pytest.mark.parametrize(("function", "other"), [item[:2] for item in FAILING], ids=named)
def test_a_call_that_fails_a_check_raises_where_it_is_asked_to(function, other):
    with pytest.raises(AssumptionError):
        traced_on(function, ONES, policy="raise")(other)


@pytest.mark.parametrize(("function", "other"), [item[:2] for item in FAILING], ids=named)
def test_a_call_that_fails_a_check_raises_the_code_s_own_error_with_retrace(function, other):
    traced = traced_on(function, ONES, policy="retrace")
    with pytest.raises((ValueError, AssertionError)):
        traced(other)


@pytest.mark.parametrize("function", [item[0] for item in FAILING], ids=named)
def test_a_call_that_passes_is_told_nothing(function):
    assert told(traced_on(function, ONES), ONES * 3) == []


@pytest.mark.parametrize(
    ("function", "other", "was"),
    [
        (examples.of_one_dtype, ONES.int(), "x.dtype was torch.float32"),
        (examples.of_one_rank, torch.ones(3), "x.dim() was 2"),
    ],
    ids=named,
)
def test_what_one_value_alone_passes_is_told(function, other, was):
    (sentence,) = told(traced_on(function, ONES), other)
    assert sentence.startswith(was)


@pytest.mark.parametrize(
    ("function", "other"),
    [
        (examples.vector_or_matrix, torch.ones(3)),
        (examples.square_or_one, torch.ones(4, 4)),
        (examples.warned, torch.ones(5, 2)),
        (examples.not_of_these, torch.ones(7, 2)),
    ],
    ids=named,
)
def test_another_call_that_passes_is_told_nothing(function, other):
    assert told(traced_on(function, torch.ones(2, 2)), other) == []


def test_an_error_that_the_code_catches_is_told():
    assert len(told(traced_on(examples.with_a_way_out, ONES), -ONES)) == 1


def test_an_error_that_the_code_catches_is_another_recording():
    traced = traced_on(examples.with_a_way_out, ONES, policy="retrace")
    assert torch.equal(traced(-ONES), torch.zeros(3, 2))
    assert torch.equal(traced(-ONES), torch.zeros(3, 2))


def test_a_check_of_torch_s_own_is_told():
    model = nn.Sequential(nn.Linear(2, 3), nn.BatchNorm1d(3))
    (sentence,) = told(traced_on(model, ONES), torch.ones(1, 2))
    assert "size_prods == 1 in torch's `_verify_batch_size` was False" in sentence


def test_a_check_of_torch_s_own_leaves_running_statistics():
    model = nn.BatchNorm1d(2)
    with pytest.raises(AssumptionError):
        traced_on(model, ONES, policy="raise")(torch.ones(1, 2))
    assert model.running_var.isfinite().all()


def test_a_check_is_a_kind_of_assumption():
    (item,) = traced_on(examples.few_rows, ONES).assumptions
    assert item.kind is AssumptionKind.CHECK


@hypothesis.given(
    st.sampled_from([examples.few_rows, examples.of_one_shape, examples.few_and_narrow, examples.not_of_these]),
    st.tuples(st.integers(1, 8), st.integers(1, 8)),
)
@hypothesis.settings(max_examples=60, deadline=None)
def test_a_call_is_told_exactly_where_the_code_raises(function, shape):
    x = torch.ones(shape)
    try:
        function(x)
        raises = False
    except (ValueError, AssertionError):
        raises = True
    assert bool(told(traced_on(function, ONES), x)) == raises
