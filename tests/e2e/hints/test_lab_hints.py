"""Traced cells in JupyterLab: shapes and warnings in the code, and the way between code and graph."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from support.browser.code_hints import hovered
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook

SETUP = """import torch
%load_ext tracelab
layer = torch.nn.Linear(16, 4)
x = torch.ones(8, 16)"""
TRACED = """%%trace
hidden = torch.relu(x) * 2
if hidden.sum() > 0:
    y = layer(hidden)"""
PLAIN = "z = 1"


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    """A notebook whose second cell has been traced."""
    view = open_notebook(lab, new_page(), "hints.ipynb", [SETUP, TRACED, PLAIN])
    view.run_all()
    view.explorer(1)
    yield view
    view.page.close()


@pytest.fixture
def cell(notebook: NotebookView) -> Locator:
    return notebook.cell(1)


def type_at_end_of(cell: Locator, line: int, keys: str) -> None:
    cell.locator(".cm-line").nth(line).click()
    cell.page.keyboard.press("End")
    for key in keys.split():
        cell.page.keyboard.press(key)


def test_traced_lines_end_in_their_shapes(cell: Locator, artefacts: Path) -> None:
    expect(cell.locator(".tracelab-hint")).to_have_text(["float32[8, 16]", "bool[]", "float32[8, 4]"])
    cell.page.screenshot(path=artefacts / "lab-hints-light.png")


def test_other_cells_are_left_alone(notebook: NotebookView) -> None:
    expect(notebook.cell(0).locator(".tracelab-hint, .cm-lintRange")).to_have_count(0)


def test_a_warning_stands_under_its_own_columns(cell: Locator) -> None:
    expect(cell.locator(".cm-lintRange-warning")).to_have_text("hidden.sum() > 0")


def test_a_warning_says_what_is_frozen_and_leads_to_the_graph(
    notebook: NotebookView, cell: Locator, artefacts: Path
) -> None:
    tip = hovered(cell.locator(".cm-lintRange-warning"), ".cm-tooltip-lint")
    expect(tip).to_contain_text("The trace is specialized on the value True")
    expect(tip).to_contain_text("Outputs that depend on it: y")
    cell.page.screenshot(path=artefacts / "lab-warning.png")
    tip.get_by_text("Show in graph").click()
    host = notebook.explorer(1).host
    expect(host).not_to_have_attribute("data-selected", "-1")
    expect(cell.locator(".tracelab-highlighted")).to_have_text("if hidden.sum() > 0:bool[]")


def test_the_hover_of_a_hint_lists_every_value(cell: Locator) -> None:
    hover = hovered(cell.locator(".tracelab-hint").first, ".tracelab-hover")
    expect(hover.locator("tbody tr")).to_have_count(2)
    expect(hover).to_contain_text("aten::relu")


def test_the_cursor_lights_what_its_line_ran(notebook: NotebookView, cell: Locator) -> None:
    cell.locator(".cm-line").nth(3).click()
    expect(notebook.explorer(1).host.locator(".highlight-bar")).to_contain_text("run by the line at the cursor")


def test_hints_of_an_edited_line_are_stale_until_it_reads_as_before(cell: Locator) -> None:
    type_at_end_of(cell, 1, "1")
    stale = cell.locator(".tracelab-hint-stale")
    expect(stale).to_have_text(["float32[8, 16]"])
    type_at_end_of(cell, 1, "Backspace")
    expect(stale).to_have_count(0)


def test_the_next_trace_brings_new_hints(notebook: NotebookView, cell: Locator) -> None:
    type_at_end_of(cell, 1, "Backspace Backspace Backspace Backspace")
    expect(cell.locator(".tracelab-hint-stale")).to_have_count(1)
    notebook.run_cell(1)
    expect(cell.locator(".tracelab-hint-stale")).to_have_count(0)
    expect(cell.locator(".tracelab-hint")).to_have_text(["float32[8, 16]", "bool[]", "float32[8, 4]"])


def test_hints_in_the_dark(notebook: NotebookView, cell: Locator, artefacts: Path) -> None:
    notebook.execute("apputils:change-theme", theme="JupyterLab Dark")
    expect(cell.page.locator("body[data-jp-theme-light=false]")).to_have_count(1)
    expect(cell.page.locator("#jupyterlab-splash, #jupyterlab-splash-dark")).to_have_count(0)
    cell.page.screenshot(path=artefacts / "lab-hints-dark.png")
    notebook.execute("apputils:change-theme", theme="JupyterLab Light")


def test_a_saved_notebook_has_its_hints_again(lab: Lab, notebook: NotebookView, new_page: Callable[[], Any]) -> None:
    notebook.execute("docmanager:save")
    reopened = NotebookView(new_page())
    reopened.open(lab.page_url("hints.ipynb"))
    expect(reopened.cell(1).locator(".tracelab-hint")).to_have_text(["float32[8, 16]", "bool[]", "float32[8, 4]"])
    expect(reopened.cell(1).locator(".cm-lintRange-warning")).to_have_text("hidden.sum() > 0")
    assert reopened.page.problems == []  # type: ignore[attr-defined]
    reopened.page.close()


def test_without_hints_warnings_and_the_way_to_the_graph_stay(
    lab: Lab, notebook: NotebookView, new_page: Callable[[], Any]
) -> None:
    write_setting(lab, {"shapeHints": False})
    try:
        reopened = NotebookView(new_page())
        reopened.open(lab.page_url("hints.ipynb"))
        cell = reopened.cell(1)
        expect(cell.locator(".cm-lintRange-warning")).to_have_text("hidden.sum() > 0")
        expect(cell.locator(".tracelab-hint")).to_have_count(0)
        cell.locator(".cm-line").nth(3).click()
        expect(reopened.explorer(1).host.locator(".highlight-bar")).to_contain_text("run by the line at the cursor")
        reopened.page.close()
    finally:
        write_setting(lab, {})


def write_setting(lab: Lab, settings: dict[str, Any]) -> None:
    request = urllib.request.Request(
        f"{lab.url}/lab/api/settings/tracelab:hints",
        data=json.dumps({"raw": json.dumps(settings)}).encode(),
        headers={"Authorization": f"token {lab.token}", "Content-Type": "application/json"},
        method="PUT",
    )
    urllib.request.urlopen(request, timeout=60).close()


def test_nothing_went_wrong_in_the_page(notebook: NotebookView) -> None:
    assert notebook.page.problems == []  # type: ignore[attr-defined]
