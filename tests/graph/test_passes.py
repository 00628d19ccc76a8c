"""Passes edit a graph and leave what it computes as it was."""

from __future__ import annotations

import warnings

import pytest
import torch

import tracelab
from support.printed_graphs import kinds, short
from support.replay import assert_same
from tracelab.graph import passes
from tracelab.graph.ir import map_values


def graph_of(function, *example, **options):
    return tracelab.trace_graph(function, example, **options)[0]


def test_dce_takes_out_what_nobody_uses():
    def waste(x):
        x.exp().log()
        return x + 1

    assert kinds(passes.dce(graph_of(waste, torch.ones(2)))) == ["add"]


def test_dce_keeps_an_in_place_operator_whose_tensor_is_used():
    def bump(x):
        y = x.clone()
        y.add_(1)
        y.mul_(2)
        return y

    assert kinds(passes.dce(graph_of(bump, torch.ones(2)))) == ["clone", "add_", "mul_"]


def test_dce_keeps_a_write_through_a_view():
    def row(x):
        y = x.clone()
        y[0].zero_()
        return y

    assert kinds(passes.dce(graph_of(row, torch.ones(2, 2)))) == ["clone", "select", "zero_"]


def test_dce_keeps_a_write_into_the_base_of_a_used_view():
    def base(x):
        y = x.clone()
        row = y[0]
        y.zero_()
        return row

    assert kinds(passes.dce(graph_of(base, torch.ones(2, 2)))) == ["clone", "select", "zero_"]


def test_dce_keeps_a_write_into_an_input():
    def write(x):
        x.add_(1)
        return torch.zeros(1)

    assert kinds(passes.dce(graph_of(write, torch.ones(2)))) == ["add_", "zeros"]


def test_dce_takes_out_a_write_into_what_nobody_uses():
    def scratch(x):
        y = x.clone()
        y.add_(1)
        return x * 2

    assert kinds(passes.dce(graph_of(scratch, torch.ones(2)))) == ["mul"]


def test_dce_leaves_nodes_in_the_order_of_the_run():
    def mixed(x):
        y = x.clone()
        a = y + 1
        y.add_(1)
        b = y + 1
        return a, b

    graph = passes.dce(graph_of(mixed, torch.zeros(2)))
    a, b = graph.to_callable()(torch.zeros(2))
    assert (a.tolist(), b.tolist()) == ([1, 1], [2, 2])


def test_cse_computes_the_same_thing_once():
    def twice(x):
        return x.exp() + x.exp()

    graph = passes.cse(graph_of(twice, torch.ones(2)))
    assert kinds(graph) == ["exp", "add"]
    assert graph.nodes[1].inputs[0] is graph.nodes[1].inputs[1]


def test_cse_leaves_random_operators_alone():
    def noise(x):
        return torch.rand_like(x) - torch.rand_like(x)

    assert kinds(passes.cse(graph_of(noise, torch.ones(2)))) == ["rand_like", "rand_like", "sub"]


def test_cse_tells_one_from_one_point_zero():
    def constants(x):
        return x + 1, x + 1.0

    assert kinds(passes.cse(graph_of(constants, torch.ones(2, dtype=torch.int64))))[:2] == ["add", "add"]


def test_cse_does_not_merge_reads_before_and_after_a_write():
    def around(x):
        y = x.clone()
        before = y.sum()
        y.add_(1)
        return before, y.sum()

    graph = passes.cse(graph_of(around, torch.zeros(2)))
    before, after = graph.to_callable()(torch.zeros(2))
    assert (before.item(), after.item()) == (0, 2)


def test_cse_does_not_merge_reads_around_a_write_through_a_view():
    def around(x):
        y = x.clone()
        before = y.sum()
        y[0].add_(1)
        return before, y.sum()

    graph = passes.cse(graph_of(around, torch.zeros(2)))
    before, after = graph.to_callable()(torch.zeros(2))
    assert (before.item(), after.item()) == (0, 1)


def test_cse_does_not_merge_copies_of_which_one_is_written():
    def copies(x):
        one = x.clone()
        two = x.clone()
        one[0].add_(1)
        return one, two

    one, two = passes.cse(graph_of(copies, torch.zeros(2, 2))).to_callable()(torch.zeros(2, 2))
    assert one.sum().item() == 2
    assert two.sum().item() == 0


def test_fold_constants_computes_arithmetic_of_known_numbers():
    graph = graph_of(lambda x: x.view(x.shape[0] * 2, -1), torch.ones(2, 4))
    (size,) = graph.find_nodes("aten::size")
    (mul,) = graph.find_nodes("aten::mul")
    mul.args = (2, 2)
    graph.nodes.remove(size)
    assert kinds(passes.fold_constants(graph)) == ["view"]
    assert graph.nodes[0].args[1] == [4, -1]


def test_canonicalize_numbers_the_values_in_order():
    graph = passes.canonicalize(graph_of(lambda x: x.exp().log(), torch.ones(2)))
    assert short(graph) == (
        "graph(%0 : Float(2)):\n  %1 : Float(2) = aten::exp(%0)\n  %2 : Float(2) = aten::log(%1)\n  return (%2)\n"
    )


def test_inline_puts_the_operators_of_a_script_function_in_its_place():
    @torch.jit.script
    def scripted(x):
        return x.exp() + 1

    with warnings.catch_warnings():
        warnings.simplefilter("error")
        graph = passes.inline(graph_of(lambda x: scripted(x) * 2, torch.ones(2)))
        assert kinds(graph) == ["exp", "add", "mul"]
        assert_same(graph.to_callable()(torch.zeros(2)), torch.full((2,), 4.0))


def test_inline_leaves_a_script_function_with_a_branch_as_a_call():
    @torch.jit.script
    def branching(x):
        if x.sum() > 0:
            return x
        return -x

    graph = passes.inline(graph_of(lambda x: branching(x), torch.ones(2)))
    assert [node.kind for node in graph.nodes] == ["prim::CallFunction"]


def test_a_copy_of_a_graph_is_edited_without_the_original():
    graph = graph_of(lambda x: x.exp() + x.exp(), torch.ones(2))
    before = str(graph)
    passes.canonicalize(passes.cse(graph.copy()))
    assert str(graph) == before


def test_graph_for_is_the_graph_without_dead_and_repeated_code():
    def waste(x):
        x.sin()
        return x.exp() + x.exp()

    traced = tracelab.trace(waste, torch.ones(2))
    assert kinds(traced.graph_for(torch.ones(2))) == ["exp", "add"]
    assert kinds(traced.graph) == ["sin", "exp", "exp", "add"]


def test_to_callable_takes_the_parameters_after_the_inputs():
    layer = torch.nn.Linear(2, 1)
    graph, _, inputs = tracelab.trace_graph(layer, torch.ones(3, 2), return_inputs=True)
    assert_same(graph.to_callable()(*inputs), layer(torch.ones(3, 2)))
    zeros = torch.zeros(1, 2)
    assert graph.to_callable()(torch.ones(3, 2), zeros, torch.zeros(1)).abs().sum() == 0


def test_to_callable_takes_the_module_s_own_parameters_where_none_are_given():
    layer = torch.nn.Linear(2, 1)
    graph, _ = tracelab.trace_graph(layer, torch.ones(3, 2))
    assert_same(graph.to_callable()(torch.ones(5, 2)), layer(torch.ones(5, 2)))


def with_known_sizes(graph):
    """The same graph with the sizes of its inputs written down."""
    for size in graph.find_nodes("aten::size"):
        value, dim = size.args
        for user in size.users:
            known = {size.output: value.shape[dim]}
            user.args = map_values(user.args, lambda item, known=known: known.get(item, item))
            user.kwargs = map_values(user.kwargs, lambda item, known=known: known.get(item, item))
    return graph


def test_fold_constants_follows_numbers_given_by_keyword():
    def filled(x):
        return torch.full(size=(x.shape[0] * 2 + 1,), fill_value=x.shape[1] - 1)

    graph = passes.fold_constants(with_known_sizes(graph_of(filled, torch.ones(2, 4))))
    (full,) = graph.find_nodes("full")
    assert full.args == ([5], 3)
    assert graph.to_callable()(torch.ones(2, 4)).tolist() == [3] * 5


def test_fold_constants_follows_numbers_in_keywords_of_a_node():
    graph = with_known_sizes(graph_of(lambda x: torch.add(x, x, alpha=x.shape[0] * 3), torch.ones(2)))
    graph = passes.fold_constants(graph)
    (add,) = graph.find_nodes("add")
    assert add.kwargs == {"alpha": 6}
    assert graph.to_callable()(torch.ones(2)).tolist() == [7, 7]


def test_fold_constants_keeps_a_number_that_the_graph_returns():
    graph = passes.fold_constants(with_known_sizes(graph_of(lambda x: x.shape[0] * 3, torch.ones(2), strict=False)))
    assert kinds(graph) == ["size", "mul"]
    assert graph.to_callable()(torch.ones(2)) == 6


def test_fold_constants_leaves_arithmetic_that_raises_to_the_run():
    graph = with_known_sizes(graph_of(lambda x: x * (1 // (x.shape[0] - 1)), torch.ones(2)))
    (sub,) = graph.find_nodes("sub")
    sub.args = (1, 1)
    passes.fold_constants(graph)
    with pytest.raises(ZeroDivisionError):
        graph.to_callable()(torch.ones(2))


def test_fold_constants_leaves_random_numbers_alone():
    graph = passes.fold_constants(graph_of(lambda x: x + torch.rand(()).item(), torch.ones(2), strict=False))
    assert kinds(graph) == ["rand", "item", "add"]


def test_passes_leave_warnings_at_their_places():
    def specialized(x):
        x.sin()
        y = x.exp() + x.exp()
        return y * int(y.sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = graph_of(specialized, torch.ones(2))
    assert [kinds(graph)[: warning.position] for warning in graph.warnings] == [["sin", "exp", "exp", "add", "sum"]]
    passes.cse(passes.dce(graph))
    # What was converted is used by nobody any more.
    assert [kinds(graph)[: warning.position] for warning in graph.warnings] == [["exp", "add"]]


def test_dce_keeps_the_node_that_raised():
    with pytest.raises(tracelab.TraceError) as caught:
        tracelab.trace(lambda x: x @ torch.ones(7, 7), torch.ones(2, 3))
    graph = passes.cse(passes.dce(caught.value.graph))
    assert kinds(graph) == ["ones", "matmul"]
    assert graph.failed is graph.nodes[-1]


def test_a_pass_that_ran_twice_finds_nothing_more():
    def waste(x):
        x.sin()
        return x.exp() + x.exp()

    graph = passes.cse(passes.dce(graph_of(waste, torch.ones(2))))
    before = str(graph)
    assert str(passes.cse(passes.dce(graph))) == before
