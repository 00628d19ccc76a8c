"""What a person sees and does: a notebook in JupyterLab, and the explorers in it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect

_EXPLORER = "[data-tracelab-ready]"


class NotebookView:
    """The notebook that is open in a JupyterLab page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> None:
        """Open the page and wait until the notebook is there."""
        self.page.goto(url)
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
        # Places of explorers move until the notebook has loaded all cells.
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.isReady === true")

    def execute(self, command: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands, as its menus do, and wait until it has finished."""
        self.page.evaluate(
            "([command, given]) => jupyterapp.commands.execute(command, given).then(() => undefined)",
            [command, arguments],
        )

    def run_all(self) -> None:
        """Run > Run All Cells; returns when the last cell has ended."""
        self.page.wait_for_function(
            "jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'", timeout=60_000
        )
        self.execute("notebook:run-all-cells")

    def cell_with(self, text: str) -> int:
        """The index of the only cell whose source holds `text`."""
        found = self.page.evaluate(
            "text => jupyterapp.shell.currentWidget.content.widgets.flatMap("
            "(cell, index) => cell.model.sharedModel.getSource().includes(text) ? [index] : [])",
            text,
        )
        assert len(found) == 1, f"{len(found)} cells hold {text!r}"
        return int(found[0])

    def cell(self, index: int) -> Locator:
        """A cell, brought onto the screen."""
        self.page.evaluate(
            "index => jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start').catch(() => undefined)", index
        )
        return self.page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')

    def run_cell(self, index: int) -> None:
        """Select a cell and run it."""
        self.page.evaluate("index => { jupyterapp.shell.currentWidget.content.activeCellIndex = index }", index)
        self.execute("notebook:run-cell")

    def outputs(self) -> list[dict[str, Any]]:
        """All outputs of the notebook, as they would be saved."""
        found = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.flatMap("
            "cell => cell.model.type === 'code' ? cell.model.outputs.toJSON() : [])"
        )
        return list(found)

    def cell_count(self) -> int:
        return int(self.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length"))

    def explorer(self, index: int) -> ExplorerView:
        """The explorer that the cell shows, laid out and in view."""
        cell = self.cell(index)
        host = cell.locator(_EXPLORER).locator("visible=true")
        expect(host).to_have_count(1, timeout=30_000)
        return ExplorerView(self.page, host)


class ExplorerView:
    """One explorer: its boxes by their accessible names, its panel, its places on the screen."""

    def __init__(self, page: Page, host: Locator) -> None:
        self.page = page
        self.host = host
        self.ready()
        host.scroll_into_view_if_needed()

    def ready(self) -> None:
        """Wait until the picture is laid out."""
        expect(self.host).to_have_attribute("data-tracelab-ready", "true", timeout=30_000)
        assert self.host.get_attribute("data-tracelab-error") is None

    @property
    def is_live(self) -> bool:
        """Whether it is the widget of a running kernel, not the drawing of a saved document."""
        return "tracelab-widget" in (self.host.get_attribute("class") or "").split()

    @property
    def tree(self) -> Locator:
        return self.host.get_by_role("tree")

    @property
    def panel(self) -> Locator:
        return self.host.locator(".panel")

    @property
    def selected(self) -> int:
        return int(self.host.get_attribute("data-selected") or -1)

    def box(self, name: str) -> Locator:
        """The box whose accessible name begins with `name`."""
        return self.host.get_by_role("treeitem", name=re.compile(rf"^{re.escape(name)}\b"))

    def names(self) -> list[str]:
        """The accessible names of all boxes, in their order."""
        return [item.get_attribute("aria-label") or "" for item in self.host.locator(".item").all()]

    def position(self, what: str | int) -> dict[str, Any]:
        """Where a node (by index), a module (by path), or an input or output (by name) is on the screen."""
        self.ready()
        place = self.host.evaluate("(host, what) => host.tracelab.positionOf(what)", what)
        assert place is not None, f"{what!r} is not shown"
        return dict(place)

    def press(self, *keys: str) -> None:
        """Put the keyboard on the picture and press keys, one after the other."""
        self.tree.focus()
        for key in keys:
            self.page.keyboard.press(key)
        self.ready()

    def collapse_all(self) -> None:
        """Close every group and the panel, whatever was open before."""
        self.ready()
        if self.panel.is_visible():
            self.press("Escape")
        opened = self.host.locator('[role="treeitem"][aria-expanded="true"]')
        self.press("c")
        expect(opened).to_have_count(0)
        self.ready()

    def node(self, name: str) -> int:
        """The index of the operator whose box's name begins with `name`."""
        item = self.box(name)
        expect(item).to_have_count(1)
        return int((item.get_attribute("id") or "").removeprefix("item-"))

    def click(self, what: str | int) -> None:
        place = self.position(what)
        self.page.mouse.click(place["x"], place["y"])

    def double_click(self, what: str | int) -> None:
        place = self.position(what)
        self.page.mouse.dblclick(place["x"], place["y"])

    def click_toggle(self, what: str) -> None:
        """Press the square that opens and closes a group."""
        place = self.position(what)["toggle"]
        self.page.mouse.click(place["x"], place["y"])

    def marked_source(self) -> tuple[int, str]:
        """The marked line of the source shown first in the panel: its number and its text."""
        line = self.panel.locator(".line.marked").first
        number = line.locator(".number").inner_text()
        return int(number), line.inner_text().removeprefix(number).strip()

    def brightness(self) -> float:
        """The mean of all colour channels of the canvas, from 0 (black) to 255 (white)."""
        return float(
            self.host.locator("canvas").first.evaluate(
                "canvas => { const { width, height } = canvas;"
                " const data = canvas.getContext('2d').getImageData(0, 0, width, height).data;"
                " let sum = 0; for (let at = 0; at < data.length; at += 4)"
                " sum += data[at] + data[at + 1] + data[at + 2];"
                " return sum / (width * height * 3); }"
            )
        )

    def paint_is_settled(self) -> None:
        """Wait for the end of the movement that follows a click, so that a picture shows the result."""
        self.ready()
        self.page.wait_for_timeout(500)
