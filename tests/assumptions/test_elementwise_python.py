"""`apply_`, `map_` and `map2_` call Python for each number: a node that a replay runs again, never a constant."""

from __future__ import annotations

import pytest
import torch

import tracelab


def applied(x):
    return (x * 1).apply_(lambda v: v * 2 + 1)


def the_input_itself(x):
    return x.apply_(lambda v: v * 2) + 1


def a_row(x):
    y = x * 2
    y[0].apply_(lambda v: v + 100)
    return y


def result_dropped(x):
    y = x * 2
    y.apply_(abs)
    return y + 1


def mapped(x):
    return (x * 1).map_(x + 1, lambda a, b: a * b)


def mapped_of_two(x):
    return (x * 1).map2_(x + 1, x + 2, lambda a, b, c: a * b + c)


def with_a_traced_tensor(x):
    total = x.sum()
    return (x * 2).apply_(lambda v: v + total.item())


def with_a_size(x):
    rows = x.shape[0]
    return (x * 2).apply_(lambda v: v + rows)


ALL = [applied, the_input_itself, a_row, result_dropped, mapped, mapped_of_two, with_a_traced_tensor, with_a_size]


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.__name__)
def test_a_replay_calls_it_again(function):
    traced = tracelab.trace(function, torch.ones(2, 3))
    for x in (torch.randn(2, 3), torch.randn(4, 3)):
        torch.testing.assert_close(traced(x.clone()), function(x.clone()))


def test_its_write_stays_where_unused_nodes_are_taken_out():
    traced = tracelab.trace(result_dropped, torch.ones(2, 3))
    traced.graph.eliminate_dead_code()
    x = torch.randn(2, 3)
    torch.testing.assert_close(traced(x), result_dropped(x))


def test_a_file_says_that_it_holds_no_function(tmp_path):
    traced = tracelab.trace(applied, torch.ones(2))
    with pytest.raises(tracelab.TracelabFileError, match="apply_"):
        traced.save(tmp_path / "applied.tlab")
