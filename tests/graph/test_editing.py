"""torch.fx's verbs on graphs and nodes, and traced code that runs as its graph was edited."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError
from tracelab.graph import Graph
from tracelab.graph.kinds import LIST_UNPACK

aten = torch.ops.aten


def chain() -> Graph:
    """relu, exp, add."""

    def forward(x):
        return x.relu().exp() + 1

    return tracelab.trace_graph(forward, torch.ones(2))[0]


def kinds(graph: Graph) -> list[str]:
    return [node.name for node in graph.nodes]


def run(graph: Graph, *numbers: float) -> list[float]:
    graph.lint()
    return graph.to_callable()(torch.tensor(numbers)).tolist()


# Erasing -------------------------------------------------------------------------------------------------------


def test_a_node_that_nobody_uses_is_erased():
    graph = tracelab.trace_graph(lambda x: (x.sin(), x.exp())[1], torch.ones(2))[0]
    sine = graph.nodes[0]
    graph.erase_node(sine)
    assert kinds(graph) == ["exp"]
    assert sine.graph is None


def test_a_node_that_is_used_is_not_erased():
    graph = chain()
    with pytest.raises(TracelabError, match=r"cannot erase aten::relu \(%relu\): %exp = aten::exp\(%relu\) uses it"):
        graph.erase_node(graph.nodes[0])
    assert kinds(graph) == ["relu", "exp", "add"]


def test_a_node_that_the_graph_returns_is_not_erased():
    graph = chain()
    with pytest.raises(TracelabError, match=r"cannot erase aten::add \(%add\): the graph returns it"):
        graph.erase_node(graph.nodes[-1])


def test_a_node_of_another_graph_is_not_erased():
    with pytest.raises(TracelabError, match="aten::relu is not a node of this graph"):
        chain().erase_node(chain().nodes[0])


def test_a_node_is_erased_once():
    graph = tracelab.trace_graph(lambda x: (x.sin(), x.exp())[1], torch.ones(2))[0]
    sine = graph.nodes[0]
    graph.erase_node(sine)
    with pytest.raises(TracelabError, match="aten::sin is not a node of this graph: it belongs to"):
        graph.erase_node(sine)


def test_erasing_a_constant_lets_go_of_its_tensor():
    table = torch.ones(2)
    graph = tracelab.trace_graph(lambda x: (x + table, x.exp())[1], torch.ones(2))[0]
    assert list(graph.state.values()) == [table]
    for node in reversed(graph.nodes[:2]):
        graph.erase_node(node)
    assert not graph.state


# Creating ------------------------------------------------------------------------------------------------------


def test_a_new_node_goes_to_the_end():
    graph = chain()
    node = graph.call_function(aten.sin.default, (graph.outputs[0],))
    assert graph.nodes[-1] is node
    assert node.graph is graph


def test_new_nodes_go_before_a_node_in_the_order_in_which_they_are_made():
    graph = chain()
    with graph.inserting_before(graph.find_nodes("exp")[0]):
        for target in (aten.sin.default, aten.cos.default):
            graph.call_function(target, (graph.inputs[0],))
    assert kinds(graph) == ["relu", "sin", "cos", "exp", "add"]


def test_new_nodes_go_behind_a_node_in_the_order_in_which_they_are_made():
    graph = chain()
    with graph.inserting_after(graph.find_nodes("relu")[0]):
        for target in (aten.sin.default, aten.cos.default):
            graph.call_function(target, (graph.inputs[0],))
    assert kinds(graph) == ["relu", "sin", "cos", "exp", "add"]


def test_new_nodes_go_behind_the_last_node():
    graph = chain()
    with graph.inserting_after(graph.nodes[-1]):
        for target in (aten.sin.default, aten.cos.default):
            graph.call_function(target, (graph.inputs[0],))
    assert kinds(graph) == ["relu", "exp", "add", "sin", "cos"]


def test_new_nodes_go_to_the_beginning():
    graph = chain()
    with graph.inserting_before():
        for target in (aten.sin.default, aten.cos.default):
            graph.call_function(target, (graph.inputs[0],))
    assert kinds(graph) == ["sin", "cos", "relu", "exp", "add"]


def test_insertion_points_nest():
    graph = chain()
    relu, exp, _ = graph.nodes
    with graph.inserting_before(exp):
        graph.call_function(aten.sin.default, (graph.inputs[0],))
        with graph.inserting_before(relu):
            graph.call_function(aten.cos.default, (graph.inputs[0],))
        graph.call_function(aten.tan.default, (graph.inputs[0],))
    graph.call_function(aten.neg.default, (graph.inputs[0],))
    assert kinds(graph) == ["cos", "relu", "sin", "tan", "exp", "add", "neg"]


def test_an_insertion_point_ends_with_an_error():
    graph = chain()
    with pytest.raises(KeyError), graph.inserting_before(graph.nodes[0]):
        raise KeyError
    graph.call_function(aten.sin.default, (graph.inputs[0],))
    assert kinds(graph)[-1] == "sin"


def test_a_node_of_another_graph_is_no_insertion_point():
    with pytest.raises(TracelabError, match="is not a node of this graph"), chain().inserting_before(chain().nodes[0]):
        pass


def test_new_values_have_the_types_that_the_operator_gives():
    graph = tracelab.trace_graph(lambda x: x, torch.ones(3, 4))[0]
    node = graph.call_function(aten.max.dim, (graph.inputs[0], 1))
    assert [value.type.short for value in node.outputs] == ["float32[3]", "int64[3]"]


def test_a_list_of_new_values_is_taken_apart():
    graph = tracelab.trace_graph(lambda x: x, torch.ones(4))[0]
    parts = graph.call_function(aten.chunk.default, (graph.inputs[0], 2))
    assert parts.output.type == "Tensor[]"
    first, _ = graph.create_node(LIST_UNPACK, None, (parts.output,), types=("Tensor", "Tensor")).outputs
    graph.outputs = [first]
    assert run(graph, 1, 2, 3, 4) == [1, 2]


@pytest.mark.parametrize(
    ("function", "more", "overload"),
    [
        (torch.sin, (), aten.sin.default),
        (torch.nn.functional.gelu, (), aten.gelu.default),
        (torch.Tensor.exp, (), aten.exp.default),
        (torch.add, (2.0,), aten.add.Tensor),
        (aten.sum, ([0],), aten.sum.dim_IntList),
        (torch.clamp, (0.0,), aten.clamp.default),
    ],
)
def test_a_function_of_torch_is_its_overload_for_the_arguments(function, more, overload):
    graph = chain()
    assert graph.call_function(function, (graph.inputs[0], *more)).target is overload


def test_a_function_of_torch_that_does_not_take_the_arguments_is_refused():
    graph = chain()
    with pytest.raises(TracelabError, match=r"call_function\(aten.sin\): "):
        graph.call_function(torch.sin, (graph.inputs[0], 2))


def test_what_is_no_operator_cannot_be_called():
    with pytest.raises(TracelabError, match="call_function needs an operator, such as"):
        chain().call_function(len)


def test_a_new_value_gets_a_name_of_its_own():
    graph = chain()
    node = graph.call_function(aten.exp.default, (graph.inputs[0],))
    assert node.output.name == "exp.1"


def test_values_that_are_there_keep_their_names():
    graph = chain()
    before = [value.name for value in graph.values()]
    with graph.inserting_before():
        node = graph.call_function(aten.relu.default, (graph.inputs[0],))
    assert [value.name for value in graph.values() if value.node is not node] == before
    assert node.output.name == "relu.1"


def test_a_new_value_is_called_as_one_says():
    graph = chain()
    node = graph.call_function(aten.max.dim, (graph.inputs[0], 0), name="largest")
    assert [value.name for value in node.outputs] == ["largest", "largest.1"]


def test_a_new_node_stands_in_the_module_of_its_neighbour():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    graph = tracelab.trace_graph(net, torch.ones(2))[0]
    with graph.inserting_before(graph.find_nodes("relu")[0]):
        node = graph.call_function(aten.neg.default, (graph.inputs[0],))
    assert node.scope.path == "1"


def test_a_new_node_moves_the_warnings_behind_it():
    with pytest.warns(tracelab.TracerWarning):
        graph = tracelab.trace_graph(lambda x: x.exp() * int(x.sum()), torch.ones(2))[0]
    assert [warning.position for warning in graph.warnings] == [2]
    with graph.inserting_before():
        graph.call_function(aten.neg.default, (graph.inputs[0],))
    assert [warning.position for warning in graph.warnings] == [3]


# Using ---------------------------------------------------------------------------------------------------------


def test_users_are_the_nodes_that_use_it_in_order():
    graph = tracelab.trace_graph(lambda x: (y := x.relu()) + torch.add(1, y, alpha=2) * y, torch.ones(2))[0]
    relu = graph.nodes[0]
    assert [user.name for user in relu.users] == ["add", "mul", "add"]


def test_a_node_that_uses_it_twice_is_one_user():
    graph = tracelab.trace_graph(lambda x: (y := x.relu()) * y, torch.ones(2))[0]
    assert list(graph.nodes[0].users) == [graph.nodes[1]]


def test_a_node_that_has_it_in_a_list_is_a_user():
    graph = tracelab.trace_graph(lambda x: torch.stack([x, x.relu()]), torch.ones(2))[0]
    assert [user.name for user in graph.nodes[0].users] == ["stack"]


def test_input_nodes_are_the_makers_of_what_it_uses_each_once():
    graph = tracelab.trace_graph(lambda x: torch.stack([y := x.relu(), x, y.exp(), y]), torch.ones(2))[0]
    relu, exp, stack = graph.nodes
    assert stack.all_input_nodes == [relu, exp]
    assert relu.all_input_nodes == []


def test_a_node_in_no_graph_has_no_users_to_ask_for():
    graph = tracelab.trace_graph(lambda x: (x.sin(), x.exp())[1], torch.ones(2))[0]
    sine = graph.nodes[0]
    graph.erase_node(sine)
    with pytest.raises(TracelabError, match="aten::sin is in no graph"):
        _ = sine.users


# Replacing -----------------------------------------------------------------------------------------------------


def test_another_value_is_used_instead():
    graph = chain()
    relu = graph.find_nodes("relu")[0]
    changed = relu.replace_all_uses_with(graph.inputs[0])
    assert changed == graph.find_nodes("exp")
    assert not relu.users
    assert run(graph, 0, 0) == [2, 2]


def test_another_node_is_used_instead():
    graph = chain()
    relu = graph.find_nodes("relu")[0]
    with graph.inserting_after(relu):
        node = graph.call_function(aten.mul.Tensor, (graph.inputs[0], 0))
    assert relu.replace_all_uses_with(node) == graph.find_nodes("exp")
    graph.erase_node(relu)
    assert run(graph, 5, 7) == [2, 2]


def test_what_the_graph_returns_is_replaced():
    graph = chain()
    add = graph.nodes[-1]
    node = graph.call_function(aten.neg.default, (graph.inputs[0],))
    assert add.replace_all_uses_with(node) == []
    assert graph.outputs == [node.output]
    assert run(graph, 1, 2) == [-1, -2]


def test_the_node_that_makes_the_new_value_keeps_the_old():
    graph = chain()
    relu = graph.find_nodes("relu")[0]
    with graph.inserting_after(relu):
        node = graph.call_function(aten.mul.Tensor, (relu.output, 0))
    relu.replace_all_uses_with(node)
    assert node.all_input_nodes == [relu]
    assert run(graph, 5, 7) == [2, 2]


def test_several_nodes_take_the_place_of_a_value():
    graph = chain()
    relu = graph.find_nodes("relu")[0]
    with graph.inserting_after(relu):
        doubled = graph.call_function(aten.mul.Tensor, (relu.output, 2))
        negated = graph.call_function(aten.neg.default, (doubled.output,))
    relu.replace_all_uses_with(negated)
    assert doubled.all_input_nodes == [relu]
    assert run(graph, 0, 0) == [2, 2]


def test_a_use_before_the_new_value_keeps_the_old():
    graph = tracelab.trace_graph(lambda x: (y := x.relu()).exp() + y, torch.ones(2))[0]
    relu, exp, add = graph.nodes
    with graph.inserting_after(exp):
        node = graph.call_function(aten.neg.default, (graph.inputs[0],))
    assert relu.replace_all_uses_with(node) == [add]
    assert exp.all_input_nodes == [relu]
    graph.lint()


def test_a_value_that_comes_after_every_use_replaces_none():
    graph = chain()
    relu, exp, _ = graph.nodes
    with graph.inserting_after(exp):
        node = graph.call_function(aten.neg.default, (graph.inputs[0],))
    with pytest.raises(TracelabError, match=r"comes after every use of %relu .* before aten::exp, its first user"):
        relu.replace_all_uses_with(node)


def test_arguments_by_keyword_and_in_lists_are_replaced():
    graph = tracelab.trace_graph(lambda x: torch.stack([x.relu(), x]), torch.ones(2))[0]
    relu, stack = graph.nodes
    stack.args, stack.kwargs = (), {"tensors": [relu.output, graph.inputs[0]]}
    relu.replace_all_uses_with(graph.inputs[0])
    assert graph.to_callable()(torch.tensor([-1.0])).tolist() == [[-1], [-1]]


def test_a_node_with_another_number_of_outputs_does_not_fit():
    graph = chain()
    node = graph.call_function(aten.max.dim, (graph.inputs[0], 0))
    with pytest.raises(TracelabError, match="aten::relu has 1 outputs, and what replaces it has 2"):
        graph.nodes[0].replace_all_uses_with(node)


# Finding -------------------------------------------------------------------------------------------------------


def found(graph: Graph, *args, **kwargs) -> list[str]:
    return [str(node) for node in graph.find_nodes(*args, **kwargs)]


def test_nodes_are_found_by_kind_and_by_short_name():
    graph = chain()
    assert found(graph, "aten::relu") == found(graph, "relu") == found(graph, op="relu") == ["%relu = aten::relu(%x)"]
    assert found(graph, "rel") == []


def test_nodes_are_found_by_overload():
    graph = tracelab.trace_graph(lambda x: x.add(x) + 1, torch.ones(2))[0]
    graph.call_function(aten.add.Scalar, (graph.inputs[0], 2))
    assert len(found(graph, target=aten.add.Tensor)) == 2
    assert len(found(graph, target=aten.add.Scalar)) == 1


def test_nodes_are_found_by_all_overloads_of_an_operator():
    graph = tracelab.trace_graph(lambda x: x.add(x) + 1, torch.ones(2))[0]
    graph.call_function(aten.add.Scalar, (graph.inputs[0], 2))
    assert len(found(graph, target=aten.add)) == 3


def test_nodes_are_found_by_function():
    graph = tracelab.trace_graph(lambda x: x.view(x.shape[0], -1), torch.ones(2))[0]
    assert found(graph, target=torch.Tensor.size) == ["%size = aten::size(%x)"]


def test_both_conditions_hold():
    graph = chain()
    assert found(graph, "exp", target=aten.relu) == []
    assert len(found(graph)) == 3


# Dead code, copies, edits by hand -------------------------------------------------------------------------------


def test_eliminating_dead_code_says_whether_there_was_any():
    graph = tracelab.trace_graph(lambda x: (x.sin(), x.exp())[1], torch.ones(2))[0]
    assert graph.eliminate_dead_code()
    assert not graph.eliminate_dead_code()
    assert kinds(graph) == ["exp"]


def test_a_copy_is_edited_without_the_original():
    graph = chain()
    before = str(graph)
    copy = graph.copy()
    assert str(copy) == before
    copy.nodes[0].replace_all_uses_with(copy.inputs[0])
    copy.eliminate_dead_code()
    copy.nodes[0].args = (copy.inputs[0],)
    assert str(graph) == before
    graph.lint()
    copy.lint()


def test_a_copy_has_nodes_and_warnings_of_its_own():
    with pytest.warns(tracelab.TracerWarning):
        graph = tracelab.trace_graph(lambda x: x.exp() * int(x.sum()), torch.ones(2))[0]
    copy = graph.copy()
    assert not set(copy.nodes) & set(graph.nodes)
    assert copy.warnings[0].node is copy.find_nodes("sum")[0]
    with copy.inserting_before():
        copy.call_function(aten.neg.default, (copy.inputs[0],))
    assert graph.warnings[0].position == 2


def negated_first(graph: Graph) -> None:
    relu = graph.find_nodes("relu")[0]
    with graph.inserting_before(relu):
        node = graph.call_function(aten.neg.default, (graph.inputs[0],))
    relu.args = (node.output,)


def test_a_traced_function_runs_its_graph_as_edited():
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    assert traced(torch.tensor([-1.0, 2.0])).tolist() == [1, 3]
    negated_first(traced.graph)
    assert traced(torch.tensor([-1.0, 2.0])).tolist() == [2, 1]
    assert "neg" in traced.code


def test_a_traced_module_runs_its_graph_as_edited():
    net = nn.Sequential(nn.ReLU(), nn.Flatten())
    traced = tracelab.trace(net, torch.ones(1, 2))
    assert traced(torch.tensor([[-1.0, 2.0]])).tolist() == [[0, 2]]
    negated_first(traced.graph)
    assert traced(torch.tensor([[-1.0, 2.0]])).tolist() == [[1, 0]]


def test_a_run_follows_the_graph_as_edited():
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    traced.run(torch.ones(2))
    negated_first(traced.graph)
    run = traced.run(torch.tensor([-1.0, 2.0]))
    assert run.outputs.tolist() == [2, 1]


def set_arguments(graph: Graph) -> None:
    graph.find_nodes("add")[0].args = (graph.inputs[0], 5)


def set_keywords(graph: Graph) -> None:
    add = graph.find_nodes("add")[0]
    add.kwargs = {"alpha": 5}


def set_target(graph: Graph) -> None:
    add = graph.find_nodes("add")[0]
    add.kind, add.target = "aten::mul", aten.mul.Tensor
    add.args = (add.args[0], 6)


def set_outputs(graph: Graph) -> None:
    graph.outputs = [graph.inputs[0]]


def put_a_node(graph: Graph) -> None:
    node = graph.nodes.pop()
    graph.nodes.insert(1, node)
    node.args = (graph.inputs[0], 5)


def take_out_nodes(graph: Graph) -> None:
    graph.outputs = [graph.inputs[0]]
    graph.nodes.clear()


BY_HAND = {
    set_arguments: [6, 6],
    set_keywords: [6, 6],
    set_target: [6, 6],
    set_outputs: [1, 1],
    put_a_node: [6, 6],
    take_out_nodes: [1, 1],
}


@pytest.mark.parametrize("edit", BY_HAND, ids=lambda edit: edit.__name__)
def test_an_edit_by_hand_reaches_the_replay(edit):
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    assert traced(torch.ones(2)).tolist() == [2, 2]
    edit(traced.graph)
    assert traced(torch.ones(2)).tolist() == BY_HAND[edit]
    traced.graph.lint()


def test_an_edit_inside_a_list_of_arguments_is_followed_once_it_is_set():
    traced = tracelab.trace(lambda x: x.view([2, 1]), torch.ones(2))
    assert traced(torch.ones(2)).shape == (2, 1)
    (view,) = traced.graph.nodes
    view.args[1].reverse()
    assert traced(torch.ones(2)).shape == (2, 1)
    view.args = tuple(view.args)
    assert traced(torch.ones(2)).shape == (1, 2)
