"""The panel of traces in JupyterLab: what it lists, what it opens and writes, and what it says when it cannot."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect

import tracelab
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView
from support.browser.traces_panel import FROZEN, LIBRARY, SETUP, SMALL, PanelView

PLAIN = "print('plain')"


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    """A notebook with two traced cells, run; the module of one of them lies beside it."""
    (lab.folder / "traces_library.py").write_text(LIBRARY)
    name = lab.write_notebook("traces.ipynb", [SETUP, SMALL, FROZEN, PLAIN])
    view = NotebookView(new_page())
    view.open(lab.page_url(name))
    yield view
    view.page.close()


@pytest.fixture
def panel(notebook: NotebookView) -> PanelView:
    return PanelView(notebook)


def test_without_traces_the_panel_says_what_to_do(panel: PanelView, artefacts: Path) -> None:
    panel.show()
    expect(panel.status).to_contain_text("No traces yet.")
    expect(panel.status).to_contain_text("%load_ext tracelab")
    panel.page.screenshot(path=artefacts / "traces-empty.png")


def test_traces_are_listed_as_they_arrive(panel: PanelView, artefacts: Path) -> None:
    panel.notebook.run_all()
    expect(panel.items).to_have_count(2)
    expect(panel.item("small")).to_contain_text("cell [2]")
    expect(panel.item("small")).to_contain_text("2 ops · 68 parameters")
    expect(panel.item("frozen")).to_contain_text("1 warning")
    expect(panel.status).to_be_hidden()
    panel.page.screenshot(path=artefacts / "traces-light.png")


def test_asking_leaves_execution_counts_as_they_are(panel: PanelView) -> None:
    panel.press("Refresh")
    panel.notebook.run_cell(3)
    expect(panel.page.locator(".jp-InputPrompt", has_text="[5]:")).to_have_count(1)


def run_in_kernel(panel: PanelView, code: str) -> None:
    """Runs code as another client of the kernel would."""
    panel.page.evaluate(
        "code => [...jupyterapp.shell.widgets('main')].find(widget => widget.context?.path === 'traces.ipynb')"
        ".sessionContext.session.kernel.requestExecute({code}).done",
        code,
    )


def test_a_trace_of_any_cell_comes_with_its_check_and_goes_with_its_variable(panel: PanelView) -> None:
    run_in_kernel(panel, "import tracelab\nchecked = tracelab.trace(torch.relu, x)")
    expect(panel.item("checked")).to_contain_text("check: the same as Python on the example inputs")
    run_in_kernel(panel, "del checked")
    expect(panel.items).to_have_count(2)


def test_warnings_in_files_lead_to_their_line(panel: PanelView) -> None:
    place = panel.node.locator(".tracelab-traces-location")
    expect(place).to_have_count(1)
    expect(place).to_contain_text("traces_library.py, line 5")
    place.click()
    page = panel.page
    page.wait_for_function("jupyterapp.shell.currentWidget?.context?.path === 'traces_library.py'")
    page.wait_for_function("jupyterapp.shell.currentWidget.content.editor?.getCursorPosition().line === 4")
    # The traces of the notebook that was left stay listed.
    expect(panel.items).to_have_count(2)
    page.evaluate("() => jupyterapp.shell.currentWidget.dispose()")


def test_a_trace_opens_beside_its_notebook_and_runs_there(panel: PanelView, artefacts: Path) -> None:
    explorer = panel.open("small")
    assert explorer.is_live
    notebook = panel.page.locator(".jp-NotebookPanel").first.bounding_box()
    tab = panel.tabs.first.bounding_box()
    assert notebook is not None
    assert tab is not None
    assert tab["x"] >= notebook["x"] + notebook["width"] - 10
    bar = explorer.host.get_by_role("toolbar", name="Run")
    bar.get_by_role("button", name="Run (r)", exact=True).click()
    expect(bar.get_by_role("status")).to_contain_text("2 operators on cpu")
    explorer.paint_is_settled()
    height = explorer.host.bounding_box()
    assert height is not None
    assert height["height"] > 0.8 * tab["height"]
    panel.page.screenshot(path=artefacts / "traces-tab-light.png")


def test_a_second_trace_opens_in_the_same_place(panel: PanelView) -> None:
    panel.open("frozen")
    expect(panel.tabs).to_have_count(2)
    panel.close_tabs()


def test_two_traces_are_compared(panel: PanelView, artefacts: Path) -> None:
    panel.item("small").click()
    expect(panel.node.get_by_role("button", name="Compare")).to_be_disabled()
    panel.item("frozen").click(modifiers=["ControlOrMeta"])
    panel.press("Compare")
    host = panel.tabs.locator("[data-tracelab-ready].tracelab-widget")
    expect(host).to_have_count(1)
    expect(panel.page.locator(".lm-TabBar-tabLabel", has_text="small → frozen")).to_have_count(1)
    panel.page.screenshot(path=artefacts / "traces-compared.png")
    panel.close_tabs()


def test_saved_beside_the_notebook(lab: Lab, panel: PanelView) -> None:
    panel.item("small").click()
    panel.press("Save")
    dialog = panel.page.get_by_role("dialog")
    expect(dialog.get_by_role("textbox")).to_have_value("small.tlab")
    dialog.get_by_role("button", name="Save").click()
    expect(panel.page.get_by_text("Saved to")).to_be_visible()
    assert len(tracelab.load(lab.folder / "small.tlab").graph.nodes) == 2
    # Once more: asked before it is replaced.
    panel.press("Save")
    dialog.get_by_role("button", name="Save").click()
    expect(dialog).to_contain_text("already exists")
    dialog.get_by_role("button", name="Cancel").click()


def test_exported(lab: Lab, panel: PanelView) -> None:
    panel.item("small").click()
    panel.press("Export")
    dialog = panel.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("small.svg")
    dialog.get_by_role("button", name="Save").click()
    expect(panel.page.get_by_text("small.svg")).to_be_visible()
    assert (lab.folder / "small.svg").read_text(encoding="utf-8").startswith("<")


def test_an_unknown_format_is_said(lab: Lab, panel: PanelView) -> None:
    panel.item("small").click()
    panel.press("Export")
    dialog = panel.page.get_by_role("dialog")
    dialog.get_by_role("textbox").fill("small.png")
    dialog.get_by_role("button", name="Save").click()
    expect(panel.page.get_by_text("The name small.png must end in .html, .svg, .dot or .json.")).to_be_visible()
    assert not (lab.folder / "small.png").exists()


def test_to_the_cell_of_a_trace(panel: PanelView) -> None:
    panel.item("frozen").click()
    panel.press("Cell")
    panel.page.wait_for_function("jupyterapp.shell.currentWidget?.content?.activeCellIndex === 2")
    expect(panel.page.locator(".jp-Cell.jp-mod-active")).to_be_focused()


def test_by_keyboard(panel: PanelView) -> None:
    page = panel.page
    page.keyboard.press("Alt+Shift+T")
    listbox = panel.node.get_by_role("listbox")
    expect(listbox).to_be_focused()
    page.keyboard.press("Home")
    expect(panel.item("small")).to_have_attribute("aria-selected", "true")
    page.keyboard.press("Shift+ArrowDown")
    expect(panel.node.locator("[aria-selected=true]")).to_have_count(2)
    page.keyboard.press("End")
    expect(panel.node.locator("[aria-selected=true]")).to_have_count(1)
    page.keyboard.press("Enter")
    expect(panel.tabs.locator("[data-tracelab-ready].tracelab-widget")).to_have_count(1)
    panel.close_tabs()


def test_the_menu_of_an_item(panel: PanelView) -> None:
    panel.item("small").click(button="right")
    menu = panel.page.locator(".lm-Menu-content")
    expect(menu.get_by_text("Open Trace Beside the Notebook")).to_be_visible()
    expect(panel.item("small")).to_have_attribute("aria-selected", "true")
    panel.page.keyboard.press("Escape")


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing(panel: PanelView, artefacts: Path, theme: str) -> None:
    panel.notebook.execute("apputils:change-theme", theme=f"JupyterLab {theme}")
    expect(panel.page.locator(f"body[data-jp-theme-name='JupyterLab {theme}']")).to_have_count(1)
    expect(panel.page.locator("#jupyterlab-splash, #jupyterlab-splash-dark")).to_have_count(0)
    panel.item("small").click()
    panel.page.wait_for_timeout(300)
    panel.page.screenshot(path=artefacts / f"traces-{theme.lower()}.png")
    found = Axe().run(panel.page, context={"include": [["#tracelab-traces"]]}).response["violations"]
    assert [(rule["id"], rule["nodes"][0]["html"]) for rule in found] == []
    panel.notebook.execute("apputils:change-theme", theme="JupyterLab Light")


def test_nothing_went_wrong_in_the_page(notebook: NotebookView) -> None:
    assert notebook.page.problems == []  # type: ignore[attr-defined]
