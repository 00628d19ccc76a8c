"""`%trace_diff` in a real IPython shell, and how a difference shows itself."""

from __future__ import annotations

import json

import pytest
from IPython.core.error import UsageError

import tracelab
from support.built_graphs import Op, graph_from
from tracelab.jupyter.widget.explorer import MIME_TYPE, GraphExplorer


@pytest.fixture
def traced(shell):
    shell.run("import tracelab\nx = torch.ones(2, 3)")
    shell.run("before = tracelab.trace(lambda x: x.relu() + 1, x)\nafter = tracelab.trace(lambda x: x.tanh() + 1, x)")
    return shell


def refused(shell, line):
    error = shell.run(f"%trace_diff {line}").error
    assert isinstance(error, UsageError)
    return str(error)


def test_two_names_are_compared(traced):
    out = traced.run("%trace_diff before after").out
    assert out.splitlines()[0] == "<lambda>: 1 node changed"
    assert "~ relu → tanh" in out


def test_the_difference_goes_to_a_variable(traced):
    traced.run("%trace_diff before after")
    assert isinstance(traced.space["_diff"], tracelab.GraphDiff)
    traced.run("%trace_diff -o found before after")
    assert bool(traced.space["found"])


def test_options_may_stand_last(traced):
    assert traced.run("%trace_diff before after -o found --no-widget").error is None
    assert "found" in traced.space


def test_expressions_are_compared(traced):
    traced.run("several = {'old one': before, 'new': after}")
    assert "relu → tanh" in traced.run("%trace_diff several['old one'] several.get('new', None)").out


def test_a_traced_cell_is_compared(traced):
    traced.trace("y = x * 2", "-o first")
    traced.trace("y = x * 3", "-o second")
    assert "argument other: 2 → 3" in traced.run("%trace_diff first second").out


def test_no_difference_is_said(traced):
    assert traced.run("%trace_diff before before").out == "<lambda>: no difference in 2 nodes\n"


def test_a_missing_variable_is_named(traced):
    assert refused(traced, "before afterwards") == "%trace_diff: there is no variable `afterwards` to compare"


def test_what_is_no_trace_is_named(traced):
    assert refused(traced, "before x") == (
        "%trace_diff: `x` (Tensor) is not a trace: give two graphs, or what tracelab.trace, %%trace or tracelab.load "
        "gave"
    )


def test_an_expression_that_fails_is_named(traced):
    assert refused(traced, "before [after][1]") == (
        "%trace_diff: `[after][1]` cannot be evaluated: IndexError: list index out of range"
    )


@pytest.mark.parametrize("line", ["before", "before )", ""])
def test_anything_but_two_is_refused(traced, line):
    assert refused(traced, line).endswith(": %trace_diff before after")


def test_an_unknown_option_is_refused(traced):
    assert refused(traced, "--fast before after") == (
        "%trace_diff does not know the option --fast; see %trace_diff --help"
    )


def test_an_unknown_option_close_to_one_names_it(traced):
    assert refused(traced, "--no-widgets before after") == (
        "%trace_diff does not know the option --no-widgets (did you mean --no-widget?); see %trace_diff --help"
    )


@pytest.mark.parametrize(
    ("given", "rest"), [("before after -o", "as in %trace_diff -o kept"), ("-o a.b before after", "not 'a.b'")]
)
def test_a_difference_is_named_by_what_is_a_name(traced, given, rest):
    assert refused(traced, given) == f"%trace_diff -o needs the name of a variable, {rest}"


def test_help_says_what_it_does(traced):
    assert "two traces" in traced.run("%trace_diff --help").out


def test_help_shows_the_magic_as_it_is_written(traced):
    assert traced.run("%trace_diff --help").out.splitlines()[2].startswith("  %trace_diff [-o OUTPUT]")


def some_difference():
    return tracelab.diff(graph_from([Op("relu"), Op("exp")]), graph_from([Op("relu"), Op("sin"), Op("cos")]))


def test_a_difference_shows_document_picture_and_text():
    data, _ = some_difference()._repr_mimebundle_()
    assert set(data) == {MIME_TYPE, "image/svg+xml", "text/plain"}
    assert data["text/plain"].startswith("built: 2 nodes added, 1 node removed")
    assert data[MIME_TYPE]["diff"]["headline"] == "2 nodes added, 1 node removed"


def test_a_difference_shows_the_same_each_time():
    assert some_difference()._repr_mimebundle_() == some_difference()._repr_mimebundle_()


def test_an_explorer_of_a_difference_selects_nodes_of_both_graphs():
    found = some_difference()
    explorer = GraphExplorer(found)
    explorer.select(found.b.nodes[1])
    assert explorer.selected_node is found.b.nodes[1]
    gone = tracelab.diff(found.b, found.a)
    explorer = GraphExplorer(gone)
    explorer.select(gone.removed[0])
    assert explorer.selected_node is gone.removed[0]


def test_an_explorer_of_a_difference_holds_its_document():
    explorer = GraphExplorer(some_difference())
    assert json.loads(explorer._document)["diff"]["before"] == "built"
    assert explorer.graph.nodes[0].name == "relu"
