"""Showing a trace again and again, in a real kernel, keeps what is shown now and frees the rest."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

SETUP = """import gc, weakref, torch, tracelab, warnings
from ipywidgets import Widget
%load_ext tracelab
warnings.simplefilter("ignore")
models = []
def fresh():
    model = torch.nn.Sequential(torch.nn.Linear(64, 64), torch.nn.ReLU())
    models.append(weakref.ref(model))
    return model
x = torch.ones(1, 64)
"""
CELLS = {
    "shown": "display(tracelab.trace(fresh(), x))",
    "named": "model = fresh()\ntraced = tracelab.trace(model, x)\ndisplay(traced)",
    "explorer": "explorer = tracelab.GraphExplorer(tracelab.trace(fresh(), x))\ndisplay(explorer)",
    "magic": "%%trace\nmodel = fresh()\ny = model(x)",
}
ALIVE = "len([gc.collect() for _ in range(3)]) and sum(model() is not None for model in models)"


@pytest.fixture(scope="module")
def client(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Any]:
    folder: Path = tmp_path_factory.mktemp("again")
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        yield client
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def _run(client: Any, code: str, expression: str = "None", cell: str = "") -> str:
    """Run a cell as JupyterLab does, with the cell's id."""
    content = {
        "code": code,
        "silent": False,
        "store_history": True,
        "user_expressions": {"found": expression},
        "allow_stdin": False,
        "stop_on_error": True,
    }
    message = client.session.msg("execute_request", content)
    message["metadata"] = {"cellId": cell}
    client.shell_channel.send(message)
    while True:
        answer = client.get_shell_msg(timeout=120)
        if answer["parent_header"].get("msg_id") == message["header"]["msg_id"]:
            break
    reply = answer["content"]
    assert reply["status"] == "ok", reply
    found = reply["user_expressions"]["found"]
    assert found["status"] == "ok", found
    return str(found["data"]["text/plain"])


@pytest.mark.parametrize("cell", CELLS)
def test_a_cell_that_runs_fifteen_times_keeps_few_models(client, cell):
    _run(client, "%reset -f")
    _run(client, SETUP)
    for _ in range(15):
        _run(client, CELLS[cell], cell=cell)
    assert int(_run(client, "", ALIVE)) <= 3


def test_another_cell_closes_nothing(client):
    _run(client, "%reset -f")
    _run(client, SETUP)
    for number in range(3):
        _run(client, CELLS["shown"], cell=f"cell-{number}")
    assert int(_run(client, "", ALIVE)) == 3


def test_two_explorers_of_one_run_both_stay(client):
    _run(client, "%reset -f")
    _run(client, SETUP)
    for _ in range(2):
        _run(client, f"{CELLS['shown']}\n{CELLS['shown']}", cell="two")
    assert int(_run(client, "", ALIVE)) == 2


def test_an_explorer_that_a_variable_names_stays_open(client):
    _run(client, "%reset -f")
    _run(client, SETUP)
    _run(client, f"mine = []\n{CELLS['explorer']}", cell="named-one")
    _run(client, "kept = explorer", cell="other")
    _run(client, CELLS["explorer"], cell="named-one")
    _run(client, CELLS["explorer"], cell="named-one")
    assert _run(client, "", "kept.comm is not None") == "True"


def test_closing_an_explorer_frees_widget_comm_and_model(client):
    _run(client, "%reset -f")
    _run(client, SETUP)
    _run(client, "explorer = tracelab.GraphExplorer(tracelab.trace(fresh(), x))\nseen = weakref.ref(explorer)")
    _run(client, "comm = weakref.ref(explorer.comm)\nexplorer.close()\ndel explorer")
    assert int(_run(client, "", ALIVE)) == 0
    assert _run(client, "", "seen() is None and comm() is None") == "True"
