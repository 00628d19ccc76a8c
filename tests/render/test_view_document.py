"""The view document: whole ones compared literally, and what no document may hold."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
import tempfile
from pathlib import Path

import pytest
import torch
from torch import nn

import tracelab
from support.source_text import define
from tracelab.demo.gpt import GPT
from tracelab.demo.resnet import ResNet
from tracelab.render import view_bytes, view_document

TORCH = ".".join(torch.__version__.split(".")[:2])


def graph_of(function, *args):
    return tracelab.trace_graph(function, args, strict=False)[0]


def warned_graph_of(function, *args, count=1):
    """The same for code in which the trace freezes something, which is warned of."""
    with pytest.warns(tracelab.TracerWarning):
        graph = graph_of(function, *args)
    assert len(graph.warnings) == count
    return graph


def plain(graph):
    """The document as a reader gets it: of lists and objects."""
    return json.loads(view_bytes(graph))


def column(document, table, name):
    """A column of strings, as strings."""
    return [None if index < 0 else document["strings"][index] for index in document[table][name]]


def row(document, name):
    """The number of the value of this name."""
    return column(document, "values", "name").index(name)


# Whole documents ---------------------------------------------------------------------------------------------


def test_the_document_of_a_function():
    function = define(
        """
        def f(x, y):
            z = x + y
            return z * 2
        """,
        "f",
    )
    assert plain(graph_of(function, torch.ones(2, 3), torch.ones(2, 3))) == {
        "format": "tracelab.view",
        "version": 2,
        "name": "f",
        "torch": TORCH,
        "strings": [
            "f",
            "",
            "aten::add",
            "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
            "self",
            "%x",
            "other",
            "%y",
            "aten::mul",
            "aten::mul.Tensor(Tensor self, Tensor other) -> Tensor",
            "%z",
            "2",
            "x",
            "Tensor",
            "float32",
            "cpu",
            "y",
            "z",
            "mul",
        ],
        "shapes": [[2, 3]],
        "scopes": {"parent": [-1], "name": [0], "class_name": [1], "call": [0]},
        "nodes": {
            "kind": [2, 8],
            "scope": [0, 0],
            "schema": [3, 9],
            "source": [0, 1],
            "inputs": [[0, 1], [2]],
            "outputs": [[2], [3]],
            "arguments": [[[4, 5], [6, 7]], [[4, 10], [6, 11]]],
        },
        "values": {
            "name": [12, 16, 17, 18],
            "type": [13, 13, 13, 13],
            "dtype": [14, 14, 14, 14],
            "shape": [0, 0, 0, 0],
            "device": [15, 15, 15, 15],
            "node": [-1, -1, 0, 1],
            "role": [1, 1, 0, 0],
            "path": [-1, -1, -1, -1],
            "alias": [-1, -1, -1, -1],
        },
        "inputs": [0, 1],
        "outputs": [3],
        "sources": {
            "file": [0, 0],
            "line": [2, 3],
            "end_line": [2, 3],
            "column": [8, 11],
            "end_column": [13, 16],
            "function": [0, 0],
            "caller": [-1, -1],
        },
        "files": [{"name": "<code>", "lines": {"1": "def f(x, y):", "2": "    z = x + y", "3": "    return z * 2"}}],
        "warnings": [],
        "summary": {"ops": 2, "parameters": 0, "parameter_bytes": 0, "warnings": 0},
    }


NET = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)

    def forward(self, x):
        y = self.fc(x)
        if y.sum() < 99:
            y = y + 1
        return y
"""


def test_the_document_of_a_module_with_a_warning():
    assert plain(warned_graph_of(define(NET, "Net")(), torch.ones(1, 3))) == {
        "format": "tracelab.view",
        "version": 2,
        "name": "Net",
        "torch": TORCH,
        "strings": [
            "Net",
            "fc",
            "Linear",
            "aten::linear",
            "aten::linear(Tensor input, Tensor weight, Tensor? bias=None) -> Tensor",
            "input",
            "%x",
            "weight",
            "%fc.weight",
            "bias",
            "%fc.bias",
            "aten::sum",
            "aten::sum(Tensor self, *, ScalarType? dtype=None) -> Tensor",
            "self",
            "%y",
            "aten::lt",
            "aten::lt.Scalar(Tensor self, Scalar other) -> Tensor",
            "%sum",
            "other",
            "99",
            "aten::add",
            "aten::add.Tensor(Tensor self, Tensor other, *, Scalar alpha=1) -> Tensor",
            "1",
            "x",
            "Tensor",
            "float32",
            "cpu",
            "fc.weight",
            "fc.bias",
            "y",
            "sum",
            "lt",
            "bool",
            "y.1",
            "Net.forward",
        ],
        "shapes": [[1, 3], [2, 3], [2], [1, 2], []],
        "scopes": {"parent": [-1, 0], "name": [0, 1], "class_name": [0, 2], "call": [0, 0]},
        "nodes": {
            "kind": [3, 11, 15, 20],
            "scope": [1, 0, 0, 0],
            "schema": [4, 12, 16, 21],
            "source": [0, 1, 2, 3],
            "inputs": [[0, 1, 2], [3], [4], [3]],
            "outputs": [[3], [4], [5], [6]],
            "arguments": [
                [[5, 6], [7, 8], [9, 10]],
                [[13, 14]],
                [[13, 17], [18, 19]],
                [[13, 14], [18, 22]],
            ],
        },
        "values": {
            "name": [23, 27, 28, 29, 30, 31, 33],
            "type": [24, 24, 24, 24, 24, 24, 24],
            "dtype": [25, 25, 25, 25, 25, 32, 25],
            "shape": [0, 1, 2, 3, 4, 4, 3],
            "device": [26, 26, 26, 26, 26, 26, 26],
            "node": [-1, -1, -1, 0, 1, 2, 3],
            "role": [1, 2, 2, 0, 0, 0, 0],
            "path": [-1, 27, 28, -1, -1, -1, -1],
            "alias": [-1, -1, -1, -1, -1, -1, -1],
        },
        "inputs": [0, 1, 2],
        "outputs": [6],
        "sources": {
            "file": [0, 0, 0, 0],
            "line": [7, 8, 8, 9],
            "end_line": [7, 8, 8, 9],
            "column": [12, 11, 11, 16],
            "end_column": [22, 18, 23, 21],
            "function": [34, 34, 34, 34],
            "caller": [-1, -1, -1, -1],
        },
        "files": [
            {
                "name": "<code>",
                "lines": {
                    "5": "",
                    "6": "    def forward(self, x):",
                    "7": "        y = self.fc(x)",
                    "8": "        if y.sum() < 99:",
                    "9": "            y = y + 1",
                    "10": "        return y",
                },
            }
        ],
        "warnings": [
            {
                "kind": "bool",
                "message": (
                    "Converting a tensor to a Python boolean (True) might cause the trace to be incorrect: "
                    "the branch taken here is taken for every input. Keep it a tensor, or trace again where it differs."
                ),
                "node": 2,
                "source": 2,
                "constant": "True",
                "affects": [6],
                "fix": {
                    "line": 8,
                    "column": 8,
                    "end_line": 9,
                    "end_column": 21,
                    "text": "y = torch.where(y.sum() < 99, y + 1, y)",
                    "reason": "Both sides have the same shape and type, and neither has a side effect.",
                },
            }
        ],
        "summary": {"ops": 4, "parameters": 8, "parameter_bytes": 32, "warnings": 1},
    }


def test_an_empty_graph_has_a_document():
    document = view_document(graph_of(lambda: ()))
    assert document["nodes"]["kind"] == []
    assert document["outputs"] == []


def test_all_columns_of_a_table_are_equally_long():
    document = view_document(graph_of(ResNet.resnet18().eval(), torch.randn(1, 3, 64, 64)))
    for table in ("scopes", "nodes", "values", "sources"):
        assert len({len(cells) for cells in document[table].values()}) == 1, table


# The same bytes ----------------------------------------------------------------------------------------------


def test_two_traces_give_the_same_bytes():
    model, x = GPT(layers=2).eval(), torch.zeros(1, 8, dtype=torch.int64)
    assert view_bytes(graph_of(model, x)) == view_bytes(graph_of(model, x))


def test_two_instances_of_a_model_give_the_same_bytes():
    x = torch.zeros(1, 8, dtype=torch.int64)
    assert view_bytes(graph_of(GPT(layers=1), x)) == view_bytes(graph_of(GPT(layers=1), x))


SCRIPT = """
import sys, torch, tracelab
from tracelab.demo.gpt import GPT
from tracelab.render import view_bytes, svg
torch.manual_seed(0)
traced = tracelab.trace(GPT(layers=1).eval(), torch.zeros(1, 8, dtype=torch.int64))
sys.stdout.buffer.write(view_bytes(traced.graph) + svg(traced.graph).encode())
"""


def test_two_processes_give_the_same_bytes():
    root = str(Path(tracelab.__file__).parents[1])
    paths = os.pathsep.join(filter(None, (root, os.environ.get("PYTHONPATH"))))
    found = []
    for seed in ("1", "77"):
        environment = {**os.environ, "PYTHONHASHSEED": seed, "PYTHONPATH": paths}
        done = subprocess.run([sys.executable, "-c", SCRIPT], env=environment, capture_output=True, check=True)
        found.append(done.stdout)
    assert found[0] == found[1]
    assert found[0].startswith(b'{"format":"tracelab.view"')


# What is folded ----------------------------------------------------------------------------------------------


def test_lists_and_tuples_are_folded_away():
    def parts(x):
        low, high = x.chunk(2)
        return torch.cat([low, high]), (low, high)

    document = view_document(graph_of(parts, torch.ones(4)))
    assert column(document, "nodes", "kind") == ["aten::chunk", "aten::cat"]


def test_a_folded_list_is_the_outputs_of_its_operator():
    def parts(x):
        low, high = x.chunk(2)
        return low + high

    document = view_document(graph_of(parts, torch.ones(4)))
    assert document["nodes"]["outputs"][0] == [row(document, "low"), row(document, "high")]


def test_the_members_of_a_list_are_inputs():
    document = view_document(graph_of(lambda x, y: torch.cat([x, y]), torch.ones(1), torch.ones(2)))
    assert document["nodes"]["inputs"] == [[0, 1]]


def test_the_outputs_are_the_members_of_the_result_in_order():
    def several(x):
        first = x + 1
        second = x * 2
        return {"b": second, "a": (first, second)}

    document = view_document(graph_of(several, torch.ones(2)))
    assert [column(document, "values", "name")[value] for value in document["outputs"]] == ["second", "first", "second"]


def test_a_none_in_the_result_is_no_output():
    document = view_document(graph_of(lambda x: (x + 1, None), torch.ones(2)))
    assert len(document["outputs"]) == 1


def test_a_module_in_which_nothing_ran_is_no_scope():
    model = nn.Sequential(nn.Identity(), nn.ReLU())
    assert column(view_document(graph_of(model, torch.ones(2))), "scopes", "name") == ["Sequential", "1"]


def test_a_module_called_twice_is_two_scopes():
    class Twice(nn.Module):
        def __init__(self):
            super().__init__()
            self.act = nn.ReLU()

        def forward(self, x):
            return self.act(self.act(x) - 1)

    assert view_document(graph_of(Twice(), torch.ones(2)))["scopes"]["call"] == [0, 0, 1]


# Values ------------------------------------------------------------------------------------------------------


def test_inputs_parameters_buffers_and_made_values_have_their_roles():
    document = view_document(graph_of(nn.BatchNorm1d(2).eval(), torch.ones(3, 2)))
    named = dict(zip(column(document, "values", "name"), document["values"]["role"], strict=True))
    assert named == {"input": 1, "weight": 2, "bias": 2, "running_mean": 3, "running_var": 3, "batch_norm": 0}


def test_constant_tensors_have_role_4_and_no_maker():
    offset = torch.tensor([1.0, 2.0])
    document = view_document(graph_of(lambda x: x + offset, torch.ones(2)))
    value = document["values"]["role"].index(4)
    assert document["values"]["node"][value] == -1
    assert document["nodes"]["inputs"] == [[0, value]]


def test_a_parameter_has_its_path():
    document = view_document(graph_of(nn.Sequential(nn.Linear(2, 2)), torch.ones(1, 2)))
    assert column(document, "values", "path") == [None, "0.weight", "0.bias", None]


def test_a_view_is_an_alias_of_what_it_shows():
    def viewed(x):
        flat = x.view(-1)
        return flat

    document = view_document(graph_of(viewed, torch.ones(2, 2)))
    assert document["values"]["alias"][row(document, "flat")] == row(document, "x")


def test_the_result_of_an_in_place_operator_is_an_alias_of_what_it_wrote():
    def bumped(x):
        y = x * 2
        z = y.add_(1)
        return z

    document = view_document(graph_of(bumped, torch.ones(2)))
    assert document["values"]["alias"][row(document, "z")] == row(document, "y")


def test_the_chunks_of_a_tensor_are_aliases_of_it():
    def halves(x):
        low, high = x.chunk(2)
        return low, high

    document = view_document(graph_of(halves, torch.ones(4)))
    assert document["values"]["alias"] == [-1, 0, 0]


def test_an_ordinary_result_is_no_alias():
    assert view_document(graph_of(lambda x: x + 1, torch.ones(2)))["values"]["alias"] == [-1, -1]


def test_a_size_is_an_int_without_shape():
    document = view_document(graph_of(lambda x: x.view(x.shape[0] * 1, -1), torch.ones(2, 3)))
    value = column(document, "values", "type").index("int")
    assert [document["values"][name][value] for name in ("dtype", "shape", "device")] == [-1, -1, -1]


# Warnings ----------------------------------------------------------------------------------------------------


def test_a_branch_taints_what_was_made_after_it():
    def branching(x):
        before = x * 2
        after = before + 1 if x.sum() > 0 else before - 1
        return before, after

    document = view_document(warned_graph_of(branching, torch.ones(2)))
    assert document["warnings"][0]["affects"] == document["outputs"][1:]


def test_a_branch_taints_what_was_written_after_it():
    def branching(x):
        kept = x * 2
        if x.sum() > 0:
            kept.add_(1)
        return kept

    document = view_document(warned_graph_of(branching, torch.ones(2)))
    assert document["warnings"][0]["affects"] == document["outputs"]


def test_a_warning_points_at_its_node_and_line():
    document = view_document(warned_graph_of(define(NET, "Net")(), torch.ones(1, 3)))
    warning = document["warnings"][0]
    assert column(document, "nodes", "kind")[warning["node"]] == "aten::lt"
    assert document["sources"]["line"][warning["source"]] == 8


# Failures ----------------------------------------------------------------------------------------------------


def test_the_node_that_raised_is_marked():
    with pytest.raises(tracelab.TraceError) as caught:
        graph_of(lambda x: (x + 1) @ torch.ones(7), torch.ones(2, 3))
    document = view_document(caught.value.graph)
    assert column(document, "nodes", "kind")[document["nodes"]["failed"]] == "aten::matmul"


# Nothing of this machine -------------------------------------------------------------------------------------


def test_no_path_of_this_machine_is_in_a_document(tmp_path):
    source = "import torch\n\ndef f(x):\n    return torch.relu(x) + 1\n"
    file = tmp_path / "written_here.py"
    file.write_text(source, encoding="utf-8")
    space = {}
    exec(compile(source, str(file), "exec"), space)
    text = view_bytes(graph_of(space["f"], torch.ones(2))).decode()
    assert "written_here.py" in text
    for place in (str(tmp_path), tempfile.gettempdir(), os.getcwd(), sys.prefix, str(Path.home())):
        assert place not in text


def test_no_path_is_in_the_document_of_a_module_of_this_package():
    text = view_bytes(graph_of(GPT(layers=1), torch.zeros(1, 8, dtype=torch.int64))).decode()
    assert '"name":"tracelab/demo/gpt.py"' in text
    assert str(Path(tracelab.__file__).parents[1]) not in text


def test_no_address_is_in_a_document():
    class Odd(nn.Module):
        def forward(self, x, how=None):
            return x + 1

    text = view_bytes(graph_of(lambda x: Odd()(x, object()), torch.ones(2))).decode()
    assert not re.search("0x[0-9a-f]{6,}", text)


# Hostile strings ---------------------------------------------------------------------------------------------


def named_module(name):
    """A module whose child and class have this name."""
    model = nn.Sequential()
    model.add_module(name, type(name, (nn.ReLU,), {})())
    return model


HTML = "</script><script>alert('1')</script><img src=x onerror=alert(1)>"


def test_html_in_names_is_kept_as_it_is():
    document = json.loads(view_bytes(graph_of(named_module(HTML), torch.ones(2))))
    assert column(document, "scopes", "name")[1] == HTML
    assert column(document, "scopes", "class_name")[1] == HTML


def test_half_a_surrogate_pair_is_written_as_its_escape():
    graph = graph_of(lambda x: x + 1, torch.ones(2))
    graph.inputs[0].name = "half \ud800 pair"
    document = json.loads(view_bytes(graph))
    assert column(document, "values", "name")[0] == "half \\ud800 pair"


def test_control_characters_survive():
    name = "a\x01b\x1b[31m\u2028\u202e"
    document = json.loads(view_bytes(graph_of(named_module(name), torch.ones(2))))
    assert column(document, "scopes", "name")[1] == name


def test_a_name_of_a_million_characters_survives():
    name = "n" * 1_000_000
    document = json.loads(view_bytes(graph_of(named_module(name), torch.ones(2))))
    assert column(document, "scopes", "name")[1] == name


def test_a_long_argument_is_cut():
    document = view_document(graph_of(lambda x: x.view([1] * 400 + [2]), torch.ones(2)))
    (_, text) = document["nodes"]["arguments"][0][1]
    assert len(document["strings"][text]) <= 120


def test_infinities_and_nan_as_arguments_are_text():
    document = json.loads(view_bytes(graph_of(lambda x: x.clamp(float("-inf"), float("nan")), torch.ones(2))))
    assert [document["strings"][text] for _, text in document["nodes"]["arguments"][0]] == ["%x", "-inf", "nan"]


def test_strides_stand_only_where_elements_do_not_lie_row_after_row():
    document = view_document(graph_of(lambda x: x.t() + 1, torch.ones(2, 3)))
    names = [document["strings"][name] for name in document["values"]["name"]]
    found = {names[value]: document["shapes"][row] for value, row in document["values"]["strides"]}
    assert found == {"t": [1, 3], "add": [1, 3]}
