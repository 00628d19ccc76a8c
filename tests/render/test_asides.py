"""What is not the story: arithmetic on sizes is part of what uses it, and what nothing depends on is marked."""

from __future__ import annotations

import pytest
import torch

import tracelab
from support.source_text import define
from tracelab.render import view_document
from tracelab.render.picture.dot import document_dot
from tracelab.render.view_document.diff_document import MergedView


def document_of(code, *args):
    function = define(code, "run")
    return view_document(tracelab.trace_graph(function, args, strict=False)[0])


def expressions(document):
    return [document["strings"][text] for _, text in document["nodes"].get("sizes", [])]


def unused(document):
    strings, nodes = document["strings"], document["nodes"]
    return [strings[nodes["kind"][node]] for node in nodes.get("unused", [])]


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("def run(x):\n    return x.view(x.size(0), -1)", ["x.size(0)"]),
        ("def run(x):\n    return x.view(x.size(0) * x.size(1) // 2, 2)", ["x.size(0)", "x.size(1)"]),
        ("def run(x):\n    batch = x.size(1)\n    return x.view(batch, -1)", ["batch"]),
        ("def run(x):\n    return torch.zeros(2, dtype=x.dtype) + x.sum()", ["x.dtype"]),
    ],
    ids=["a size", "arithmetic", "names of the code", "a dtype"],
)
def test_sizes_are_expressions(code, expected):
    found = expressions(document_of(f"import torch\n\n{code}", torch.ones(2, 4)))
    assert set(expected) <= set(found)


def test_arithmetic_has_the_brackets_that_it_needs():
    found = expressions(document_of("def run(x):\n    return x.view((x.size(0) + 2) * 2, -1)", torch.ones(2, 4)))
    assert found[-1] == "(x.size(0) + 2) * 2"


def test_a_number_that_is_a_result_stays():
    assert expressions(document_of("def run(x):\n    return x.relu(), x.size(0)", torch.ones(2))) == []


def test_a_number_read_from_elements_stays():
    assert expressions(document_of("def run(x):\n    return x * x.sum().item()", torch.ones(2))) == []


def test_a_node_with_a_warning_stays():
    code = "def run(x):\n    y = x.sum()\n    return x + 1 if y > 0 else x - 1"
    with pytest.warns(tracelab.TracerWarning):
        document = document_of(code, torch.ones(2))
    assert unused(document) == []


def test_what_nothing_depends_on_is_unused():
    document = document_of("def run(x):\n    y = x.exp().sin()\n    return x + 1", torch.ones(2))
    assert unused(document) == ["aten::exp", "aten::sin"]


@pytest.mark.parametrize(
    "line",
    ["x.add_(1)", "torch.rand(2)", "torch.nn.init.zeros_(x)"],
    ids=["a write", "a draw", "a function that writes"],
)
def test_what_changes_something_is_used(line):
    document = document_of(f"import torch\n\ndef run(x):\n    {line}\n    return torch.ones(2)", torch.ones(2))
    assert unused(document) == []


def test_the_picture_has_one_box_for_what_is_unused():
    dot = document_dot(document_of("def run(x):\n    y = x.exp().sin()\n    return x + 1", torch.ones(2)), 60)
    assert "2 unused operators" in dot
    assert "exp\\n" not in dot


def test_a_difference_marks_nothing():
    function = define("def run(x):\n    y = x.exp()\n    return x.view(x.size(0), -1)", "run")
    traced = tracelab.trace(function, torch.ones(2))
    nodes = MergedView(tracelab.diff(traced, traced)).document["nodes"]
    assert "unused" not in nodes
    assert "sizes" not in nodes


def of(document, column):
    """The kinds of the nodes in a column, which holds nodes or pairs of them."""
    strings, nodes = document["strings"], document["nodes"]
    kinds = [strings[kind].rpartition("::")[2] for kind in nodes["kind"]]
    rows = nodes.get(column, [])
    return [" of ".join(kinds[at] for at in ((row,) if isinstance(row, int) else row)) for row in rows]


@pytest.mark.parametrize(
    "code",
    ["y.to(y.dtype)", "y.contiguous()", "y.view(2, 4)", "y.reshape(2, -1)", "y[:]", "F.dropout(y, 0.5, False)"],
)
def test_what_gives_back_the_tensor_that_it_takes_is_marked_with_what_made_it(code):
    text = f"import torch.nn.functional as F\n\ndef run(x):\n    y = x.relu()\n    return ({code}).exp()"
    (found,) = of(document_of(text, torch.ones(2, 4)), "identities")
    assert found.endswith(" of relu")


@pytest.mark.parametrize(
    "code",
    [
        "y.double()",
        "y.t().contiguous()",
        "y.view(4, 2)",
        "y[:1]",
        "F.dropout(y, 0.5, True)",
        "x.view(2, 4)",
        "y.clone()",
    ],
    ids=["a dtype", "a layout", "a shape", "a part", "in training", "of an input", "a copy"],
)
def test_what_changes_something_or_has_no_maker_is_not_marked(code):
    text = f"import torch.nn.functional as F\n\ndef run(x):\n    y = x.relu()\n    return ({code}).exp(), y"
    assert of(document_of(text, torch.ones(2, 4)), "identities") == []


def test_several_such_in_a_row_have_one_maker():
    code = "def run(x):\n    return x.relu().contiguous().view(2, 4).exp()"
    assert of(document_of(code, torch.ones(2, 4)), "identities") == ["contiguous of relu", "view of relu"]


def test_still_pictures_join_what_stands_around_them():
    dot = document_dot(document_of("def run(x):\n    return x.relu().contiguous().exp()", torch.ones(2, 4)))
    assert "contiguous" not in dot
    assert "n0 -> n1" in dot


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("x + torch.arange(x.size(1)).unsqueeze(0)", ["arange", "unsqueeze"]),
        ("x + torch.ones(4, 4).tril()[0]", ["ones", "tril", "select"]),
        ("x + torch.rand(4)", []),
        ("x + torch.zeros(4).copy_(x[0])", []),
        ("x + torch.zeros_like(x).exp()", []),
        ("x @ layer.weight.t()", []),
    ],
    ids=["positions", "a mask", "random numbers", "what is written to", "like an input", "a parameter"],
)
def test_what_is_made_from_sizes_alone_is_marked(code, expected):
    text = f"import torch\n\nlayer = torch.nn.Linear(4, 4)\n\ndef run(x):\n    return {code}"
    assert of(document_of(text, torch.ones(2, 4)), "constants") == expected


def test_the_difference_of_two_graphs_marks_neither():
    traced = tracelab.trace(lambda x: x.relu().contiguous() + torch.arange(4).unsqueeze(0), torch.ones(2, 4))
    nodes = MergedView(tracelab.diff(traced, traced)).document["nodes"]
    assert {"identities", "constants"}.isdisjoint(nodes)
