"""Several recordings of one module, in a page and in a notebook: a list chooses what the explorer shows."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

import tracelab
from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page

CELL = """import torch
import tracelab

def pooled(x, mask=None):
    if mask is not None:
        x = x * mask
    return x.sum(0)

traced = tracelab.trace(pooled, torch.ones(2, 3), on_violation="retrace")
traced(torch.ones(2, 3), torch.ones(3))
explorer = tracelab.GraphExplorer(traced)
explorer"""
ASK = "print([node.kind for node in explorer.graph.nodes], explorer.case, explorer.selected_node.kind)"


def recordings(explorer: ExplorerView) -> Locator:
    return explorer.host.get_by_label("Recording")


def names(explorer: ExplorerView) -> list[str]:
    return [name.split(",")[0] for name in explorer.names()]


def run(notebook: NotebookView, cell: int) -> None:
    idle = "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'"
    notebook.page.wait_for_function(idle)
    notebook.run_cell(cell)


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 600}, offline=True)
    yield context.new_page()
    context.close()


@pytest.fixture
def explorer(page: Page, tmp_path: Path) -> ExplorerView:
    space: dict[str, Any] = {}
    exec(CELL.rpartition("\n")[0], space)
    space["traced"].to_html(tmp_path / "pooled.html")
    page.goto((tmp_path / "pooled.html").as_uri())
    return ExplorerView(page, page.locator("#tracelab"))


def test_a_page_holds_every_recording(explorer: ExplorerView):
    assert recordings(explorer).locator("option").all_inner_texts() == ["no mask", "mask given"]
    assert names(explorer) == ["x", "sum", "sum"]
    recordings(explorer).select_option("mask given")
    explorer.ready()
    assert names(explorer) == ["x", "mask", "mul", "sum", "sum"]


def test_a_view_of_a_recording_has_an_address(explorer: ExplorerView):
    page = explorer.page
    page.goto(page.url + "#case=mask+given&select=%25x.1")
    explorer.ready()
    expect(recordings(explorer)).to_have_value("1")
    expect(explorer.panel).to_contain_text("aten::mul")


def test_the_list_is_walked_by_keyboard(explorer: ExplorerView):
    recordings(explorer).focus()
    explorer.page.keyboard.press("ArrowDown")
    explorer.ready()
    expect(recordings(explorer)).to_be_focused()
    expect(recordings(explorer)).to_have_value("1")
    explorer.page.keyboard.press("ArrowUp")
    explorer.ready()
    expect(recordings(explorer)).to_have_value("0")


@pytest.mark.parametrize("width", [340, 760, 1100])
def test_title_and_name_of_a_recording_have_room(explorer: ExplorerView, width: int):
    explorer.page.set_viewport_size({"width": width, "height": 600})
    title = explorer.host.locator(".title")
    expect(title).to_be_visible()
    assert title.evaluate("it => it.scrollWidth <= it.clientWidth + 1")
    assert recordings(explorer).evaluate("it => it.scrollWidth <= it.clientWidth + 1")


def test_axe_has_nothing_against_the_list(explorer: ExplorerView):
    assert Axe().run(explorer.page).response["violations"] == []


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    view = open_notebook(lab, new_page(), "recordings.ipynb", [CELL, ASK, "explorer.case = 0"])
    run(view, 0)
    yield view
    view.page.close()


def test_a_chosen_recording_is_what_python_sees_and_runs(notebook: NotebookView):
    explorer = notebook.explorer(0)
    recordings(explorer).select_option("mask given")
    explorer.ready()
    explorer.click(explorer.node("mul"))
    expect(explorer.panel).to_contain_text("aten::mul")
    run(notebook, 1)
    expect(notebook.cell(1).locator(".jp-OutputArea-output")).to_have_text("['aten::mul', 'aten::sum'] 1 aten::mul")
    explorer.press("r")
    expect(explorer.host.get_by_role("toolbar", name="Run").get_by_role("status")).to_contain_text("2 operators on cpu")


def test_python_chooses_a_recording(notebook: NotebookView):
    explorer = notebook.explorer(0)
    run(notebook, 2)
    expect(recordings(explorer)).to_have_value("0")
    explorer.ready()
    assert names(explorer) == ["x", "sum", "sum"]


def test_only_recordings_that_there_are_can_be_chosen():
    explorer = tracelab.GraphExplorer(tracelab.trace(torch.relu, torch.ones(2)))
    with pytest.raises(Exception, match="case=3 is none of 1 recordings"):
        explorer.case = 3
