"""The quickstart, run in JupyterLab: the explorer of a running kernel."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import nbformat
import pytest
from playwright.sync_api import expect

from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView

FAILING = """%%trace
hidden = torch.relu(x)
scores = net.head(hidden)
"""


@pytest.fixture(scope="module")
def notebook(lab: Lab, put: Callable[[str], str], new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    """The quickstart and two cells of ours, every cell run; explorers stand where the last test left them."""
    path = lab.folder / put("live.ipynb")
    content = nbformat.read(path, as_version=4)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs = []
            cell.execution_count = None
    content.cells.append(nbformat.v4.new_code_cell("print('the kernel sees', explorer.selected_node)"))
    content.cells.append(nbformat.v4.new_code_cell(FAILING))
    nbformat.write(content, path)
    view = NotebookView(new_page())
    view.open(lab.page_url(path.name))
    view.run_all()
    yield view
    view.page.close()


@pytest.fixture
def cell_trace(notebook: NotebookView) -> ExplorerView:
    """The explorer of the quickstart's first trace."""
    return notebook.explorer(notebook.cell_with("best = scores.argmax"))


def test_only_the_failing_cell_raises(notebook: NotebookView) -> None:
    errors = [output["evalue"] for output in notebook.outputs() if output["output_type"] == "error"]
    assert errors == ["mat1 and mat2 shapes cannot be multiplied (4x8 and 16x3)"]


def test_the_widget_of_the_kernel_is_shown(cell_trace: ExplorerView, artefacts: Path) -> None:
    assert cell_trace.is_live
    expect(cell_trace.tree).to_have_attribute("aria-label", "Graph of cell")
    names = cell_trace.names()
    assert names[0] == "x, graph input, 4×8"
    assert any(name.startswith("softmax") for name in names)
    cell_trace.paint_is_settled()
    cell_trace.page.screenshot(path=artefacts / "live-light.png")


def test_a_group_opens_and_closes_by_mouse(cell_trace: ExplorerView, artefacts: Path) -> None:
    cell_trace.collapse_all()
    cell_trace.double_click("net")
    cell_trace.double_click("net.blocks")
    group = cell_trace.box("0: Residual")
    expect(group).to_have_attribute("aria-expanded", "false")
    cell_trace.press("f")
    cell_trace.paint_is_settled()
    before = cell_trace.position("net.blocks.0")["toggle"]
    cell_trace.click_toggle("net.blocks.0")
    expect(group).to_have_attribute("aria-expanded", "true")
    after = cell_trace.position("net.blocks.0")["toggle"]
    assert after == pytest.approx(before, abs=10), "what is clicked stays under the pointer"
    expect(cell_trace.box("norm: layer_norm")).to_have_count(1)
    cell_trace.paint_is_settled()
    cell_trace.page.screenshot(path=artefacts / "live-group-open.png")
    cell_trace.click_toggle("net.blocks.0")
    expect(group).to_have_attribute("aria-expanded", "false")


def test_a_group_opens_by_keyboard(notebook: NotebookView, cell_trace: ExplorerView) -> None:
    cell_trace.collapse_all()
    cells = notebook.cell_count()
    group = cell_trace.box("net: Net")
    cell_trace.press("Home")
    expect(cell_trace.box("x, graph input")).to_have_attribute("aria-selected", "true")
    cell_trace.press("ArrowDown")
    expect(group).to_have_attribute("aria-selected", "true")
    cell_trace.press("Enter")
    expect(group).to_have_attribute("aria-expanded", "true")
    # JupyterLab's own keys stay out of the picture: there, two d's delete a cell.
    cell_trace.press("d", "d")
    assert notebook.cell_count() == cells


def test_search_finds_and_opens_what_is_hidden(cell_trace: ExplorerView, artefacts: Path) -> None:
    cell_trace.collapse_all()
    cell_trace.press("/")
    cell_trace.page.keyboard.type("gelu")
    expect(cell_trace.host.locator(".search .count")).to_have_text("0/2")
    cell_trace.page.keyboard.press("Enter")
    found = cell_trace.host.get_by_role("treeitem", selected=True)
    expect(found).to_have_attribute("aria-label", "1: gelu, operator, 4×32")
    cell_trace.paint_is_settled()
    cell_trace.page.screenshot(path=artefacts / "live-search.png")
    cell_trace.page.keyboard.press("Escape")
    expect(cell_trace.host.locator(".search .count")).to_have_text("")


def test_the_panel_shows_the_source_line_of_a_node(cell_trace: ExplorerView, artefacts: Path) -> None:
    cell_trace.collapse_all()
    cell_trace.click(cell_trace.node("softmax"))
    expect(cell_trace.panel).to_be_visible()
    assert cell_trace.marked_source() == (2, "scores = net(x).softmax(dim=-1)")
    expect(cell_trace.panel).to_contain_text("aten::softmax.int(Tensor self, int dim, ScalarType? dtype=None)")
    expect(cell_trace.panel).to_contain_text("Tensor[x.0, 3] · float32 · cpu · traced with [4, 3]")
    cell_trace.paint_is_settled()
    cell_trace.page.screenshot(path=artefacts / "live-details.png")


def test_the_kernel_sees_what_is_selected(notebook: NotebookView) -> None:
    explorer = notebook.explorer(notebook.cell_with("explorer.select("))
    explorer.collapse_all()
    head = explorer.node("head: linear")
    explorer.click(head)
    expect(explorer.host).to_have_attribute("data-selected", str(head))
    reader = notebook.cell_with("the kernel sees")
    seen = notebook.cell(reader).locator(".jp-OutputArea-output")

    def kernel_sees() -> str:
        notebook.run_cell(reader)
        return seen.inner_text().strip()

    # ipywidgets sends a change once the kernel has answered the last one, which a cell can overtake.
    last = "the kernel sees %linear.5 = aten::linear(%hidden, %head.weight, %head.bias)"
    assert last in (kernel_sees() for _ in range(10))


def test_a_warning_is_listed_with_its_line(notebook: NotebookView, artefacts: Path) -> None:
    explorer = notebook.explorer(notebook.cell_with("-o branched"))
    explorer.host.get_by_role("button", name="Show 1 warning").click()
    expect(explorer.panel).to_contain_text("1 warning")
    expect(explorer.panel).to_contain_text("the branch taken here is taken for every input")
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / "live-warning.png")


def test_a_failed_cell_shows_its_graph_up_to_the_failure(notebook: NotebookView, artefacts: Path) -> None:
    failing = notebook.cell_with("scores = net.head(hidden)")
    explorer = notebook.explorer(failing)
    expect(notebook.cell(failing).locator(".jp-OutputArea")).to_contain_text("RuntimeError")
    expect(explorer.box("relu")).to_have_count(1)
    explorer.press("i")
    expect(explorer.panel).to_contain_text("Failed at")
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / "live-failed-cell.png")


def test_the_dark_theme_changes_the_colours(notebook: NotebookView, cell_trace: ExplorerView, artefacts: Path) -> None:
    light = cell_trace.brightness()
    notebook.execute("apputils:change-theme", theme="JupyterLab Dark")
    expect(cell_trace.host.locator(".root")).to_have_attribute("data-theme", "dark")
    cell_trace.paint_is_settled()
    dark = cell_trace.brightness()
    cell_trace.page.screenshot(path=artefacts / "live-dark.png")
    notebook.execute("apputils:change-theme", theme="JupyterLab Light")
    expect(cell_trace.host.locator(".root")).to_have_attribute("data-theme", "light")
    assert light > 200
    assert dark < 90


def test_after_a_restart_of_the_kernel_the_cell_has_a_live_explorer_again(notebook: NotebookView) -> None:
    # The widgets of the new kernel have the ids of those that went: what a notebook saves stays the same.
    before = [output["data"] for output in notebook.outputs() if "data" in output]
    notebook.page.evaluate("() => jupyterapp.shell.currentWidget.sessionContext.session.kernel.restart()")
    notebook.run_all()
    assert [output["data"] for output in notebook.outputs() if "data" in output] == before
    assert notebook.explorer(notebook.cell_with("best = scores.argmax")).is_live
    test_the_kernel_sees_what_is_selected(notebook)


def test_saved_and_opened_the_next_day(
    lab: Lab, notebook: NotebookView, new_page: Callable[[], Any], artefacts: Path
) -> None:
    notebook.execute("docmanager:save")
    lab.stop_kernels()
    tomorrow = NotebookView(new_page())
    tomorrow.open(lab.page_url("live.ipynb"))
    explorer = tomorrow.explorer(tomorrow.cell_with("best = scores.argmax"))
    assert not explorer.is_live
    expect(tomorrow.page.get_by_text("Error displaying widget")).to_have_count(0)
    explorer.collapse_all()
    explorer.double_click("net")
    expect(explorer.box("net: Net")).to_have_attribute("aria-expanded", "true")
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / "saved-next-day.png")
    # Run again, the same output becomes the kernel's widget.
    tomorrow.run_all()
    assert tomorrow.explorer(tomorrow.cell_with("best = scores.argmax")).is_live
    assert tomorrow.page.problems == []


def test_the_console_has_no_complaint(notebook: NotebookView) -> None:
    assert notebook.page.problems == []
