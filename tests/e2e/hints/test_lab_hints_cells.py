"""Traces that run through other cells and files, `%trace`, the way there and back, and each setting."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Page, expect

from support.browser.code_hints import hints, hovered, put_cursor
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook
from support.browser.plugin_settings import setting

SETUP = """import torch
%load_ext tracelab
from hinted_model import scaled
x = torch.ones(8, 16)"""
FUNCTIONS = """class Block(torch.nn.Module):
    def __init__(self, width):
        super().__init__()
        self.inner = torch.nn.Linear(16, width)

    def forward(self, x):
        h = self.inner(x)
        return torch.relu(h)

def both(x):
    return blocks[0](x) + blocks[1](x).sum(dim=-1, keepdim=True)

torch.manual_seed(0)
blocks = [Block(4), Block(6)]"""
TRACED = """%%trace
hidden = both(x)
y = scaled(hidden)"""
MAGIC = """# a line before
%trace -o line blocks[1](x)"""
PLAIN = "z = 1"
FILE = """def scaled(x):
    return x * 2
"""


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    (lab.folder / "hinted_model.py").write_text(FILE)
    view = open_notebook(lab, new_page(), "hints-cells.ipynb", [SETUP, FUNCTIONS, TRACED, MAGIC, PLAIN])
    view.run_all()
    view.explorer(2)
    view.explorer(3)
    yield view
    view.page.close()


def cursor_line(page: Page) -> tuple[int, int]:
    """The cell and the line, counted from 0, in which the cursor is."""
    found = page.evaluate(
        "() => { const notebook = jupyterapp.shell.currentWidget.content;"
        " return [notebook.activeCellIndex, notebook.activeCell.editor.getCursorPosition().line]; }"
    )
    return int(found[0]), int(found[1])


def test_lines_of_functions_in_other_cells_have_their_hints_there(notebook: NotebookView, artefacts: Path) -> None:
    expect(hints(notebook.cell(2))).to_have_text(["float32[8, 4]", "float32[8, 4]"])
    # The later trace, by %trace, ran through the block of six; the lines that it did not run keep what the first said.
    expect(hints(notebook.cell(1))).to_have_text(["float32[8, 6]", "float32[8, 6]", "float32[8, 4]"])
    notebook.page.screenshot(path=artefacts / "lab-hints-cells.png")


def test_the_line_of_a_line_magic_has_its_hint(notebook: NotebookView) -> None:
    cell = notebook.cell(3)
    expect(hints(cell)).to_have_text(["float32[8, 6]"])
    expect(cell.locator(".cm-line").nth(1).locator(".tracelab-hint")).to_have_count(1)


def test_cells_that_no_trace_ran_through_are_left_alone(notebook: NotebookView) -> None:
    for index in (0, 4):
        expect(notebook.cell(index).locator(".tracelab-hint, .cm-lintRange")).to_have_count(0)
        # No extension of ours, not even an empty one.
        count = notebook.page.evaluate(
            "index => jupyterapp.shell.currentWidget.content.widgets[index].node.matches('.tracelab-traced')", index
        )
        assert count is False


def test_a_selected_node_lights_its_line_in_every_cell(notebook: NotebookView) -> None:
    explorer = notebook.explorer(2)
    explorer.host.evaluate("host => host.tracelab.select(1)")
    assert explorer.selected == 1
    highlighted = notebook.page.locator(".tracelab-highlighted")
    expect(highlighted).to_have_text(["        return torch.relu(h)float32[8, 6]", "hidden = both(x)float32[8, 4]"])


def test_the_cursor_in_a_function_lights_what_it_ran_in_every_graph(notebook: NotebookView) -> None:
    notebook.cell(2)
    put_cursor(notebook.cell(1), 7)
    for index in (2, 3):
        expect(notebook.explorer(index).host.locator(".highlight-bar")).to_contain_text("run by the line at the cursor")
    put_cursor(notebook.cell(1), 0)
    for index in (2, 3):
        expect(notebook.explorer(index).host.locator(".highlight-bar")).to_be_hidden()


def test_the_key_leads_to_the_node_and_on_to_the_next(notebook: NotebookView) -> None:
    cell = notebook.cell(2)
    explorer = notebook.explorer(2)
    explorer.host.evaluate("host => host.tracelab.select(-1)")
    put_cursor(cell, 1)
    notebook.page.keyboard.press("Alt+Shift+G")
    expect(explorer.host).to_have_attribute("data-selected", "0")
    expect(explorer.tree).to_be_focused()
    put_cursor(notebook.cell(2), 1)
    notebook.page.keyboard.press("Alt+Shift+G")
    expect(explorer.host).to_have_attribute("data-selected", "1")


def test_a_line_that_ran_nothing_says_so(notebook: NotebookView) -> None:
    put_cursor(notebook.cell(4), 0)
    notebook.page.keyboard.press("Alt+Shift+G")
    toast = notebook.page.locator(".Toastify__toast")
    expect(toast.last).to_contain_text("No traced operators on this line.")


def test_a_key_in_the_graph_leads_to_the_source_in_another_cell(notebook: NotebookView) -> None:
    explorer = notebook.explorer(2)
    explorer.host.evaluate("host => host.tracelab.select(0)")
    explorer.press("g")
    notebook.page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 1")
    expect(notebook.cell(1).locator(".cm-focused")).to_have_count(1)
    assert cursor_line(notebook.page) == (1, 6)


def test_the_menu_of_a_node_leads_to_its_source(notebook: NotebookView) -> None:
    explorer = notebook.explorer(2)
    explorer.host.evaluate("host => host.tracelab.select(1)")
    explorer.ready()
    place = explorer.position(1)
    notebook.page.mouse.click(place["x"], place["y"], button="right")
    explorer.host.get_by_role("menuitem", name="Go to source").click()
    notebook.page.wait_for_function("jupyterapp.shell.currentWidget.content.activeCellIndex === 1")
    assert cursor_line(notebook.page) == (1, 7)


def test_the_menu_of_a_cell_leads_to_the_node_of_the_line(notebook: NotebookView, artefacts: Path) -> None:
    cell = notebook.cell(2)
    notebook.explorer(2).host.evaluate("host => host.tracelab.select(-1)")
    cell.locator(".cm-line").nth(1).click(button="right", position={"x": 60, "y": 8})
    notebook.page.screenshot(path=artefacts / "lab-cell-menu.png")
    notebook.page.get_by_role("menuitem", name="Go to Node in Graph").click()
    expect(notebook.explorer(2).host).to_have_attribute("data-selected", "0")


def test_other_cells_have_no_such_menu(notebook: NotebookView) -> None:
    notebook.cell(4).locator(".cm-line").first.click(button="right")
    expect(notebook.page.get_by_role("menuitem", name="Delete Cell")).to_be_visible()
    expect(notebook.page.get_by_role("menuitem", name="Go to Node in Graph")).to_have_count(0)
    notebook.page.keyboard.press("Escape")


def test_after_a_run_in_place_the_hover_has_time_and_statistics(notebook: NotebookView, artefacts: Path) -> None:
    explorer = notebook.explorer(2)
    explorer.press("r")
    expect(explorer.host.get_by_role("toolbar", name="Run").get_by_role("status")).to_contain_text("7 operators on cpu")
    hover = hovered(hints(notebook.cell(2)).first, ".tracelab-hover")
    expect(hover.locator("th")).to_have_text(["Value", "Type", "Operator", "Module", "Time", "Statistics"])
    expect(hover.locator("tbody tr").first.locator("td").nth(4)).to_have_text(re.compile(r"^[\d.]+ (µs|ms|s)$"))
    expect(hover.locator("tbody tr").first.locator("td").nth(5)).to_contain_text("mean")
    expect(hover).to_contain_text(re.compile(r"This line took [\d.]+ (µs|ms|s) in the last run"))
    notebook.page.screenshot(path=artefacts / "lab-hover-run.png")
    notebook.page.mouse.move(0, 0)


def test_each_setting_takes_effect_at_once(notebook: NotebookView) -> None:
    cell = notebook.cell(2)
    setting(notebook.page, "shapeHints", False)
    expect(hints(cell)).to_have_count(0)
    setting(notebook.page, "shapeHints", True)
    expect(hints(cell)).to_have_count(2)
    notebook.explorer(2).host.evaluate("host => host.tracelab.select(1)")
    expect(notebook.page.locator(".tracelab-highlighted")).to_have_count(2)
    setting(notebook.page, "syncSelection", False)
    expect(notebook.page.locator(".tracelab-highlighted")).to_have_count(0)
    put_cursor(notebook.cell(2), 1)
    expect(notebook.explorer(2).host.locator(".highlight-bar")).to_be_hidden()
    setting(notebook.page, "syncSelection", True)
    expect(notebook.page.locator(".tracelab-highlighted")).to_have_count(2)


def test_the_source_in_a_file_is_opened_at_its_line(notebook: NotebookView) -> None:
    explorer = notebook.explorer(2)
    last = explorer.node("mul")
    explorer.host.evaluate("(host, node) => host.tracelab.select(node)", last)
    explorer.tree.focus()
    page = notebook.page
    # The notebook is hidden then, and its explorer with it.
    page.keyboard.press("g")
    page.wait_for_function("jupyterapp.shell.currentWidget.context?.path === 'hinted_model.py'")
    page.wait_for_function("jupyterapp.shell.currentWidget.content.editor?.getCursorPosition().line === 1")
    notebook.execute("application:close")


def test_nothing_went_wrong_in_the_page(notebook: NotebookView) -> None:
    assert notebook.page.problems == []  # type: ignore[attr-defined]
