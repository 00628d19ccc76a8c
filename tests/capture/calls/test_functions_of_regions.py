"""Functions that `vmap`, `cond` and their like are given: each is recorded beside the node that runs it."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.func import vmap

import tracelab
from tracelab.graph.callables.higher_order import functions_in

X = torch.ones(3, 4)


def pieces(function, *inputs):
    graph = tracelab.trace(function, inputs, check_trace=False).graph
    (node,) = graph.find_nodes("PythonOp")
    return node, list(functions_in(node.args[1]))


def kinds(item):
    return [node.kind for node in item.piece.graph.nodes]


class Rows(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(4, 2)

    def forward(self, x):
        return vmap(lambda row: self.linear(row))(x)


def test_parameters_that_the_function_uses_are_inputs_of_the_node():
    node, (function,) = pieces(Rows(), X)
    assert [value.path for value in node.inputs] == ["", "linear.weight", "linear.bias"]
    assert function.piece.graph.state == {}


def test_the_branch_that_did_not_run_is_recorded():
    _, (this, that) = pieces(lambda x: torch.cond(x.sum() > 0, torch.sin, lambda v: v.cos(), (x,)), X)
    assert (kinds(this), kinds(that)) == (["aten::sin"], ["aten::cos"])


def test_sizes_inside_of_the_function_are_those_of_one_element():
    _, (function,) = pieces(lambda x: vmap(lambda row: row / row.shape[0])(x), X)
    assert kinds(function) == ["aten::size", "aten::div"]
    assert [value.shape for value in function.piece.graph.inputs] == [(4,)]


def test_a_tensor_as_an_index_stays_one():
    places = torch.tensor([0, 2, 1])
    _, (function,) = pieces(lambda x, i: vmap(lambda row, place: row[place])(x, i), X, places)
    assert kinds(function) == ["aten::index"]


def test_a_function_that_is_not_recorded_leaves_the_trace_and_says_why():
    seen = []

    def once(row):
        seen.append(row)
        if len(seen) > 1:
            raise ValueError("only once")
        return row + 1

    before = tracelab.last_failure()
    node, (function,) = pieces(lambda x: vmap(once)(x), X)
    assert function.piece is None
    assert "only once" in function.why_not
    assert node.outputs[0].shape == (3, 4)
    assert tracelab.last_failure() is before


def test_an_interrupt_while_the_function_is_recorded_ends_the_trace():
    seen = []

    def once(row):
        seen.append(row)
        if len(seen) > 1:
            raise KeyboardInterrupt
        return row + 1

    with pytest.raises(KeyboardInterrupt):
        tracelab.trace(lambda x: vmap(once)(x), X, check_trace=False)
    assert tracelab.trace(torch.relu, X)(X).equal(X)


def test_gradient_modes_are_those_of_the_call():
    def function(v):
        return (v**2).sum() if torch.is_grad_enabled() and v.requires_grad else v.sum()

    with torch.no_grad():
        _, (piece,) = pieces(lambda x: torch.func.grad(function)(x), X)
    assert kinds(piece) == ["aten::pow", "aten::sum"]


class Counted:
    calls = 0


def test_python_state_is_as_one_plain_call_leaves_it():
    log, seen, counts = [], {}, {"n": 0}
    total = 0

    def inner(row):
        nonlocal total
        total += 1
        log.append(1)
        seen[len(seen)] = 1
        counts["n"] += 1
        Counted.calls += 1
        inner.calls = getattr(inner, "calls", 0) + 1
        return row * 2

    Counted.calls = 0
    tracelab.trace(lambda x: torch.vmap(inner)(x), torch.ones(3, 2), check_trace=False)
    assert (total, len(log), len(seen), counts["n"], Counted.calls, inner.calls) == (1, 1, 1, 1, 1, 1)
