"""The traces of a kernel, as JupyterLab's panel asks for them: a real kernel, and requests beside the user's code."""

from __future__ import annotations

import json
import time
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from jupyter_client.manager import start_new_kernel

ASK = (
    "__import__('tracelab.jupyter.panel', fromlist=['answer']).answer({}) "
    "if 'tracelab' in __import__('sys').modules else None"
)
NET = """import torch, warnings
warnings.simplefilter("ignore")
import lib_of_the_test as lib
torch.manual_seed(0)
layer = torch.nn.Linear(3, 2)
x = torch.ones(4, 3)"""
LIBRARY = """def halves(x):
    if x.sum() > 0:
        return x / 2
    return x
"""


class Kernel:
    """A kernel and its client, with messages as JupyterLab sends them."""

    def __init__(self, manager: Any, client: Any, folder: Path) -> None:
        self.manager, self.client, self.folder = manager, client, folder

    def send(self, code: str, cell: str = "", **content: Any) -> dict[str, Any]:
        content = {"silent": False, "store_history": True, "user_expressions": {}, "allow_stdin": False, **content}
        message = self.client.session.msg(
            "execute_request", {"code": code, "stop_on_error": True, **content}, metadata={"cellId": cell}
        )
        self.client.shell_channel.send(message)
        while True:
            reply = self.client.get_shell_msg(timeout=60)
            if reply["parent_header"]["msg_id"] == message["header"]["msg_id"]:
                return dict(reply["content"])

    def run(self, code: str, cell: str = "") -> int:
        """Run a cell that must not fail; gives its execution count."""
        reply = self.send(code, cell)
        assert reply["status"] == "ok", reply.get("evalue")
        return int(reply["execution_count"])

    def ask(self, what: str, **given: Any) -> dict[str, Any]:
        arguments = ", ".join([repr(what), *(f"{name}={value!r}" for name, value in given.items())])
        expressions = {"tracelab": ASK.format(arguments)}
        reply = self.send("", silent=True, store_history=False, user_expressions=expressions)
        while reply["status"] == "aborted":
            # A cell failed just before; the front end asks again, too.
            time.sleep(0.2)
            reply = self.send("", silent=True, store_history=False, user_expressions=expressions)
        answer = reply["user_expressions"]["tracelab"]
        assert answer["status"] == "ok", answer
        return dict(answer["data"]["application/vnd.tracelab.answer+json"])

    def value(self, expression: str) -> str:
        """What an expression is, as text, without a trace in the history."""
        reply = self.send("", silent=True, store_history=False, user_expressions={"value": expression})
        return str(reply["user_expressions"]["value"]["data"]["text/plain"])

    def traces(self) -> list[dict[str, Any]]:
        return list(self.ask("summary", root=str(self.folder))["traces"])

    def trace(self, title: str) -> dict[str, Any]:
        (found,) = [row for row in self.traces() if row["title"] == title]
        return found


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Kernel]:
    folder = tmp_path_factory.mktemp("served")
    (folder / "lib_of_the_test.py").write_text(LIBRARY)
    manager, client = start_new_kernel(kernel_name="python3", cwd=str(folder))
    try:
        yield Kernel(manager, client, folder)
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


@pytest.fixture
def kernel(process: Kernel) -> Kernel:
    """The kernel with no variables and no traces; importing torch again costs nothing."""
    process.run("%reset -f\nimport ipywidgets, gc\nipywidgets.Widget.close_all()\ngc.collect()")
    process.run("%load_ext tracelab\nimport gc\nimport tracelab as tl\n" + NET)
    return process


def test_nothing_is_imported_for_the_user() -> None:
    manager, client = start_new_kernel(kernel_name="python3")
    try:
        fresh = Kernel(manager, client, Path())
        assert fresh.value(ASK.format("'summary'")) == "None"
        assert fresh.value("'torch' in __import__('sys').modules") == "False"
    finally:
        client.stop_channels()
        manager.shutdown_kernel(now=True)


def test_a_traced_cell_is_listed_with_its_cell_and_counts(kernel: Kernel) -> None:
    count = kernel.run("%%trace -o small\ny = layer(x).relu()", cell="abc")
    assert kernel.traces() == [
        {
            "key": kernel.trace("small")["key"],
            "title": "small",
            "names": ["small"],
            "traced": "cell",
            "ops": 2,
            "parameters": 8,
            "warnings": 0,
            "cell": count,
            "cell_id": "abc",
        }
    ]


def test_a_trace_that_was_never_shown_is_found_by_its_variable(kernel: Kernel) -> None:
    count = kernel.run("traced = tl.trace(layer, x)", cell="a")
    kernel.run("other = 1", cell="b")
    row = kernel.trace("traced")
    assert (row["cell"], row["cell_id"], row["traced"]) == (count, "", "Linear")
    assert row["check"] == {"ok": True, "text": "the same as Python on the example inputs"}


def test_traces_in_lists_and_dicts_have_the_names_of_their_places(kernel: Kernel) -> None:
    kernel.run("several = [tl.trace(torch.relu, x), {}]\nby_size = {'small': tl.trace(torch.tanh, x), 3: 4}")
    assert [row["title"] for row in kernel.traces()] == ["several[0]", "by_size['small']"]


def test_each_cell_keeps_its_trace_though_all_are_called_the_same(kernel: Kernel) -> None:
    kernel.run("%%trace\ny = x + 1", cell="one")
    kernel.run("%%trace\ny = x * 2", cell="two")
    assert [(row["cell_id"], row["names"]) for row in kernel.traces()] == [("one", []), ("two", ["_trace"])]


def test_a_cell_that_runs_again_has_its_new_trace_alone(kernel: Kernel) -> None:
    kernel.run("%%trace\ny = x + 1", cell="one")
    again = kernel.run("%%trace\ny = x + 1", cell="one")
    assert [row["cell"] for row in kernel.traces()] == [again]


def test_the_list_keeps_no_trace_alive(kernel: Kernel) -> None:
    kernel.run("import weakref\ntraced = tl.trace(layer, x)\ngraph = weakref.ref(traced.graph)")
    key = kernel.trace("traced")["key"]
    kernel.run("del traced\ngc = __import__('gc').collect()")
    assert kernel.value("graph() is None") == "True"
    assert kernel.traces() == []
    assert "run its cell again" in kernel.ask("open", key=key)["error"]


def test_what_no_variable_and_no_output_holds_is_not_listed(kernel: Kernel) -> None:
    kernel.run("gc.disable()\ntraced = tl.trace(layer, x)")
    assert [row["title"] for row in kernel.traces()] == ["traced"]
    kernel.run("del traced")
    assert kernel.traces() == []
    kernel.run("gc.enable()")


def test_asking_leaves_nothing_in_the_notebook(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)")
    count = kernel.run("41 + 1")
    before = kernel.value("sorted(globals())")
    kernel.ask("open", key=kernel.trace("traced")["key"])
    assert kernel.value("sorted(globals())") == before
    assert kernel.value("(_, __import__('IPython').get_ipython().execution_count)") == f"(42, {count + 1})"


def test_what_the_last_check_said(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(lib.halves, x)\nreport = traced.check(max_examples=4)")
    row = kernel.trace("traced")
    assert row["check"]["ok"] is False
    assert row["check"]["text"].startswith("1 error, 4 inputs tried")


def test_a_call_that_failed_says_where(kernel: Kernel) -> None:
    assert kernel.send("%%trace\ny = layer(x.T)", cell="a")["status"] == "error"
    assert [row["failed"] for row in kernel.traces()] == ["aten::linear"]


def test_warnings_in_files_have_their_path_on_the_server(kernel: Kernel) -> None:
    kernel.run("%%trace -o first\ny = lib.halves(x)\nif y.sum() > 0:\n    z = y")
    kernel.run("%%trace -o second\ny = lib.halves(x)")
    (row,) = kernel.ask("summary", root=str(kernel.folder))["warnings"]
    assert (row["path"], row["name"], row["line"], row["column"]) == ("lib_of_the_test.py", "lib_of_the_test.py", 2, 7)
    assert row["traces"] == [kernel.trace("first")["key"], kernel.trace("second")["key"]]
    assert row["count"] == 2


def test_a_file_outside_of_the_server_has_no_path(kernel: Kernel) -> None:
    kernel.run("%%trace\ny = lib.halves(x)")
    (row,) = kernel.ask("summary", root=str(kernel.folder / "below"))["warnings"]
    assert row["path"] is None
    assert row["file"] == str(kernel.folder / "lib_of_the_test.py")


def test_a_lazy_object_is_not_woken(kernel: Kernel) -> None:
    kernel.run(
        "class Lazy:\n    woken = False\n    @property\n    def __class__(self):\n        Lazy.woken = True\n"
        "        return object\nlazy = Lazy()"
    )
    kernel.traces()
    assert kernel.value("Lazy.woken") == "False"


# Opening, comparing, files ---------------------------------------------------------------------------------------


def test_what_is_opened_is_an_explorer_that_runs(kernel: Kernel) -> None:
    kernel.run("%%trace\ny = layer(x)")
    opened = kernel.ask("open", key=kernel.trace("_trace")["key"])
    assert opened["title"] == "_trace"
    assert opened["bundle"]["application/vnd.jupyter.widget-view+json"]["model_id"] == opened["explorer"]
    assert opened["bundle"]["application/vnd.tracelab.v1+json"]["summary"]["ops"] == 1
    kernel.run(
        f"import ipywidgets\nexplorer = ipywidgets.Widget.widgets[{opened['explorer']!r}]\nrun = explorer.run(x)"
    )
    assert kernel.value("run.finished") == "True"


def test_a_closed_tab_leaves_no_widget(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)\nimport ipywidgets")
    opened = kernel.ask("open", key=kernel.trace("traced")["key"])["explorer"]
    assert kernel.value(f"{opened!r} in ipywidgets.Widget.widgets") == "True"
    assert kernel.ask("release", explorer=opened) == {}
    assert kernel.value(f"{opened!r} in ipywidgets.Widget.widgets") == "False"
    assert kernel.ask("release", explorer=opened) == {}


def test_opening_does_not_change_what_the_notebook_saves(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)\nfrom tracelab.jupyter.widget import explorer as module")
    kernel.run("first = dict(module._shown_before)")
    kernel.ask("open", key=kernel.trace("traced")["key"])
    assert kernel.value("module._shown_before == first") == "True"


def test_two_traces_compared(kernel: Kernel) -> None:
    kernel.run("a = tl.trace(torch.relu, x)\nb = tl.trace(torch.tanh, x)\nc = tl.trace(torch.relu, x)")
    a, b, c = (kernel.trace(name)["key"] for name in "abc")
    found = kernel.ask("compare", first=a, second=b)
    assert found["title"] == "a → b"
    assert found["bundle"]["application/vnd.tracelab.v1+json"]["diff"]["headline"] != ""
    same = kernel.ask("compare", first=a, second=c)
    assert set(same) == {"same", "title"}


def test_what_the_panel_saves_holds_its_picture(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)")
    key = kernel.trace("traced")["key"]
    place = kernel.ask("save", key=key, path="with_picture")["path"]
    with zipfile.ZipFile(place) as archive:
        assert json.loads(archive.read("view.json"))["format"] == "tracelab.view"


def test_saved_and_loaded_again(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)")
    key = kernel.trace("traced")["key"]
    place = str(kernel.folder / "net.tlab")
    assert kernel.ask("save", key=key, path="net") == {"path": place}
    assert kernel.ask("save", key=key, path="net.tlab") == {"exists": place}
    assert kernel.ask("save", key=key, path="net.tlab", overwrite=True) == {"path": place}
    kernel.run("back = tl.load('net.tlab')")
    assert kernel.value("torch.equal(back(x), layer(x))") == "True"


@pytest.mark.parametrize(
    ("format", "start"), [("html", "<!doctype html"), ("svg", "<"), ("dot", "digraph"), ("json", '{"format"')]
)
def test_exported(kernel: Kernel, format: str, start: str) -> None:
    kernel.run("traced = tl.trace(layer, x)")
    key = kernel.trace("traced")["key"]
    written = Path(kernel.ask("export", key=key, format=format, path="net", overwrite=True)["path"])
    assert written == kernel.folder / f"net.{format}"
    assert written.read_text(encoding="utf-8").lower().startswith(start)
    if format == "json":
        assert json.loads(written.read_text(encoding="utf-8"))["summary"]["ops"] == 1


def test_a_file_that_cannot_be_written_is_a_sentence(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)")
    key = kernel.trace("traced")["key"]
    assert kernel.ask("export", key=key, format="json", path="no/such/net")["error"].startswith("No such file")
    assert kernel.ask("save", key=key, path="folder/")["error"] == "'folder/' names no file"


def test_a_key_of_another_kernel_means_no_trace_of_this_one(kernel: Kernel) -> None:
    kernel.run("traced = tl.trace(layer, x)")
    assert kernel.ask("open", key="0000aaaa-1")["error"].startswith("the kernel was restarted since")
