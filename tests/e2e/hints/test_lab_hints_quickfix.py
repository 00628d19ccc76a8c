"""Quick fixes in JupyterLab, a saved notebook with hints in Notebook 7, and what axe says of the tooltips."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbclient
import nbformat
import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, Page, expect

from support.browser.code_hints import hints, hovered, put_cursor
from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView

SETUP = """import torch
%load_ext tracelab
x = torch.ones(8, 16)"""
TRACED = """%%trace
hidden = x * 2
if hidden.sum() > 0:
    y = hidden + 1
else:
    y = hidden - 1
z = y"""
FIXED = """%%trace
hidden = x * 2
y = torch.where(hidden.sum() > 0, hidden + 1, hidden - 1)
z = y"""
REASON = "Both sides have the same shape and type, and neither has a side effect"


@pytest.fixture(scope="module")
def saved() -> nbformat.NotebookNode:
    """A notebook that was run and saved, whose warning has a quick fix."""
    kernel = {"name": "python3", "display_name": "Python 3", "language": "python"}
    content = nbformat.v4.new_notebook(metadata={"kernelspec": kernel})
    content.cells = [nbformat.v4.new_code_cell(text) for text in (SETUP, TRACED)]
    nbclient.NotebookClient(content, timeout=120).execute()
    return content


@pytest.fixture(scope="module")
def page(new_page: Callable[[], Any]) -> Iterator[Page]:
    page = new_page()
    yield page
    assert page.problems == []
    page.close()


@pytest.fixture(scope="module")
def notebook(lab: Lab, page: Page, saved: nbformat.NotebookNode) -> NotebookView:
    nbformat.write(saved, lab.folder / "quickfix.ipynb")
    view = NotebookView(page)
    view.open(lab.page_url("quickfix.ipynb"))
    expect(hints(view.cell(1))).to_have_count(3)
    return view


def source(notebook: NotebookView) -> str:
    return str(
        notebook.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets[1].model.sharedModel.getSource()")
    )


def tooltip(cell: Locator) -> Locator:
    """The tooltip of the squiggle."""
    return hovered(cell.locator(".cm-lintRange-warning").first, ".cm-tooltip-lint")


def violations(page: Page, selector: str) -> list[Any]:
    """What axe has against a part of the page."""
    found = Axe().run(page, context={"include": [[selector]]}).response["violations"]
    return [(each["id"], each["impact"], [node["html"] for node in each["nodes"][:3]]) for each in found]


@pytest.mark.parametrize("theme", ["JupyterLab Dark", "JupyterLab Light"])
def test_axe_has_nothing_against_the_tooltips(notebook: NotebookView, artefacts: Path, theme: str) -> None:
    notebook.execute("apputils:change-theme", theme=theme)
    dark = "false" if theme.endswith("Dark") else "true"
    expect(notebook.page.locator(f"body[data-jp-theme-light={dark}]")).to_have_count(1)
    expect(notebook.page.locator("#jupyterlab-splash")).to_have_count(0)
    cell = notebook.cell(1)
    tooltip(cell)
    name = theme.split()[-1].lower()
    notebook.page.screenshot(path=artefacts / f"lab-quickfix-{name}.png")
    assert violations(notebook.page, ".cm-tooltip-lint") == []
    hovered(hints(cell).first, ".tracelab-hover")
    notebook.page.screenshot(path=artefacts / f"lab-hover-{name}.png")
    assert violations(notebook.page, ".tracelab-hover") == []
    assert violations(notebook.page, ".tracelab-hint") == []


def test_a_quick_fix_is_shown_before_it_is_applied(notebook: NotebookView) -> None:
    tip = tooltip(notebook.cell(1))
    expect(tip.locator("del")).to_have_text([f"− {line}\n" for line in TRACED.split("\n")[2:6]], use_inner_text=False)
    expect(tip.locator("ins")).to_have_text([f"+ {FIXED.splitlines()[2]}\n"], use_inner_text=False)
    expect(tip).to_contain_text(REASON)
    assert source(notebook) == TRACED


def test_a_quick_fix_is_refused_where_the_code_has_changed(notebook: NotebookView) -> None:
    cell = notebook.cell(1)
    # The tooltip would be in the way of the click.
    notebook.page.mouse.move(0, 0)
    expect(notebook.page.locator(".cm-tooltip")).to_have_count(0)
    put_cursor(cell, 3)
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type("0")
    changed = source(notebook)
    tooltip(cell).get_by_text("Quick fix").click()
    expect(notebook.page.locator(".Toastify__toast").last).to_contain_text(
        "This code has changed since it was traced. Trace it again to get a quick fix."
    )
    assert source(notebook) == changed
    put_cursor(cell, 3)
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.press("Backspace")


def test_a_quick_fix_is_applied_at_a_click_and_undone_as_one(notebook: NotebookView) -> None:
    cell = notebook.cell(1)
    tooltip(cell).get_by_text("Quick fix").click()
    assert source(notebook) == FIXED
    expect(cell.locator(".cm-focused")).to_have_count(1)
    notebook.page.keyboard.press("Control+Z")
    assert source(notebook) == TRACED
    expect(cell.locator(".tracelab-hint-stale")).to_have_count(0)


def test_notebook_7_has_hints_squiggles_and_the_way_to_the_graph(
    lab: Lab, saved: nbformat.NotebookNode, new_page: Callable[[], Any], artefacts: Path
) -> None:
    nbformat.write(saved, lab.folder / "hints-seven.ipynb")
    page = new_page()
    page.goto(lab.page_url("hints-seven.ipynb", app="notebooks"))
    cell = page.locator('.jp-Cell[data-windowed-list-index="1"]')
    expect(hints(cell)).to_have_count(3, timeout=60_000)
    expect(cell.locator(".cm-lintRange-warning")).to_have_text("hidden.sum() > 0")
    host = cell.locator("[data-tracelab-ready=true]")
    explorer = ExplorerView(page, host)
    cell.locator(".cm-line").nth(1).click(position={"x": 60, "y": 8})
    expect(host.locator(".highlight-bar")).to_contain_text("run by the line at the cursor")
    page.keyboard.press("Alt+Shift+G")
    expect(host).to_have_attribute("data-selected", "0")
    expect(explorer.tree).to_be_focused()
    expect(cell.locator(".tracelab-highlighted")).to_have_text("hidden = x * 2float32[8, 16]")
    page.screenshot(path=artefacts / "seven-hints.png")
    page.keyboard.press("g")
    expect(cell.locator(".cm-focused")).to_have_count(1)
    assert page.problems == []  # type: ignore[attr-defined]
    page.close()
