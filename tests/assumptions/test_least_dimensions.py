"""Code that needs a dimension raises an error without it: a trace that records nothing of that tells it at the call."""

from __future__ import annotations

import contextlib
import warnings

import pytest
import torch
from hypothesis import example, given, settings
from hypothesis import strategies as st

import tracelab
from tracelab import AssumptionWarning

ROWS = torch.arange(12.0).reshape(3, 4)


def row_and_all(x):
    return x[1, :] + 1


def new_and_all(x):
    return x[None, :] * 2


def all_before_the_last(x):
    return x[..., :, 0]


def rows_by_a_table(x):
    return x[torch.tensor([0, 1]), :]


def written_row(x):
    x = x.clone()
    x[1, :] += 1
    return x


def size_that_nothing_uses(x):
    unused = x.shape[1]  # noqa: F841
    return x + 1


def size_of_a_dimension_that_nothing_uses(x):
    x.size(1)
    return x + 1


NEEDING_TWO = [
    row_and_all,
    all_before_the_last,
    rows_by_a_table,
    written_row,
    size_that_nothing_uses,
    size_of_a_dimension_that_nothing_uses,
]


def messages(traced, *args):
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always", AssumptionWarning)
        traced(*args)
    return [str(item.message) for item in heard if item.category is AssumptionWarning]


@pytest.mark.parametrize("code", NEEDING_TWO)
def test_a_call_with_fewer_dimensions_is_told(code):
    traced = tracelab.trace(code, (ROWS,))
    (sentence,) = messages(traced, ROWS[0])
    assert "x.dim() was 2 or more" in sentence
    assert "where the code raises an error, which the trace does not" in sentence


@pytest.mark.parametrize("code", NEEDING_TWO)
def test_a_call_with_more_is_right_without_a_word(code):
    traced = tracelab.trace(code, (ROWS,), on_violation="raise")
    more = torch.arange(24.0).reshape(3, 4, 2)
    assert torch.equal(traced(more), code(more))


def test_a_new_dimension_before_a_whole_one_needs_that():
    traced = tracelab.trace(new_and_all, (ROWS,))
    assert messages(traced, ROWS[0]) == []
    assert len(messages(traced, torch.tensor(1.0))) == 1


def test_the_largest_need_of_a_tensor_is_told_with_its_line():
    def code(x):
        x.size(0)
        x.size(2)
        return x + 1

    (assumption,) = tracelab.trace(code, (torch.ones(2, 2, 2),)).assumptions
    assert str(assumption).endswith("x.dim() is 3 or more")
    assert assumption.code == "x.size(2)"


def test_what_an_operator_asks_for_itself_is_no_assumption():
    traced = tracelab.trace(lambda x: x[:, 1:] * x.shape[0], (ROWS,))
    assert len(traced.assumptions) == 0


def test_what_always_has_a_dimension_is_no_assumption():
    traced = tracelab.trace(lambda x: torch.arange(3.0, device="cpu")[None, :] + x, (ROWS[:, :3],))
    assert len(traced.assumptions) == 0


def test_a_retracing_call_raises_what_the_code_raises():
    traced = tracelab.trace(row_and_all, (ROWS,), on_violation="retrace")
    with pytest.raises(IndexError):
        traced(ROWS[0])


def test_a_file_keeps_it(tmp_path):
    tracelab.trace(row_and_all, (ROWS,)).save(tmp_path / "row.tlab")
    assert len(messages(tracelab.load(tmp_path / "row.tlab"), ROWS[0])) == 1


entries = st.one_of(
    st.just(slice(None)),
    st.just(slice(0, 1)),
    st.just(None),
    st.just(Ellipsis),
    st.integers(-1, 0),
    st.just(torch.tensor([0, 0])),
)


def is_index(entries):
    return sum(entry is Ellipsis for entry in entries) < 2


@settings(max_examples=150, deadline=None)
@example([None, Ellipsis, slice(0, 1)], 1, 0)
@example([Ellipsis, None, slice(0, 1)], 1, 0)
@example([Ellipsis, slice(None), slice(None)], 2, 1)
@example([slice(None), Ellipsis, slice(None)], 2, 1)
@given(st.lists(entries, min_size=1, max_size=4).filter(is_index), st.integers(0, 3), st.integers(0, 3))
def test_an_index_that_python_refuses_is_never_taken_in_silence(index, given_rank, other_rank):
    def code(x):
        return x[tuple(index)] * 2

    first, other = torch.ones([2] * given_rank), torch.ones([2] * other_rank)
    try:
        code(first)
    except IndexError:
        return
    traced = tracelab.trace(code, (first,), check_trace=False, on_violation="raise")
    try:
        expected = code(other)
    except IndexError:
        with pytest.raises((IndexError, RuntimeError, tracelab.AssumptionError)):
            traced(other)
        return
    with contextlib.suppress(tracelab.AssumptionError):
        assert torch.equal(traced(other), expected)


@pytest.mark.parametrize("index", [(..., slice(None)), (slice(None), ..., slice(None)), (slice(None), ...)])
def test_a_write_that_python_refuses_is_never_taken_in_silence(index):
    def code(x):
        x = x.clone()
        x[index] = 0
        return x

    least = len(index) - 1
    traced = tracelab.trace(code, torch.ones([2] * least), on_violation="raise")
    with pytest.raises((IndexError, RuntimeError, tracelab.AssumptionError)):
        traced(torch.ones([2] * (least - 1)))
    assert traced(torch.ones([2] * (least + 1))).sum() == 0
