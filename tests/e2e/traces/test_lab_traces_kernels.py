"""The panel of traces beside kernels that restart, end, are busy, are shared, or have nothing to do with tracelab."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView
from support.browser.traces_panel import FROZEN, LIBRARY, SETUP, SMALL, PanelView

pytestmark = pytest.mark.nightly

WAITING = """import pathlib, time
while not pathlib.Path("go-on").exists():
    time.sleep(0.02)"""
WITHOUT = """import os, sys
sys.path[:] = [path for path in sys.path if not os.path.isdir(os.path.join(path, "tracelab"))]
sys.path_importer_cache.clear()"""


@pytest.fixture(scope="module")
def page(lab: Lab, new_page: Callable[[], Any]) -> Iterator[Page]:
    (lab.folder / "traces_library.py").write_text(LIBRARY)
    other = lab.folder.parent / "data/kernels/other"
    other.mkdir(parents=True)
    argv = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
    (other / "kernel.json").write_text(json.dumps({"argv": argv, "display_name": "Other", "language": "other"}))
    page = new_page()
    yield page
    page.close()


def opened(lab: Lab, page: Page, name: str, cells: list[str], kernel: str = "python3") -> PanelView:
    view = NotebookView(page)
    view.open(lab.page_url(lab.write_notebook(name, cells, kernel)))
    panel = PanelView(view)
    panel.show()
    return panel


def test_a_kernel_restarted_under_an_open_tab(lab: Lab, page: Page, artefacts: Path) -> None:
    panel = opened(lab, page, "restarted.ipynb", [SETUP, SMALL, FROZEN])
    panel.notebook.run_all()
    panel.open("small")
    page.evaluate(
        "() => [...jupyterapp.shell.widgets('main')].find(widget => widget.context?.path === 'restarted.ipynb')"
        ".sessionContext.session.kernel.restart()"
    )
    banner = panel.tabs.get_by_role("status").first
    expect(banner).to_contain_text("This is a snapshot of a discarded trace.")
    picture = panel.tabs.locator("[data-tracelab-ready]")
    expect(picture).to_have_count(1)
    expect(panel.tabs.locator(".tracelab-widget")).to_have_count(0)
    expect(panel.status).to_contain_text("No traces yet.")
    page.screenshot(path=artefacts / "traces-restarted.png")
    # Run again there are new ones, and the picture stays until it is closed.
    page.evaluate("() => jupyterapp.shell.activateById(jupyterapp.shell.widgets('main').next().value.id)")
    page.evaluate(
        "() => jupyterapp.shell.activateById([...jupyterapp.shell.widgets('main')]"
        ".find(widget => widget.context?.path === 'restarted.ipynb').id)"
    )
    panel.notebook.run_all()
    expect(panel.items).to_have_count(2)
    expect(banner).to_contain_text("This is a snapshot of a discarded trace.")
    panel.close_tabs()


def test_a_closed_notebook_leaves_the_picture(lab: Lab, page: Page) -> None:
    panel = opened(lab, page, "closed.ipynb", [SETUP, SMALL])
    panel.notebook.run_all()
    panel.open("small")
    page.evaluate(
        "() => [...jupyterapp.shell.widgets('main')].find(widget => widget.context?.path === 'closed.ipynb').dispose()"
    )
    expect(panel.tabs.get_by_role("status").first).to_contain_text("closed.ipynb was closed")
    expect(panel.tabs.locator("[data-tracelab-ready]")).to_have_count(1)
    expect(panel.status).to_contain_text("Open a notebook or a console")


def test_two_notebooks_on_one_kernel(lab: Lab, page: Page) -> None:
    panel = opened(lab, page, "first.ipynb", [SETUP, SMALL, FROZEN])
    panel.notebook.run_all()
    expect(panel.items).to_have_count(2)
    lab.write_notebook("second.ipynb", ["%%trace -o third\nw = x + 1"])
    page.evaluate(
        "() => jupyterapp.commands.execute('docmanager:open', {path: 'second.ipynb', kernel: "
        "{id: jupyterapp.shell.currentWidget.sessionContext.session.kernel.id}}).then(() => undefined)"
    )
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.path === 'second.ipynb'")
    expect(panel.item("small")).to_contain_text("cell [2] of first.ipynb")
    panel.notebook.run_all()
    expect(panel.item("third")).to_contain_text("cell [4]")
    expect(panel.item("third")).not_to_contain_text("of second")
    # Its cell is in the other notebook; what is opened is rendered by the notebook that is current.
    assert panel.open("small").is_live
    panel.close_tabs()
    panel.item("frozen").click()
    panel.press("Cell")
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.path === 'first.ipynb'")
    page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 2")
    expect(panel.item("third")).to_contain_text("of second.ipynb")


def test_a_busy_kernel_is_asked_once_when_it_is_idle(lab: Lab, page: Page) -> None:
    go_on = lab.folder / "go-on"
    go_on.touch()
    panel = opened(lab, page, "busy.ipynb", [SETUP, SMALL, WAITING])
    panel.notebook.run_all()
    expect(panel.items).to_have_count(1)
    go_on.unlink()
    page.evaluate(
        "() => { window.asked = 0; jupyterapp.shell.currentWidget.sessionContext.session.kernel.anyMessage.connect("
        "(_, {msg, direction}) => { window.asked += direction === 'send' && msg.content.silent === true }) }"
    )
    page.evaluate(
        "() => { jupyterapp.shell.currentWidget.content.activeCellIndex = 2;"
        " void jupyterapp.commands.execute('notebook:run-cell') }"
    )
    expect(panel.status).to_contain_text("A cell is running")
    for _ in range(5):
        panel.press("Refresh")
    assert page.evaluate("window.asked") == 0
    expect(panel.items).to_have_count(1)
    go_on.touch()
    expect(panel.status).to_be_hidden()
    assert page.evaluate("window.asked") <= 2


def test_a_kernel_of_another_language_is_not_asked(lab: Lab, page: Page) -> None:
    panel = opened(lab, page, "other.ipynb", ["1 + 1"], kernel="other")
    expect(panel.status).to_contain_text("Only Python kernels can trace. This kernel runs other.")
    page.evaluate(
        "() => { window.asked = 0; jupyterapp.shell.currentWidget.sessionContext.session.kernel.anyMessage.connect("
        "(_, {msg, direction}) => { window.asked += direction === 'send' && msg.content.silent === true }) }"
    )
    panel.press("Refresh")
    panel.notebook.run_all()
    expect(page.locator(".jp-OutputArea-output", has_text="2")).to_have_count(1)
    assert page.evaluate("window.asked") == 0


def test_a_kernel_without_tracelab(lab: Lab, page: Page) -> None:
    panel = opened(lab, page, "without.ipynb", [WITHOUT])
    expect(panel.status).to_contain_text("No traces yet.")
    panel.notebook.run_all()
    expect(panel.status).to_contain_text("tracelab is not installed in this kernel")


def test_a_notebook_without_a_kernel(page: Page) -> None:
    panel = PanelView(NotebookView(page))
    page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.shutdown()")
    expect(panel.status).to_contain_text("has no kernel. Start a kernel to see its traces.")


def test_nothing_went_wrong_in_the_page(page: Page) -> None:
    assert page.problems == []  # type: ignore[attr-defined]
