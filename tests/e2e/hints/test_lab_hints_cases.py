"""What happens to hints and diagnostics when cells, notebooks and kernels do what they do."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from support.browser.code_hints import hints, hovered, put_cursor
from support.browser.jupyterlab import Lab, running_lab
from support.browser.notebook_view import NotebookView, open_notebook
from support.browser.plugin_settings import setting

pytestmark = pytest.mark.nightly

SETUP = """import pathlib, time
import torch
%load_ext tracelab
x = torch.ones(8, 16)
def wait_for(name):
    while not pathlib.Path(name).exists():
        time.sleep(0.02)"""
FUNCTION = """def double(x):
    return x * 2"""
CHECKED = """%%trace --check
hidden = double(x)
if hidden.sum() > 0:
    y = hidden + 1
else:
    y = hidden - 1"""
WAITING = """%%trace
a = x + 1
wait_for("edited")
b = a * 2"""
PLAIN = "z = 1"
OTHER = """%%trace
w = double(x[:4])"""

SOURCES = "() => jupyterapp.shell.currentWidget.content.widgets.map(cell => cell.model.sharedModel.getSource())"


@pytest.fixture(scope="module")
def first(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    """A notebook whose page and kernel the others share."""
    view = open_notebook(lab, new_page(), "first.ipynb", [SETUP])
    view.run_all()
    yield view
    view.page.close()


@pytest.fixture
def notebook(lab: Lab, first: NotebookView, request: pytest.FixtureRequest) -> Iterator[NotebookView]:
    """A notebook whose third cell has been traced and checked."""
    name = request.node.name.removeprefix("test_")[:40] + ".ipynb"
    view = NotebookView(first.page)
    view.open_here(lab.write_notebook(name, [SETUP, FUNCTION, CHECKED, WAITING, PLAIN]))
    for index in (0, 1, 2):
        view.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
        view.run_cell(index)
    view.explorer(2)
    expect(hints(view.cell(2))).to_have_count(3)
    yield view
    view.close_others("first.ipynb")
    assert view.page.problems == []  # type: ignore[attr-defined]


def activate(notebook: NotebookView, index: int) -> None:
    notebook.page.evaluate("index => { jupyterapp.shell.currentWidget.content.activeCellIndex = index }", index)


def squiggle(cell: Locator) -> Locator:
    return cell.locator(".cm-lintRange-warning")


def test_a_squiggle_leads_to_its_counterexample(notebook: NotebookView, artefacts: Path) -> None:
    cell = notebook.cell(2)
    tip = hovered(squiggle(cell), ".cm-tooltip-lint")
    expect(tip).to_contain_text("Check: wrong for x negated")
    notebook.page.screenshot(path=artefacts / "lab-counterexample.png")
    tip.get_by_text("Show counterexample").click()
    explorer = notebook.explorer(2)
    expect(explorer.host.locator(".highlight-bar")).to_contain_text("wrong for x negated")
    expect(explorer.panel).to_contain_text("check: wrong for x negated")


def test_diagnostics_can_be_switched_off_alone(notebook: NotebookView) -> None:
    cell = notebook.cell(2)
    setting(notebook.page, "diagnostics", False)
    expect(squiggle(cell)).to_have_count(0)
    expect(hints(cell)).to_have_count(3)
    setting(notebook.page, "diagnostics", True)
    expect(squiggle(cell)).to_have_text("hidden.sum() > 0")


def test_a_line_that_is_moved_takes_hint_and_squiggle_along(notebook: NotebookView) -> None:
    cell = notebook.cell(2)
    put_cursor(cell, 2)
    notebook.page.keyboard.press("Alt+ArrowUp")
    expect(cell.locator(".cm-line").nth(1)).to_have_text("if hidden.sum() > 0:bool[]")
    expect(squiggle(cell)).to_have_text("hidden.sum() > 0")
    expect(cell.locator(".tracelab-hint-stale")).to_have_count(0)


def test_a_squiggle_stays_with_an_edited_line_and_is_whole_again_after_undo(notebook: NotebookView) -> None:
    cell = notebook.cell(2)
    put_cursor(cell, 2)
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.press("Control+Shift+K")
    expect(squiggle(cell)).to_have_count(0)
    notebook.page.keyboard.press("Control+Z")
    expect(squiggle(cell)).to_have_text("hidden.sum() > 0")
    put_cursor(cell, 2)
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type("#")
    expect(cell.locator(".tracelab-hint-stale")).to_have_text("bool[]")
    expect(squiggle(cell)).to_have_text("hidden.sum() > 0")


def test_a_cell_edited_while_it_is_traced_has_hints_where_its_lines_are_by_then(
    notebook: NotebookView, lab: Lab
) -> None:
    activate(notebook, 3)
    notebook.page.evaluate("() => void jupyterapp.commands.execute('notebook:run-cell')")
    cell = notebook.cell(3)
    expect(cell.locator(".jp-InputPrompt").first).to_have_text("[*]:")
    put_cursor(cell, 3)
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.type(" + 1")
    put_cursor(cell, 0)
    notebook.page.keyboard.press("End")
    notebook.page.keyboard.press("Enter")
    notebook.page.keyboard.type("# new")
    expect(cell.locator(".jp-InputPrompt").first).to_have_text("[*]:")
    (lab.folder / "edited").touch()
    notebook.explorer(3)
    expect(hints(cell)).to_have_count(2)
    expect(cell.locator(".tracelab-hint:not(.tracelab-hint-stale)")).to_have_count(1)
    expect(cell.locator(".cm-line").nth(2)).to_have_text("a = x + 1float32[8, 16]")
    expect(cell.locator(".tracelab-hint-stale")).to_have_count(1)
    expect(cell.locator(".cm-line").nth(4)).to_have_text("b = a * 2 + 1float32[8, 16]")


def test_two_notebooks_on_one_kernel_keep_to_themselves(notebook: NotebookView, lab: Lab) -> None:
    page = notebook.page
    name = page.evaluate("jupyterapp.shell.currentWidget.context.path")
    notebook.open_here(lab.write_notebook("beside.ipynb", [OTHER]))
    notebook.execute("notebook:run-cell")
    beside = page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
    expect(beside.locator(".tracelab-hint")).to_have_text(["float32[4, 16]"])
    host = beside.locator("[data-tracelab-ready=true]")
    expect(host).to_have_count(1)
    # The function stands in the other notebook: said in words, and the line that called is where this leads.
    host.evaluate("host => host.tracelab.select(1)")
    host.get_by_role("tree").focus()
    page.keyboard.press("g")
    expect(page.locator(".Toastify__toast").last).to_contain_text(
        "Line 2 of the cell that ran is no longer in this notebook. This is where it was called."
    )
    page.evaluate("() => jupyterapp.shell.currentWidget.dispose()")
    notebook.show(name)
    expect(hints(notebook.cell(1))).to_have_text(["float32[8, 16]"])
    expect(hints(notebook.cell(2))).to_have_count(3)


def test_a_restart_of_the_kernel_takes_nothing_away(notebook: NotebookView) -> None:
    notebook.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    cell = notebook.cell(2)
    expect(hints(cell)).to_have_count(3)
    put_cursor(cell, 1)
    expect(notebook.explorer(2).host.locator(".highlight-bar")).to_contain_text("run by the line at the cursor")
    expect(hovered(hints(cell).first, ".tracelab-hover")).to_contain_text("aten::mul")


def test_without_the_traced_cell_its_hints_are_gone_and_with_undo_they_are_back(notebook: NotebookView) -> None:
    activate(notebook, 2)
    notebook.execute("notebook:delete-cell")
    expect(hints(notebook.cell(1))).to_have_count(0)
    notebook.execute("notebook:undo-cell-action")
    expect(hints(notebook.cell(2))).to_have_count(3)
    expect(hints(notebook.cell(1))).to_have_text(["float32[8, 16]"])


def test_a_function_whose_cell_is_deleted_and_brought_back_has_its_hints_again(notebook: NotebookView) -> None:
    activate(notebook, 1)
    notebook.execute("notebook:delete-cell")
    expect(hints(notebook.cell(1))).to_have_count(3)
    notebook.execute("notebook:undo-cell-action")
    expect(hints(notebook.cell(1))).to_have_text(["float32[8, 16]"])


def test_a_cell_that_is_moved_keeps_its_hints(notebook: NotebookView) -> None:
    activate(notebook, 2)
    notebook.execute("notebook:move-cell-up")
    expect(hints(notebook.cell(1))).to_have_count(3)
    expect(squiggle(notebook.cell(1))).to_have_text("hidden.sum() > 0")
    expect(hints(notebook.cell(2))).to_have_text(["float32[8, 16]"])
    put_cursor(notebook.cell(1), 1)
    expect(notebook.explorer(1).host.locator(".highlight-bar")).to_contain_text("run by the line at the cursor")


def test_of_a_cell_that_is_split_the_part_with_the_output_keeps_its_hints(notebook: NotebookView) -> None:
    put_cursor(notebook.cell(2), 3)
    notebook.page.keyboard.press("Home")
    notebook.page.keyboard.press("Home")
    notebook.execute("notebook:split-cell-at-cursor")
    # JupyterLab leaves the output with the second part.
    expect(notebook.cell(3).locator("[data-tracelab-ready]")).to_have_count(1)
    expect(hints(notebook.cell(2))).to_have_count(0)
    expect(hints(notebook.cell(3))).to_have_text(["float32[8, 16]"])
    expect(notebook.page.locator(".tracelab-hint-stale")).to_have_count(0)


def test_cleared_outputs_take_the_hints_along(notebook: NotebookView) -> None:
    activate(notebook, 2)
    notebook.execute("notebook:clear-cell-output")
    expect(hints(notebook.cell(2))).to_have_count(0)
    expect(squiggle(notebook.cell(2))).to_have_count(0)
    expect(hints(notebook.cell(1))).to_have_count(0)


def test_editors_without_a_trace_stay_as_they_are(notebook: NotebookView) -> None:
    page = notebook.page
    state = "jupyterapp.shell.currentWidget.content.widgets[4].editor.editor.state.config"
    page.evaluate(f"() => {{ window.kept = {state}; }}")
    notebook.run_cell(2)
    notebook.explorer(2)
    put_cursor(notebook.cell(2), 1)
    assert page.evaluate(f"() => window.kept === {state}")


def test_without_the_extension_a_traced_cell_shows_its_widget(
    tmp_path: Path, chromium: str, new_page: Callable[[], Any]
) -> None:
    with running_lab(tmp_path, ("tracelab",)) as lab:
        view = open_notebook(lab, new_page(), "without.ipynb", [SETUP, FUNCTION, CHECKED])
        view.run_all()
        explorer = view.explorer(2)
        assert explorer.is_live
        expect(explorer.box("mul")).to_have_count(1)
        expect(view.page.locator(".tracelab-hint, .cm-lintRange")).to_have_count(0)
        assert view.page.problems == []  # type: ignore[attr-defined]
        view.page.close()
