"""`GraphExplorer`: selecting, and what a notebook keeps of it."""

from __future__ import annotations

import gzip
import json

import nbformat
import pytest
import torch
from nbclient import NotebookClient
from torch import nn

import tracelab
from tracelab.errors import TracelabError
from tracelab.jupyter.widget.explorer import MIME_TYPE, GraphExplorer, packed, saved_bundle
from tracelab.render.view_document.document import document_bytes, view_document

WIDGET = "application/vnd.jupyter.widget-view+json"


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Linear(3, 4), nn.ReLU())
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        hidden = self.body(x)
        return self.head(hidden) * 2


@pytest.fixture
def traced():
    return tracelab.trace(Net(), torch.ones(1, 3))


def bundle_of(explorer):
    data, _ = explorer._repr_mimebundle_()
    return data


# Restoring ---------------------------------------------------------------------------------------------------


def test_a_link_is_handed_to_the_view(traced):
    explorer = GraphExplorer(traced)
    explorer.restore("open=body&select=body.0&find=op:relu")
    assert explorer._restored == "open=body&select=body.0&find=op:relu"


@pytest.mark.parametrize("link", ["body.0", "openn=body", "&&", "open"])
def test_what_is_no_link_is_refused(traced, link):
    with pytest.raises(TracelabError, match="is not a link to a view: it is made of case="):
        GraphExplorer(traced).restore(link)


# Selecting ---------------------------------------------------------------------------------------------------


def test_nothing_is_selected_at_first(traced):
    assert GraphExplorer(traced).selected_node is None


def test_a_value_is_selected_by_its_name(traced):
    explorer = GraphExplorer(traced)
    explorer.select("hidden")
    assert explorer.selected_node.kind == "aten::relu"


def test_a_module_is_selected_by_its_path(traced):
    explorer = GraphExplorer(traced)
    explorer.select("body.1")
    assert explorer.selected_node.kind == "aten::relu"


def test_a_module_of_several_operators_is_selected_itself(traced):
    explorer = GraphExplorer(traced)
    explorer.select("body")
    assert (explorer.selected, explorer.selected_node, explorer.selected_module) == (-1, None, "body")


def test_a_node_takes_the_place_of_a_module_and_a_module_that_of_a_node(traced):
    explorer = GraphExplorer(traced)
    explorer.select("body")
    explorer.selected = 1
    assert explorer.selected_module == ""
    explorer.selected_module = "body"
    assert explorer.selected == -1


def test_the_second_call_of_a_module_is_selected_by_its_number():
    body = torch.nn.Sequential(torch.nn.Linear(2, 2), torch.nn.ReLU())

    class Twice(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.body = body

        def forward(self, x):
            return self.body(self.body(x))

    explorer = GraphExplorer(tracelab.trace(Twice(), torch.ones(1, 2)))
    explorer.select("body#2")
    assert explorer.selected_module == "body#2"
    explorer.select("body#2.1#2")
    assert explorer.selected == 3


def test_half_a_name_of_a_module_is_unknown(traced):
    with pytest.raises(tracelab.TracelabError):
        GraphExplorer(traced).select("bod")


def test_a_node_is_selected_by_itself(traced):
    explorer = GraphExplorer(traced)
    (node,) = traced.graph.find_nodes("aten::mul")
    explorer.select(node)
    assert explorer.selected_node is node


def test_nothing_can_be_selected_again(traced):
    explorer = GraphExplorer(traced)
    explorer.select("body")
    explorer.select(None)
    assert (explorer.selected, explorer.selected_module) == (-1, "")


@pytest.mark.parametrize("what", ["nobody", "", "body.7"])
def test_an_unknown_name_is_refused(traced, what):
    with pytest.raises(tracelab.TracelabError, match="no node, value or module of the graph is called"):
        GraphExplorer(traced).select(what)


def test_a_refused_name_keeps_the_selection(traced):
    explorer = GraphExplorer(traced)
    explorer.select("hidden")
    selected = explorer.selected
    with pytest.raises(tracelab.TracelabError):
        explorer.select("nobody")
    assert explorer.selected == selected


def test_the_selection_is_the_row_of_the_view_document(traced):
    explorer = GraphExplorer(traced)
    explorer.select("hidden")
    document = bundle_of(explorer)[MIME_TYPE]
    assert document["strings"][document["nodes"]["kind"][explorer.selected]] == "aten::relu"


# What it takes -----------------------------------------------------------------------------------------------


def test_a_graph_can_be_given(traced):
    assert GraphExplorer(traced.graph).graph is traced.graph


def test_anything_else_is_refused():
    with pytest.raises(tracelab.TracelabError, match="nothing to explore in Tensor"):
        GraphExplorer(torch.ones(1))


def test_an_empty_graph_can_be_explored():
    graph, _ = tracelab.trace_graph(lambda: ())
    assert bundle_of(GraphExplorer(graph))[MIME_TYPE]["summary"]["ops"] == 0


# What a notebook keeps ---------------------------------------------------------------------------------------


def test_the_bundle_has_four_types(traced):
    assert set(bundle_of(GraphExplorer(traced))) == {WIDGET, MIME_TYPE, "image/svg+xml", "text/plain"}


def test_the_bundle_is_the_same_each_time_except_for_the_widget(traced):
    found = [bundle_of(GraphExplorer(traced)) for _ in range(2)]
    for bundle in found:
        bundle[WIDGET].pop("model_id")
    assert json.dumps(found[0]) == json.dumps(found[1])


def test_what_is_saved_without_a_kernel_has_no_widget(traced):
    assert set(saved_bundle(traced.graph)) == {MIME_TYPE, "image/svg+xml", "text/plain"}


def test_the_document_that_is_saved_is_plain_json(traced):
    document = saved_bundle(traced.graph)[MIME_TYPE]
    assert json.loads(json.dumps(document)) == document


def test_a_graph_too_large_for_a_notebook_leaves_a_picture_and_a_sentence(traced, monkeypatch):
    whole = saved_bundle(traced.graph)
    size = len(document_bytes(view_document(traced.graph)))
    monkeypatch.setattr("tracelab.jupyter.widget.explorer.SAVED_BYTES", size)
    assert saved_bundle(traced.graph) == whole
    monkeypatch.setattr("tracelab.jupyter.widget.explorer.SAVED_BYTES", size - 1)
    found = saved_bundle(traced.graph)
    assert set(found) == {"image/svg+xml", "text/plain"}
    assert found["image/svg+xml"] == whole["image/svg+xml"]
    assert found["text/plain"].splitlines()[-1] == (
        f"{size / 1024:.1f} KiB of graph stay out of the notebook: run the cell to explore it, or keep it by to_html()."
    )


def test_a_trace_shows_itself_without_a_widget_where_there_is_no_kernel(traced):
    bundle = traced._repr_mimebundle_()
    assert WIDGET not in (bundle[0] if isinstance(bundle, tuple) else bundle)


# In a kernel -------------------------------------------------------------------------------------------------

CELLS = [
    "%load_ext tracelab\nimport torch\nx = torch.ones(2)",
    "%%trace\ny = x + 1\nif y.sum() > 0:\n    y = y * 2",
    "%%trace --no-widget\ny = x + 1",
    "_trace",
    "%%trace\nz = x @ torch.ones(7)",
]


def run_cells():
    """The outputs of each of the cells, run by a kernel of their own."""
    notebook = nbformat.v4.new_notebook(cells=[nbformat.v4.new_code_cell(cell) for cell in CELLS])
    NotebookClient(notebook, timeout=120, kernel_name="python3", allow_errors=True).execute()
    return [cell.outputs for cell in notebook.cells]


@pytest.fixture(scope="module")
def ran():
    return run_cells()


def test_a_traced_cell_displays_one_bundle_of_four_types(ran):
    (shown,) = [output for output in ran[1] if output.output_type == "display_data"]
    assert set(shown.data) == {WIDGET, MIME_TYPE, "image/svg+xml", "text/plain"}


def test_a_traced_cell_prints_its_warnings_before_the_picture(ran):
    (printed,) = [output for output in ran[1] if output.output_type == "stream"]
    assert printed.name == "stdout"
    assert "this cell, line 3: if y.sum() > 0:" in printed.text


def test_no_widget_prints_text_alone(ran):
    assert [output.output_type for output in ran[2]] == ["stream"]
    assert ran[2][0].text.startswith("cell: 1 op\n")


def test_a_trace_as_the_last_expression_is_a_bundle_of_four_types(ran):
    assert set(ran[3][0].data) == {WIDGET, MIME_TYPE, "image/svg+xml", "text/plain"}


def test_a_failed_cell_shows_the_partial_picture_and_then_the_error(ran):
    assert [output.output_type for output in ran[4]][-1] == "error"
    assert ran[4][-1].ename == "RuntimeError"


def test_a_failed_cell_shows_no_frame_of_this_package(ran):
    assert "tracelab" not in "\n".join(ran[4][-1].traceback)


def test_no_document_of_a_kernel_names_a_temporary_file(ran):
    (shown,) = [output for output in ran[1] if output.output_type == "display_data"]
    assert [file["name"] for file in shown.data[MIME_TYPE]["files"]] == ["this cell"]
    assert "ipykernel" not in json.dumps(shown.data[MIME_TYPE])


def test_another_kernel_leaves_the_same_bytes_in_the_notebook(ran):
    assert json.dumps(run_cells()) == json.dumps(ran)


def test_explorers_of_one_graph_in_one_kernel_are_different_widgets(traced):
    assert len({bundle_of(GraphExplorer(traced))[WIDGET]["model_id"] for _ in range(3)}) == 3


def test_a_large_document_travels_compressed():
    document = b'{"strings": [' + b'"aten::linear", ' * 100_000 + b'""]}'
    assert len(packed(document)) < len(document) / 20
    assert gzip.decompress(packed(document)) == document
    assert packed(document) == packed(document)


def test_a_small_document_travels_as_it_is():
    assert packed(b"{}") == b"{}"
