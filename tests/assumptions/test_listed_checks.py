"""Checks that several values pass: each of them is told nothing, and all others are told."""

from __future__ import annotations

import io
import warnings

import hypothesis
import hypothesis.strategies as st
import pytest
import torch

import tracelab
from support.examples import functions_that_check as examples
from support.told import told
from tracelab.graph.assumptions import AssumptionKind

ONES = torch.ones(3, 2)


def traced_on(function, *example, policy="warn"):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return tracelab.trace(function, example, check_trace=False, on_violation=policy)


def named(item):
    return getattr(item, "__name__", "")


def raises(function, x):
    try:
        function(x)
    except (TypeError, ValueError, AssertionError):
        return True
    return False


DTYPES = [torch.float32, torch.float64, torch.float16, torch.int64, torch.uint8, torch.complex64, torch.bool]
OF_DTYPES = [examples.of_two_dtypes, examples.of_a_floating_dtype, examples.of_no_whole_numbers]
OF_RANKS = [examples.of_some_ranks, examples.of_any_rank_but_one, examples.of_many_ranks, examples.vector_or_matrix]
OF_ROWS = [examples.one_or_three_rows, examples.some_rows, examples.some_rows_in_a_variable]


@pytest.mark.parametrize("dtype", DTYPES, ids=str)
@pytest.mark.parametrize("function", OF_DTYPES, ids=named)
def test_a_dtype_is_told_where_the_code_raises(function, dtype):
    other = ONES.to(dtype)
    assert len(told(traced_on(function, ONES), other)) == raises(function, other)


@pytest.mark.parametrize("shape", [(), (2,), (2, 3), (2, 3, 1), (2, 1, 1, 1), (1, 1, 1, 1, 1)], ids=str)
@pytest.mark.parametrize("function", OF_RANKS, ids=named)
def test_a_number_of_dimensions_is_told_where_the_code_raises(function, shape):
    other = torch.ones(shape)
    assert len(told(traced_on(function, ONES), other)) == raises(function, other)


@hypothesis.given(st.sampled_from(OF_ROWS), st.sampled_from([3, 1, 7]), st.integers(0, 9))
@hypothesis.settings(max_examples=60, deadline=None)
def test_a_size_is_told_where_the_code_raises(function, example, rows):
    if raises(function, torch.ones(example, 2)):
        return
    other = torch.ones(rows, 2)
    assert bool(told(traced_on(function, torch.ones(example, 2)), other)) == raises(function, other)


@pytest.mark.parametrize("rows", range(9))
@pytest.mark.parametrize("function", [examples.few_more_rows, examples.value_of_the_sum], ids=named)
def test_what_may_be_below_zero_or_no_whole_number_is_never_silent(function, rows):
    other = torch.ones(rows, 2)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(function, ONES, check_trace=False)
    assert told(traced, other) or not raises(function, other)


def test_the_whole_test_is_said():
    (sentence,) = told(traced_on(examples.of_two_dtypes, ONES), ONES.int())
    assert sentence.startswith("x.dtype not in (torch.float32, torch.float64) was False when of_two_dtypes was traced")
    assert sentence.endswith("and is True at this call, where the code raises an error, which the trace does not")


@pytest.mark.parametrize("function", OF_DTYPES + OF_RANKS + OF_ROWS, ids=named)
def test_it_is_one_check(function):
    (item,) = traced_on(function, ONES if function is not examples.some_rows else torch.ones(5, 2)).assumptions
    assert item.kind is AssumptionKind.CHECK


def test_a_branch_that_was_not_the_check_s_way_is_told():
    traced = traced_on(examples.of_one_rank_where_the_error_is_caught, torch.ones(2))
    assert len(told(traced, ONES)) == 1


def test_a_size_whose_error_the_code_catches_is_told():
    function = examples.of_few_rows_where_the_error_is_caught
    for example, other in ((3, 4), (4, 3), (5, 2), (2, 5)):
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = tracelab.trace(function, torch.ones(example, 2), check_trace=False)
        assert told(traced, torch.ones(example, 2)) == []
        assert told(traced, torch.ones(other, 2))


def test_the_graph_has_no_node_for_it():
    assert [node.kind for node in traced_on(examples.of_two_dtypes, ONES).graph.nodes] == ["aten::mul"]


of_each_kind = pytest.mark.parametrize(
    ("function", "fits", "differs"),
    [
        (examples.of_two_dtypes, ONES.double(), ONES.int()),
        (examples.of_some_ranks, torch.ones(2), torch.ones(2, 2, 2)),
        (examples.one_or_three_rows, torch.ones(1, 2), torch.ones(2, 2)),
    ],
    ids=named,
)


@of_each_kind
def test_a_file_keeps_the_check(function, fits, differs):
    file = io.BytesIO()
    traced_on(function, ONES).save(file)
    file.seek(0)
    loaded = tracelab.load(file)
    assert told(loaded, fits) == []
    assert len(told(loaded, differs)) == 1


@of_each_kind
def test_a_trace_takes_over_the_check_of_a_trace_inside(function, fits, differs):
    inner = traced_on(function, ONES)
    outer = traced_on(lambda x: inner(x) + 1, ONES)
    assert told(outer, fits) == []
    assert len(told(outer, differs)) == 1


def test_under_retrace_the_code_raises_its_own_error():
    traced = traced_on(examples.of_two_dtypes, ONES, policy="retrace")
    with pytest.raises(TypeError, match="another dtype"):
        traced(ONES.int())
    assert traced(ONES.double()).dtype is torch.float64
    assert len(traced.cases) == 1
