"""A trace that fails in a plain cell: the graph of what ran before is drawn under the traceback."""

from __future__ import annotations

import nbformat
import pytest
from nbclient import NotebookClient

from tracelab.protocol.view_document import MIME_TYPE

SETUP = """
import torch, tracelab
from torch import nn
net = nn.Sequential(nn.Linear(4, 3), nn.ReLU(), nn.Linear(5, 2))
x = torch.ones(1, 4)
"""
WIDGET = "application/vnd.jupyter.widget-view+json"
CALLBACKS = "[call.__module__ for call in get_ipython().events.callbacks['post_run_cell']]"

CELLS = {
    "before": CALLBACKS,
    "fails": "tracelab.trace(net, x)",
    "after": CALLBACKS,
    "another error": "1 / 0",
    "caught": "try:\n    tracelab.trace(net, x)\nexcept RuntimeError:\n    pass",
    "after caught": CALLBACKS,
    "another error later": "torch.ones(2) @ torch.ones(3)",
    "raised from": (
        "try:\n    tracelab.trace(net, x)\nexcept RuntimeError as error:\n    raise LookupError('mine') from error"
    ),
    "raised while": "try:\n    tracelab.trace(net, x)\nfinally:\n    [].pop()",
    "raised from None": (
        "try:\n    tracelab.trace(net, x)\nexcept RuntimeError as error:\n    raise LookupError('mine') from None"
    ),
    "twice": (
        "for _ in (1, 2):\n    try:\n        tracelab.trace(net, x)\n    except RuntimeError as error:\n"
        "        last = error\nraise last"
    ),
    "a class of its own": "tracelab.trace(lambda x: {}[x.relu().dim()], x)",
    "nothing ran": "tracelab.trace(lambda x: [].pop(), x)",
    "graph": "tracelab.trace_graph(net, (x,))",
    "methods": "tracelab.trace_module(net, {'forward': x})",
    "load": "%load_ext tracelab",
    "traced cell": "%%trace\ny = net(x)",
    "traced call": "%trace net(x)",
    "with the extension": "tracelab.trace(net, x)",
    "unload": "%unload_ext tracelab",
    "at the end": CALLBACKS,
}


@pytest.fixture(scope="module")
def outputs():
    """What each cell showed, with the names of MIME types of pictures."""
    cells = [nbformat.v4.new_code_cell(code) for code in (SETUP, *CELLS.values())]
    notebook = nbformat.v4.new_notebook(cells=cells)
    NotebookClient(notebook, timeout=240, kernel_name="python3", allow_errors=True).execute()
    return dict(zip(CELLS, (cell.outputs for cell in notebook.cells[1:]), strict=True))


def kinds(found):
    return ["error" if item.output_type == "error" else "graph" for item in found if is_shown(item)]


def is_shown(item):
    return item.output_type == "error" or (item.output_type == "display_data" and WIDGET in item.data)


@pytest.mark.parametrize(
    "cell", ["fails", "raised from", "raised while", "twice", "graph", "methods", "with the extension"]
)
def test_one_graph_is_drawn_under_the_traceback(outputs, cell):
    assert kinds(outputs[cell]) == ["error", "graph"]


@pytest.mark.parametrize("cell", ["traced cell", "traced call"])
def test_a_traced_cell_draws_its_graph_once(outputs, cell):
    assert sorted(kinds(outputs[cell])) == ["error", "graph"]


@pytest.mark.parametrize("cell", ["another error", "another error later", "raised from None", "nothing ran"])
def test_other_errors_are_shown_as_they_are(outputs, cell):
    assert kinds(outputs[cell]) == ["error"]


def test_an_error_that_the_cell_caught_draws_nothing(outputs):
    assert outputs["caught"] == []


def test_the_graph_ends_with_the_node_that_failed(outputs):
    (drawn,) = [item for item in outputs["fails"] if item.output_type == "display_data"]
    assert "addmm" not in str(drawn.data["text/plain"])
    assert "aten::linear" in str(drawn.data["text/plain"]) or MIME_TYPE in drawn.data


def test_the_error_is_the_users_own(outputs):
    error, drawn = outputs["a class of its own"]
    assert error.ename == "KeyError"
    assert error.evalue.startswith("the traced code raised KeyError")
    assert is_shown(drawn)


def test_a_shell_without_a_kernel_draws_nothing(shell):
    shell.run(SETUP)
    before = list(shell.shell.events.callbacks["post_run_cell"])
    ran = shell.run("tracelab.trace(net, x)")
    assert isinstance(ran.error, RuntimeError)
    assert "digraph" not in ran.out
    assert "<svg" not in ran.out
    assert shell.shell.events.callbacks["post_run_cell"] == before


def test_nothing_stays_with_ipython(outputs):
    shown = [outputs[cell][0].data["text/plain"] for cell in ("before", "after", "after caught", "at the end")]
    assert len(set(shown)) == 1
    assert "tracelab" not in shown[0]
