"""The strip under the graph in JupyterLab: what was measured along a run, by pointer, keyboard and screen reader."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Locator, expect

from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook

CELLS = [
    """import torch
import tracelab
from tracelab.demo import ResNet

torch.manual_seed(0)
explorer = tracelab.GraphExplorer(tracelab.trace(ResNet.resnet50().eval(), torch.randn(1, 3, 64, 64)))
explorer""",
    "explorer.selected_node.outputs[0].name",
]
NODES = 175


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    view = open_notebook(lab, new_page(), "strip.ipynb", CELLS[:1])
    view.run_all()
    yield view
    assert view.page.problems == []  # type: ignore[attr-defined]
    view.page.close()


@pytest.fixture
def explorer(notebook: NotebookView) -> ExplorerView:
    return notebook.explorer(0)


@pytest.fixture
def plot(explorer: ExplorerView) -> Locator:
    """The plot of the last run, of its time, with all groups closed."""
    strip = explorer.host.get_by_role("slider", name=re.compile("^Plot of"))
    if not strip.is_visible():
        explorer.host.get_by_role("button", name="Run (r)").click()
        expect(explorer.host.get_by_role("toolbar", name="Run").get_by_role("status")).to_contain_text(
            re.compile(r"^\d+ operators on cpu · ")
        )
    explorer.host.get_by_role("combobox", name="Overlay").select_option("time")
    explorer.page.mouse.move(5, 5)
    explorer.collapse_all()
    explorer.press("f")
    expect(strip).to_be_visible()
    explorer.paint_is_settled()
    return strip


def at(plot: Locator, place: int) -> tuple[float, float]:
    """Where a point of the plot is on the page."""
    box = plot.bounding_box()
    assert box is not None
    return box["x"] + (place + 0.5) * box["width"] / NODES, box["y"] + box["height"] / 2


def reading(explorer: ExplorerView) -> str:
    return explorer.host.locator(".reading").inner_text()


def pixels(explorer: ExplorerView, what: str) -> str:
    """A picture of the upper edge of a box, where its ring is."""
    place = explorer.position(what)
    return str(
        explorer.host.locator(".stage > canvas").evaluate(
            """(canvas, [x, y]) => {
                const bounds = canvas.getBoundingClientRect(), scale = canvas.width / bounds.width;
                const [left, top] = [(x - bounds.left) * scale - 30, (y - bounds.top) * scale - 40];
                return canvas.getContext('2d').getImageData(left, top, 60, 80).data.join();
            }""",
            [place["x"], place["y"]],
        )
    )


def test_it_is_there_once_something_was_measured(explorer: ExplorerView, plot: Locator, artefacts: Path) -> None:
    expect(plot).to_have_attribute("aria-valuemax", str(NODES))
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / "strip-time-light.png")


def test_the_picture_is_as_high_as_what_the_strip_leaves_of_it(explorer: ExplorerView, plot: Locator) -> None:
    sizes = explorer.host.locator(".stage > canvas").evaluate(
        "canvas => [canvas.height / devicePixelRatio, canvas.clientHeight, canvas.parentElement.clientHeight]"
    )
    assert len(set(map(round, sizes))) == 1


def test_a_point_under_the_pointer_lights_the_closed_box_of_its_node(explorer: ExplorerView, plot: Locator) -> None:
    before = pixels(explorer, "layer1")
    explorer.page.mouse.move(*at(plot, 10))
    explorer.paint_is_settled()
    assert re.fullmatch(r"layer1\.0\.\w+(\.\d)?: \w+, [\d.]+ [mµ]?s", reading(explorer))
    assert pixels(explorer, "layer1") != before
    explorer.page.mouse.move(5, 5)
    explorer.paint_is_settled()
    assert pixels(explorer, "layer1") == before
    assert reading(explorer) == ""


def test_a_box_under_the_pointer_is_read_and_marked_in_the_plot(explorer: ExplorerView, plot: Locator) -> None:
    dark = "canvas => { const data = canvas.getContext('2d').getImageData(0, 0, canvas.width, 1).data;"
    dark += (
        " let sum = 0; for (let at = 3; at < data.length; at += 4) sum += data[at] > 200; return sum / canvas.width; }"
    )
    canvas = plot.locator("canvas")
    assert canvas.evaluate(dark) == 0
    place = explorer.position("layer1")
    explorer.page.mouse.move(place["x"], place["y"])
    explorer.paint_is_settled()
    assert re.fullmatch(r"layer1, [\d.]+ [mµ]?s", reading(explorer))
    # 32 of the operators are in it.
    assert canvas.evaluate(dark) == pytest.approx(32 / NODES, abs=0.01)
    explorer.page.mouse.move(5, 5)


def test_a_click_selects_the_node_and_brings_it_into_view(
    explorer: ExplorerView, plot: Locator, notebook: NotebookView, artefacts: Path
) -> None:
    explorer.page.mouse.click(*at(plot, 150))
    expect(explorer.host).to_have_attribute("data-selected", "150")
    explorer.paint_is_settled()
    place = explorer.position(150)
    stage = explorer.host.locator(".stage").bounding_box()
    assert stage is not None
    assert stage["y"] < place["y"] < stage["y"] + stage["height"]
    expect(plot).to_have_attribute("aria-valuenow", "151")
    explorer.page.screenshot(path=artefacts / "strip-selected.png")


def test_what_is_selected_in_the_graph_is_the_point_of_the_cursor(explorer: ExplorerView, plot: Locator) -> None:
    explorer.click(0)
    expect(plot).to_have_attribute("aria-valuenow", "1")
    expect(plot).to_have_attribute("aria-valuetext", re.compile("^conv1: conv2d, "))
    assert reading(explorer) == plot.get_attribute("aria-valuetext")


def test_keys_walk_along_the_run(explorer: ExplorerView, plot: Locator) -> None:
    plot.focus()
    keyboard = explorer.page.keyboard
    for key, value in [("Home", 1), ("ArrowRight", 2), ("ArrowRight", 3), ("ArrowLeft", 2), ("End", NODES)]:
        keyboard.press(key)
        expect(plot).to_have_attribute("aria-valuenow", str(value))
    expect(plot).to_have_attribute("aria-valuetext", re.compile("^fc: linear, "))
    keyboard.press("Enter")
    expect(explorer.host).to_have_attribute("data-selected", str(NODES - 1))
    keyboard.press("Tab")
    assert not plot.evaluate("plot => plot.getRootNode().activeElement === plot")


@pytest.mark.parametrize("metric", ["memory", "mean", "std", "zeros", "nonfinite"])
def test_every_measure_has_a_plot(explorer: ExplorerView, plot: Locator, artefacts: Path, metric: str) -> None:
    explorer.host.get_by_role("combobox", name="Overlay").select_option(metric)
    plot.focus()
    explorer.page.keyboard.press("End")
    expect(plot).to_have_attribute("aria-valuetext", re.compile(r"^fc: linear, \S+"))
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / f"strip-{metric}.png")


def test_the_table_lists_what_is_plotted(explorer: ExplorerView, plot: Locator) -> None:
    explorer.host.get_by_role("combobox", name="Overlay").select_option("zeros")
    explorer.host.get_by_role("button", name="Hot spots").click()
    expect(explorer.panel.get_by_role("heading", name="Hot spots by zeros")).to_be_visible()
    expect(explorer.panel.locator("tbody tr").first).to_contain_text("%")


def test_it_stays_hidden_in_the_explorers_that_come(
    explorer: ExplorerView, notebook: NotebookView, plot: Locator
) -> None:
    button = explorer.host.get_by_role("button", name="Plot (u)")
    button.click()
    expect(plot).to_be_hidden()
    expect(button).to_have_attribute("aria-pressed", "false")
    explorer.press("u")
    expect(plot).to_be_visible()
    expect(button).to_have_attribute("aria-pressed", "true")


def test_what_is_selected_stays_in_view_when_the_strip_comes(explorer: ExplorerView, plot: Locator) -> None:
    while explorer.page.evaluate("localStorage.getItem('tracelab:flow')") != "down":
        explorer.press("q")
        explorer.paint_is_settled()
    explorer.press("u", "f")
    expect(plot).to_be_hidden()
    explorer.paint_is_settled()
    explorer.click("fc")
    if explorer.panel.is_visible():
        explorer.press("i")
    bottom = "stage => stage.getBoundingClientRect().bottom"
    stage = explorer.host.locator(".stage")
    # Where the strip will be.
    assert stage.evaluate(bottom) - 80 < explorer.position("fc")["y"]
    explorer.press("u")
    expect(plot).to_be_visible()
    explorer.paint_is_settled()
    assert explorer.position("fc")["y"] < stage.evaluate(bottom) - 5


@pytest.mark.parametrize("form", ["PDF", "TikZ"])
def test_the_kernel_makes_a_figure_of_the_view(
    explorer: ExplorerView, plot: Locator, tmp_path: Path, form: str
) -> None:
    def figure() -> bytes:
        explorer.press("s")
        with explorer.page.expect_download() as download:
            explorer.host.get_by_role("menuitem", name=f"{form}, figure for print").click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        return path.read_bytes()

    closed = figure()
    assert closed.startswith(b"%PDF" if form == "PDF" else b"%")
    assert figure() == closed
    explorer.double_click("layer1")
    explorer.ready()
    opened = figure()
    assert opened != closed
    if form == "TikZ":
        assert b"Bottleneck" in opened
        assert b"Bottleneck" not in closed


@pytest.mark.parametrize("theme", ["Light", "Dark"])
def test_axe_finds_nothing(
    explorer: ExplorerView, notebook: NotebookView, plot: Locator, artefacts: Path, theme: str
) -> None:
    notebook.execute("apputils:change-theme", theme=f"JupyterLab {theme}")
    expect(explorer.host.locator(".root")).to_have_attribute("data-theme", theme.lower())
    explorer.page.mouse.click(*at(plot, 60))
    plot.focus()
    explorer.page.keyboard.press("ArrowRight")
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / f"strip-axe-{theme.lower()}.png")
    violations = Axe().run(explorer.page, context=".tracelab-widget").response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"][:3]]) for each in violations] == []
    notebook.execute("apputils:change-theme", theme="JupyterLab Light")
