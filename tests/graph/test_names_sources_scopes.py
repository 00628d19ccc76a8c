"""Values are called as the user's variables, and nodes know their place in the user's code and in the modules."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab
from tracelab.graph.source import is_cell
from tracelab.render import view_document


def made(graph):
    return [value.name for node in graph.nodes for value in node.outputs]


# Names -------------------------------------------------------------------------------------------------------


def test_a_value_is_named_by_the_variable_it_is_assigned_to():
    def named(x):
        query = x * 2
        key = query + 1
        return key

    assert made(tracelab.trace(named, torch.ones(2)).graph) == ["query", "key"]


def test_an_expression_inside_another_is_named_by_its_operator():
    def nested(x):
        return (x * 2).exp()

    assert made(tracelab.trace(nested, torch.ones(2)).graph) == ["mul", "exp"]


def test_only_the_last_operator_of_an_assigned_expression_takes_the_name():
    def nested(x):
        hidden = (x * 2).exp()
        return hidden

    assert made(tracelab.trace(nested, torch.ones(2)).graph) == ["mul", "hidden"]


def test_a_name_assigned_twice_is_numbered():
    def again(x):
        y = x + 1
        y = y + 2
        y = y + 3
        return y

    assert made(tracelab.trace(again, torch.ones(2)).graph) == ["y", "y.1", "y.2"]


def test_unpacked_results_take_one_name_each():
    def unpack(x):
        low, high = x.chunk(2)
        return low + high

    assert made(tracelab.trace(unpack, torch.ones(4)).graph)[-3:] == ["low", "high", "add"]


def test_an_attribute_gives_its_name():
    class Holder:
        pass

    def keep(x):
        holder = Holder()
        holder.memory = x + 1
        return holder.memory

    assert made(tracelab.trace(keep, torch.ones(2)).graph) == ["memory"]


def test_what_a_called_function_returns_takes_the_caller_s_name():
    def inner(x):
        return x.relu() + 1

    def outer(x):
        activated = inner(x)
        return activated

    assert made(tracelab.trace(outer, torch.ones(2)).graph) == ["relu", "activated"]


def test_what_a_module_returns_takes_the_caller_s_name():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            logits = self.fc(x)
            return logits.softmax(-1)

    assert made(tracelab.trace(Net(), torch.ones(1, 2)).graph) == ["logits", "softmax"]


def test_inputs_are_named_by_their_parameters_and_nested_ones_are_numbered():
    def pairs(x, pair):
        return x + pair[0] + pair[1]

    ones = torch.ones(1)
    graph = tracelab.trace(pairs, (ones, (ones, ones))).graph
    assert [value.name for value in graph.inputs] == ["x", "pair.0", "pair.1"]


# Sources -----------------------------------------------------------------------------------------------------


def test_a_source_tells_two_calls_on_one_line_apart_by_their_columns():
    def line(x):
        return x.exp() + x.sin()

    exp, sin, add = (node.source for node in tracelab.trace(line, torch.ones(2)).graph.nodes)
    text = exp.text
    assert text[exp.column : exp.end_column] == "x.exp()"
    assert text[sin.column : sin.end_column] == "x.sin()"
    assert text[add.column : add.end_column] == "x.exp() + x.sin()"
    assert exp.line == sin.line == line.__code__.co_firstlineno + 1


def test_a_call_over_several_lines_knows_its_first_and_last():
    def spread(x):
        return torch.clamp(
            x,
            min=0,
        )

    (node,) = tracelab.trace(spread, torch.ones(2)).graph.nodes
    assert node.source.end_line == node.source.line + 3


def test_columns_count_characters_not_bytes():
    def greek(x):
        μ = x.mean(); δ = x - μ  # fmt: skip # noqa: E702
        return δ

    mean, difference = (node.source for node in tracelab.trace(greek, torch.ones(2)).graph.nodes)
    assert mean.text[mean.column : mean.end_column] == "x.mean()"
    assert difference.text[difference.column : difference.end_column] == "x - μ"


def test_a_source_names_its_function_and_its_callers():
    def inner(x):
        return x.relu()

    def outer(x):
        return inner(x)

    (node,) = tracelab.trace(outer, torch.ones(2)).graph.nodes
    assert node.source.function.endswith("inner")
    assert node.source.caller.function.endswith("outer")
    assert node.source.caller.caller is None


def test_frames_of_torch_are_no_part_of_a_source():
    def stack(x):
        return nn.functional.interpolate(x, scale_factor=2)

    node = tracelab.trace(stack, torch.ones(1, 1, 2, 2)).graph.nodes[-1]
    assert node.source.file == __file__
    assert [code.co_name for code, _ in node.source.stack] == ["stack"]


# Scopes ------------------------------------------------------------------------------------------------------


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)
        self.act = nn.ReLU()

    def forward(self, x):
        return self.act(self.fc(x)) + 1


class Stack(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList([Block(), Block()])

    def forward(self, x):
        for block in self.blocks:
            x = block(x)
        return x * 2


def test_scopes_are_the_paths_of_the_modules_that_ran():
    graph = tracelab.trace(Stack(), torch.ones(1, 2)).graph
    assert [(node.name, node.scope.path, node.scope.class_name) for node in graph.nodes] == [
        ("linear", "blocks.0.fc", "Linear"),
        ("relu", "blocks.0.act", "ReLU"),
        ("add", "blocks.0", "Block"),
        ("linear", "blocks.1.fc", "Linear"),
        ("relu", "blocks.1.act", "ReLU"),
        ("add", "blocks.1", "Block"),
        ("mul", "", "Stack"),
    ]


def test_scopes_form_a_tree_in_the_order_of_the_run():
    graph = tracelab.trace(Stack(), torch.ones(1, 2)).graph
    assert [("  " * scope.depth) + scope.last_name for scope in graph.scopes()] == [
        "Stack",
        "  blocks.0",
        "    fc",
        "    act",
        "  blocks.1",
        "    fc",
        "    act",
    ]


def test_calls_of_the_same_module_are_numbered():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return self.fc(self.fc(x))

    graph = tracelab.trace(Twice(), torch.ones(1, 2)).graph
    assert [(node.scope.path, node.scope.call) for node in graph.nodes] == [("fc", 0), ("fc", 1)]


def test_a_module_that_a_function_uses_is_called_by_its_variable():
    layer = nn.Linear(2, 2)

    def use(x):
        return layer(x)

    graph = tracelab.trace(use, torch.ones(1, 2)).graph
    assert [node.scope.path for node in graph.nodes] == ["layer"]
    assert [value.path for value in graph.parameters] == ["layer.weight", "layer.bias"]


def test_a_function_has_one_scope():
    graph = tracelab.trace(lambda x: x + 1, torch.ones(2)).graph
    assert graph.scopes() == [graph.root]
    assert graph.root.path == ""


# Cells -------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("file", "expected"),
    [
        ("/tmp/ipykernel_41/1234567.py", True),
        (r"C:\Users\me\AppData\Local\Temp\ipykernel_41\1234567.py", True),
        (r"C:\Users\me\cell.py", False),
        ("<ipython-input-3-0a1b2c>", True),
        ("__marimo__cell_Hbol_", True),
        ("/tmp/marimo_4711/__marimo__cell_MJUe_.py", True),
        ("/home/user/cell.py", False),
        ("<stdin>", False),
    ],
)
def test_the_file_names_that_notebooks_give_cells_are_known(file, expected):
    assert is_cell(file) is expected


def test_a_marimo_cell_is_named_a_cell_in_messages():
    space = {"torch": torch}
    exec(compile("def f(x):\n    return x + 1\n", "__marimo__cell_Hbol_", "exec"), space)
    (node,) = tracelab.trace(space["f"], torch.ones(2)).graph.nodes
    assert (node.source.short_file, node.source.line) == ("cell", 2)


def test_a_function_that_is_called_cell_is_no_notebook_cell():
    def cell(x):
        return x + 1

    graph = tracelab.trace(cell, torch.ones(2)).graph
    assert graph.cell == ""
    assert [file["name"] for file in view_document(graph)["files"]] == ["tests/graph/test_names_sources_scopes.py"]
