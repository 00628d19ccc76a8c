"""The quickstart as it lies in the repository: nothing is run, nothing is trusted, everything can be explored."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView


@pytest.fixture(scope="module")
def notebook(lab: Lab, put: Callable[[str], str], new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    """The notebook, opened for the first time."""
    view = NotebookView(new_page())
    view.open(lab.page_url(put("saved.ipynb")))
    yield view
    view.page.close()


def test_a_group_opens(notebook: NotebookView, artefacts: Path) -> None:
    explorer = notebook.explorer(notebook.cell_with("best = scores.argmax"))
    assert not explorer.is_live
    explorer.collapse_all()
    explorer.click_toggle("net")
    expect(explorer.box("net: Net")).to_have_attribute("aria-expanded", "true")
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / "saved-light.png")


def test_a_node_is_selected_and_its_line_read(notebook: NotebookView) -> None:
    explorer = notebook.explorer(notebook.cell_with("-o fixed"))
    explorer.click(explorer.node("where"))
    assert explorer.marked_source() == (2, "return torch.where(x.mean() > 0, x * 2, x / 2)")


def test_no_output_is_left_as_text_of_a_dead_widget(notebook: NotebookView) -> None:
    for text in ("best = scores.argmax", "explorer.select(", "-o branched", "-o fixed"):
        notebook.explorer(notebook.cell_with(text))
    # The widget's own renderer waits behind the picture, unseen, for a kernel that knows the widget.
    for text in ("Error displaying widget", "Loading widget"):
        expect(notebook.page.get_by_text(text).locator("visible=true")).to_have_count(0)


def test_the_console_has_no_complaint(notebook: NotebookView) -> None:
    assert notebook.page.problems == []


def test_notebook_7_shows_it_too(
    lab: Lab, put: Callable[[str], str], new_page: Callable[[], Any], artefacts: Path
) -> None:
    page = new_page()
    page.goto(lab.page_url(put("seven.ipynb"), app="notebooks"))
    host = page.locator("[data-tracelab-ready]").first
    host.wait_for()
    explorer = ExplorerView(page, host)
    explorer.collapse_all()
    explorer.double_click("net")
    expect(explorer.box("net: Net")).to_have_attribute("aria-expanded", "true")
    explorer.paint_is_settled()
    page.screenshot(path=artefacts / "saved-notebook-7.png")
    page.close()
