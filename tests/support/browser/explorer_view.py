"""An explorer, as a person sees and uses it."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Locator, Page, expect


class ExplorerView:
    """One explorer: its boxes by their accessible names, its panel, its places on the screen."""

    def __init__(self, page: Page, host: Locator) -> None:
        self.page = page
        self.host = host
        self.ready()
        host.scroll_into_view_if_needed()

    def ready(self) -> None:
        """Wait until the picture is laid out."""
        expect(self.host).to_have_attribute("data-tracelab-ready", "true")
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
