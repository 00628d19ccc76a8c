"""Commands of tracelab in JupyterLab: trace a cell, the launcher's card, menus, keys, and what a reload brings back."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView
from support.browser.traces_panel import SETUP, SMALL, PanelView
from support.browser.waiting import eventually

SETUP = SETUP.replace("import traces_library\n", "")


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    view = NotebookView(new_page())
    view.open(lab.page_url(lab.write_notebook("commands.ipynb", ["y = 1", "%%time\ny = 2", SETUP, SMALL])))
    yield view
    view.page.close()


def source(notebook: NotebookView, index: int) -> str:
    return str(
        notebook.page.evaluate(
            "index => jupyterapp.shell.currentWidget.content.widgets[index].model.sharedModel.getSource()", index
        )
    )


def select(notebook: NotebookView, index: int) -> None:
    notebook.page.evaluate(
        "index => { const content = jupyterapp.shell.currentWidget.content;"
        " content.activeCellIndex = index; content.mode = 'command'; content.activate() }",
        index,
    )


def test_trace_this_cell_is_an_edit_that_undo_takes_back(notebook: NotebookView) -> None:
    select(notebook, 0)
    notebook.cell(0).locator(".cm-line").first.click(button="right")
    notebook.page.locator(".lm-Menu-content").get_by_text("Trace This Cell").click()
    assert source(notebook, 0) == "%%trace\ny = 1"
    notebook.cell(0).locator(".cm-line").first.click()
    notebook.page.keyboard.press("ControlOrMeta+z")
    notebook.page.wait_for_function(
        "jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel.getSource() === 'y = 1'"
    )


def test_trace_this_cell_by_key(notebook: NotebookView) -> None:
    select(notebook, 0)
    notebook.page.keyboard.press("Alt+Shift+C")
    notebook.page.wait_for_function(
        "jupyterapp.shell.currentWidget.content.widgets[0].model.sharedModel.getSource() === '%%trace\\ny = 1'"
    )
    notebook.execute("tracelab:trace-cell")
    expect(notebook.page.get_by_text("This cell is already traced. Run it to see its graph.")).to_be_visible()
    assert source(notebook, 0) == "%%trace\ny = 1"


def test_a_cell_with_another_magic_is_left_as_it_is(notebook: NotebookView) -> None:
    select(notebook, 1)
    notebook.execute("tracelab:trace-cell")
    expect(notebook.page.get_by_text("This cell starts with %%time")).to_be_visible()
    assert source(notebook, 1) == "%%time\ny = 2"


def test_keys_are_nobody_elses(notebook: NotebookView) -> None:
    clashes = notebook.page.evaluate(
        "() => { const keys = jupyterapp.commands.keyBindings;"
        " const ours = keys.filter(({command}) => command.startsWith('tracelab:'));"
        " return [ours.length, ours.flatMap(mine => keys.filter(other => other.command !== mine.command &&"
        " other.keys.join(' ') === mine.keys.join(' ')).map(other => [mine.command, other.command]))] }"
    )
    assert clashes[0] >= 4
    assert clashes[1] == []


@pytest.mark.parametrize(("menu", "entry"), [("View", "Show Traces"), ("Run", "Trace This Cell")])
def test_menus_hold_the_commands(notebook: NotebookView, menu: str, entry: str) -> None:
    notebook.page.get_by_role("menuitem", name=menu, exact=True).click()
    expect(notebook.page.locator(".lm-Menu-content").get_by_text(entry)).to_be_visible()
    notebook.page.keyboard.press("Escape")


def test_the_launchers_card_opens_a_notebook_that_works(notebook: NotebookView, artefacts: Path) -> None:
    page = notebook.page
    notebook.execute("launcher:create")
    page.locator(".jp-LauncherCard", has_text="Trace a model").click()
    page.wait_for_function(
        "jupyterapp.shell.currentWidget?.content?.widgets?.length === 4 && "
        "jupyterapp.shell.currentWidget.context.path.startsWith('Untitled')",
    )
    assert source(notebook, 1).startswith("%load_ext tracelab")
    notebook.run_all()
    assert [output["output_type"] for output in notebook.outputs() if output["output_type"] == "error"] == []
    host = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden) [data-tracelab-ready]").locator("visible=true")
    expect(host).to_have_count(1)
    expect(
        page.locator(".jp-OutputArea-output", has_text="check: the trace gives what the cell gave on the same inputs")
    ).to_have_count(1)
    page.screenshot(path=artefacts / "traces-example.png")


def test_a_reload_brings_panel_and_tab_back(lab: Lab, new_page: Callable[[], Any], artefacts: Path) -> None:
    view = NotebookView(new_page())
    page = view.page
    view.open(lab.page_url(lab.write_notebook("reloaded.ipynb", [SETUP, SMALL])))
    panel = PanelView(view)
    panel.show()
    view.run_all()
    panel.open("small")
    view.execute("docmanager:save-all")
    for part in ('"current": "tracelab-traces"', "tracelab-traces:reloaded.ipynb"):
        eventually(page, lambda part=part: part in lab.saved_layout(page.url), "the layout is saved")
    page.reload()
    host = page.locator(".tracelab-tab [data-tracelab-ready].tracelab-widget")
    expect(host).to_have_count(1, timeout=60_000)
    expect(panel.node).to_be_visible()
    expect(panel.items).to_have_count(1)
    page.screenshot(path=artefacts / "traces-reloaded.png")
    lab.stop_kernels()
    page.reload()
    expect(page.locator(".tracelab-tab-banner")).to_contain_text("because the kernel was restarted", timeout=60_000)
    page.screenshot(path=artefacts / "traces-gone.png")
    assert page.problems == []  # type: ignore[attr-defined]
    page.close()


def test_nothing_went_wrong_in_the_page(notebook: NotebookView) -> None:
    assert notebook.page.problems == []  # type: ignore[attr-defined]
