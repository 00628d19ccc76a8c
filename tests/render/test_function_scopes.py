"""Calls of functions as scopes of the view document."""

from __future__ import annotations

import pickle

import pytest
import torch
from torch import nn

import tracelab
from support.source_text import define
from tracelab.jupyter.widget.explorer import module_paths
from tracelab.render import view_document
from tracelab.render.picture.dot import document_dot
from tracelab.render.text import document_text
from tracelab.render.view_document.diff_document import MergedView


def document_of(function, *args):
    return view_document(tracelab.trace_graph(function, args, strict=False)[0])


def tree(document):
    """Every scope but the root with those around it, and how many nodes are right in it."""
    scopes, strings = document["scopes"], document["strings"]
    found = []
    for scope in range(1, len(scopes["parent"])):
        path, at = [], scope
        while at > 0:
            path.append(strings[scopes["name"][at]])
            at = scopes["parent"][at]
        found.append(("/".join(reversed(path)), document["nodes"]["scope"].count(scope)))
    return found


def test_a_call_is_a_scope():
    run = define(
        """
        def double(x):
            x = x + x
            return x.relu()

        def run(x):
            return double(x.exp()).tanh()
        """,
        "run",
    )
    document = document_of(run, torch.ones(2))
    assert tree(document) == [("double()", 2)]
    assert document["scopes"]["functions"] == [1]


def test_each_call_is_one_scope_and_calls_in_calls_are_scopes_in_scopes():
    run = define(
        """
        def half(x):
            x = x / 2
            return x.tanh()

        def both(x, y):
            x = half(x)
            y = half(y)
            return x + y

        def run(x):
            return both(x, x + 1).exp()
        """,
        "run",
    )
    document = document_of(run, torch.ones(2))
    assert tree(document) == [("both()", 1), ("both()/half()", 2), ("both()/half()", 2)]
    assert document["scopes"]["call"] == [0, 0, 0, 1]


@pytest.mark.parametrize(
    "code",
    [
        "def one(x):\n    return x.relu()\n\ndef run(x):\n    return one(x).exp()",
        "def run(x):\n    return x.relu().exp()",
        "def all_of_it(x):\n    return x.relu().exp()\n\ndef run(x):\n    return all_of_it(x)",
        "def run(x):\n    return (lambda y: y.relu().exp())(x) + 1",
        "def wrapper(x):\n    return x.relu().exp()\n\ndef run(x):\n    return wrapper(x) + 1",
    ],
    ids=["one operator", "what was traced", "all of what was traced", "no name", "a decorator"],
)
def test_a_call_that_says_nothing_more_is_no_scope(code):
    assert "functions" not in document_of(define(code, "run"), torch.ones(2))["scopes"]


def test_a_wrapper_around_a_function_is_no_scope_but_the_function_is():
    run = define(
        """
        def inside(x):
            return x.relu().exp()

        def around(x):
            return inside(x)

        def run(x):
            return around(x) + 1
        """,
        "run",
    )
    assert tree(document_of(run, torch.ones(2))) == [("inside()", 2)]


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(2, 2)

    def mix(self, x):
        return self.fc(x).relu() + x

    def forward(self, x):
        return self.mix(x).exp()


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.ModuleList(Block() for _ in range(3))

    def run_blocks(self, x):
        for block in self.blocks:
            x = block(x)
        return x * 2

    def forward(self, x):
        return self.run_blocks(x.tanh()).sum()


def test_modules_lie_in_functions_and_functions_in_modules():
    document = document_of(Net(), torch.ones(1, 2))
    blocks = [
        row
        for number in range(3)
        for row in [
            (f"Net.run_blocks()/blocks.{number}", 1),
            (f"Net.run_blocks()/blocks.{number}/Block.mix()", 2),
            (f"Net.run_blocks()/blocks.{number}/Block.mix()/fc", 1),
        ]
    ]
    assert sorted(tree(document)) == sorted([("Net.run_blocks()", 1), *blocks])


def test_a_parent_stands_before_its_children():
    parents = document_of(Net(), torch.ones(1, 2))["scopes"]["parent"]
    assert all(parent < scope for scope, parent in enumerate(parents))


def test_a_module_has_the_path_that_python_gives_it():
    paths = module_paths(document_of(Net(), torch.ones(1, 2)))
    assert {"blocks.0", "blocks.0.fc", "blocks.2.fc", "blocks.1.Block.mix()"} < set(paths)


class Act(nn.Module):
    def gated(self, x):
        y = x.sigmoid()
        return x * y

    def forward(self, x):
        return self.gated(x).exp()


def test_neighbouring_modules_of_one_class_do_not_share_a_call():
    document = document_of(nn.Sequential(Act(), Act()), torch.ones(2))
    assert sorted(tree(document)) == [("0", 1), ("0/Act.gated()", 2), ("1", 1), ("1/Act.gated()", 2)]


class Wrapped(nn.Module):
    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleList([Act(), Act()])

    def forward(self, x):
        for part in self.parts:
            x = self.hand_on(part, x)
        return x + 1

    def hand_on(self, part, x):
        return part(x)


def test_what_only_hands_on_to_modules_is_no_scope():
    assert "Wrapped.hand_on()" not in str(tree(document_of(Wrapped(), torch.ones(2))))


def test_a_saved_trace_has_the_same_scopes(tmp_path):
    traced = tracelab.trace(Net(), torch.ones(1, 2))
    tracelab.save(traced, tmp_path / "net.tlab")
    assert view_document(tracelab.load(tmp_path / "net.tlab").graph)["scopes"] == view_document(traced.graph)["scopes"]


def test_graph_text_and_names_know_nothing_of_them():
    graph = tracelab.trace_graph(Net(), torch.ones(1, 2))[0]
    before = str(graph)
    view_document(graph)
    assert str(graph) == before
    assert "run_blocks()" not in before


def test_summary_and_picture_have_them():
    document = document_of(Net(), torch.ones(1, 2))
    assert "Net.run_blocks()" in document_text(document)
    dot = document_dot(document, 60)
    assert "Net.run_blocks()" in dot
    assert "rounded,filled,dashed" in dot


def test_a_difference_has_none():
    first, second = (tracelab.trace(Net(), torch.ones(1, 2)) for _ in range(2))
    document = MergedView(tracelab.diff(first, second)).document
    assert "functions" not in document["scopes"]


# Without them ------------------------------------------------------------------------------------------------

WITH_THEM = """\
Net: 15 ops, 18 parameters (72 B)
inputs
  x  float32[1, 2]
outputs
  sum  float32[]
ops by module
  15  Net
  13    Net.run_blocks()
  12      blocks.0 … blocks.2  3 × Block, each
   3        Block.mix()
   1          fc  Linear"""

WITHOUT_THEM = """\
Net: 15 ops, 18 parameters (72 B)
inputs
  x  float32[1, 2]
outputs
  sum  float32[]
ops by module
  15  Net
  12    blocks.0 … blocks.2  3 × Block, each
   1      fc  Linear"""


def pictures(traced):
    return document_text(view_document(traced.graph)), traced.to_dot()


def test_an_option_leaves_them_out_of_every_picture():
    x = torch.ones(1, 2)
    drawn = tracelab.trace(Net(), x)
    plain = tracelab.trace(Net(), x, function_scopes=False)
    assert document_text(view_document(drawn.graph)) == WITH_THEM
    assert document_text(view_document(plain.graph)) == WITHOUT_THEM
    assert "()" not in plain.to_dot()


def test_they_can_be_shown_and_hidden_later():
    traced, plain = tracelab.trace(Net(), torch.ones(1, 2)), tracelab.trace(Net(), torch.ones(1, 2))
    traced.graph.function_scopes = False
    assert "functions" not in view_document(traced.graph)["scopes"]
    traced.graph.function_scopes = True
    assert pictures(traced) == pictures(plain)


def test_the_recorded_graph_is_the_same_without_them():
    x = torch.ones(1, 2)
    assert str(tracelab.trace(Net(), x, function_scopes=False).graph) == str(tracelab.trace(Net(), x).graph)


def test_a_saved_a_copied_and_a_pickled_trace_are_drawn_without_them_too(tmp_path):
    traced = tracelab.trace(Net(), torch.ones(1, 2), function_scopes=False)
    tracelab.save(traced, tmp_path / "net.tlab")
    graphs = [tracelab.load(tmp_path / "net.tlab").graph, traced.graph.copy(), pickle.loads(pickle.dumps(traced.graph))]
    assert [graph.function_scopes for graph in graphs] == [False] * 3


def test_another_recording_of_the_same_trace_is_drawn_as_the_first():
    def by_rows(x):
        return x.sum(0) if x.shape[0] > 2 else x + 1

    traced = tracelab.trace(by_rows, torch.ones(2), function_scopes=False, on_violation="retrace")
    traced(torch.ones(3))
    assert [case.graph.function_scopes for case in traced.cases] == [False, False]


def test_methods_of_a_module_are_drawn_without_them():
    traced = tracelab.trace_module(Net(), {"forward": torch.ones(1, 2)}, function_scopes=False)
    assert not traced.graph.function_scopes


def test_what_ran_before_a_failure_is_drawn_without_them():
    def broken(x):
        return Net()(x) @ torch.ones(3, 3)

    with pytest.raises(RuntimeError):
        tracelab.trace(broken, torch.ones(1, 2), function_scopes=False)
    assert not tracelab.last_failure().function_scopes


def test_an_argument_of_that_name_is_told_from_the_option():
    def own(x, function_scopes=1):
        return x * function_scopes

    with pytest.raises(tracelab.InputError, match="`function_scopes` is an option of trace and an argument of own"):
        tracelab.trace(own, torch.ones(2), function_scopes=2)
