"""Edits that users of torch.fx make: in loops, with nodes as arguments, of outputs, with Python functions."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab
from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.lint import GraphError

aten = torch.ops.aten


def relus():
    return tracelab.trace(nn.Sequential(nn.ReLU(), nn.ReLU(), nn.ReLU()), torch.ones(3))


def doubled_relu():
    traced = tracelab.trace(lambda a: a.relu() * 2, torch.ones(3))
    return traced, traced.graph, traced.graph.nodes[0]


# In a loop over the nodes -----------------------------------------------------------------------------------------


def test_every_node_can_be_erased_in_one_loop():
    graph = relus().graph
    for node in graph.nodes:
        node.replace_all_uses_with(node.args[0])
        graph.erase_node(node)
    assert not graph.nodes


def test_a_loop_that_inserts_visits_each_node_once():
    graph = relus().graph
    for node in graph.nodes:
        with graph.inserting_before(node):
            graph.call_function(aten.neg.default, (node.args[0],))
    assert [node.name for node in graph.nodes] == ["neg", "relu"] * 3


def test_a_loop_leaves_out_what_it_erased():
    graph = relus().graph
    seen = []
    for node in graph.nodes:
        seen.append(node)
        for user in node.users:
            user.replace_all_uses_with(node)
            graph.erase_node(user)
    assert seen == list(graph.nodes)


# Outputs and inputs ------------------------------------------------------------------------------------------------


def test_what_was_traced_gives_another_output_after_an_edit_of_the_outputs():
    traced, graph, relu = doubled_relu()
    traced(torch.ones(3))
    graph.outputs[0] = relu.output
    assert traced(torch.ones(3)).tolist() == [1, 1, 1]
    graph.outputs.clear()
    assert traced(torch.ones(3)) is None


def test_a_backend_follows_edits():
    traced, graph, relu = doubled_relu()
    fast = traced.with_backend("python")
    graph.outputs[0] = relu.output
    assert fast(torch.ones(3)).tolist() == [1, 1, 1]


def test_lint_finds_an_input_that_is_gone():
    graph = tracelab.trace(lambda a, b: a.relu(), (torch.ones(2), torch.ones(2))).graph
    graph.inputs.pop()
    with pytest.raises(GraphError, match="it takes 2 tensors from its caller, and has 1 input"):
        graph.lint()


def test_lint_finds_an_output_that_is_no_value():
    graph = relus().graph
    graph.outputs[0] = 3
    with pytest.raises(GraphError, match="its inputs and outputs are values, but one is of type int"):
        graph.lint()


# Arguments ---------------------------------------------------------------------------------------------------------


def test_a_node_stands_for_its_output():
    traced, graph, relu = doubled_relu()
    with graph.inserting_after(relu):
        scaled = graph.call_function(aten.mul.Tensor, (relu, 2))
    relu.replace_all_uses_with(scaled)
    graph.lint()
    assert traced(torch.ones(3)).tolist() == [4, 4, 4]


def test_a_node_stands_for_its_output_among_new_arguments():
    traced, graph, relu = doubled_relu()
    graph.nodes[1].args = (relu, relu)
    assert traced(torch.full((3,), 3.0)).tolist() == [9, 9, 9]


def test_a_new_node_belongs_to_the_module_of_the_one_that_it_follows():
    graph = tracelab.trace(nn.Sequential(nn.Linear(3, 3), nn.Linear(3, 3)), torch.ones(3)).graph
    first = graph.nodes[0]
    with graph.inserting_after(first):
        relu = graph.call_function(aten.relu.default, (first,))
    assert relu.scope is first.scope


def test_a_new_node_asks_for_gradients_where_its_inputs_do():
    graph = tracelab.trace(nn.Linear(3, 3), torch.ones(3)).graph
    assert graph.call_function(aten.relu.default, (graph.nodes[0],)).output.type.requires_grad
    assert not graph.call_function(aten.argmax.default, (graph.nodes[0],)).output.type.requires_grad


def test_a_tensor_becomes_a_constant_that_files_hold():
    traced, graph, _ = doubled_relu()
    times = graph.nodes[1]
    with graph.inserting_before(times):
        seven = graph.constant(torch.full((3,), 7.0), name="seven")
    times.args = (times.args[0], seven)
    file = io.BytesIO()
    traced.save(file)
    file.seek(0)
    assert tracelab.load(file)(torch.ones(3)).tolist() == [7, 7, 7]


def test_a_tensor_among_the_arguments_is_refused_by_save():
    traced, graph, relu = doubled_relu()
    graph.nodes[1].args = (relu, torch.ones(3))
    with pytest.raises(TracelabFileError, match=r"an argument is a tensor of shape \[3\], put there by hand"):
        traced.save(io.BytesIO())


# Python functions --------------------------------------------------------------------------------------------------


def test_a_python_function_runs_and_is_not_dead_code():
    def bump(tensor):
        return tensor.add_(1)

    traced, graph, relu = doubled_relu()
    with graph.inserting_after(relu):
        graph.call_function(bump, (relu,))
    graph.lint()
    graph.eliminate_dead_code()
    assert traced(torch.ones(3)).tolist() == [4, 4, 4]


# What is refused ---------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("edit", "message"),
    [
        (lambda graph, node: graph.erase_node(None), "a node of the graph is needed, but got NoneType"),
        (lambda graph, node: node.replace_all_uses_with(3), "a node or a value can replace aten::relu, but got int"),
        (lambda graph, node: graph.call_function(aten.relu.default, node), "takes the arguments as a tuple, but got"),
        (lambda graph, node: graph.call_function(aten.add.Tensor, (node,)), "the argument `other` is missing"),
        (lambda graph, node: graph.call_function(aten.relu.default, (node, 1)), "it has 2 arguments, and the schema 1"),
        (
            lambda graph, node: graph.call_function(len, (node,)),
            "such as torch.relu",
        ),
        (lambda graph, node: graph.create_node("call_method", "relu", (node,)), "is an opcode of torch.fx, not a kind"),
        (lambda graph, node: graph.create_node("my_kind", print, (node,)), "'my_kind' is not a kind: give the name of"),
        (lambda graph, node: graph.create_node(3, None), "3 is not a kind"),
        (
            lambda graph, node: graph.create_node("aten::relu", aten.relu.default, (torch.ones(2),)),
            r"a tensor cannot be an argument: use graph.constant\(tensor\)",
        ),
        (lambda graph, node: setattr(node, "args", None), "the arguments of aten::relu are a tuple, but got NoneType"),
        (lambda graph, node: graph.find_nodes("call_function"), "op='call_function' is not the kind of a node"),
        (lambda graph, node: graph.find_nodes(target="relu"), "target='relu' is not a function: give a name as op="),
        (lambda graph, node: node.replace_all_uses_with(graph.nodes[-1].output), "comes after every use of"),
    ],
)
def test_a_wrong_edit_is_one_sentence(edit, message):
    _, graph, relu = doubled_relu()
    with pytest.raises(TracelabError, match=message):
        edit(graph, relu)
    assert len(graph.nodes) == 2


def test_an_erased_node_has_no_users():
    _, graph, _ = doubled_relu()
    graph.outputs[0] = graph.nodes[0].output
    times = graph.nodes[1]
    graph.erase_node(times)
    with pytest.raises(TracelabError, match="aten::mul is in no graph: it was erased, or not inserted yet"):
        _ = times.users


@pytest.mark.parametrize("function", [torch.relu, F.relu, torch.Tensor.relu, aten.relu, aten.relu.default])
def test_nodes_are_found_by_the_function_that_they_call(function):
    _, graph, relu = doubled_relu()
    assert graph.find_nodes(target=function) == [relu]
