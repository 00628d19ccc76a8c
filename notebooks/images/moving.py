"""Make the README's moving picture: a cell gets `%%trace`, runs, and its graph is opened, in a real JupyterLab.

    python notebooks/images/moving.py [--dark] [--into FOLDER]

Needs what `make.py` needs, and Pillow.
"""

from __future__ import annotations

import argparse
import io
from pathlib import Path

from PIL import Image
from playwright.sync_api import Page

from make import HERE, NODE, TRACED, cell, lab, open_notebook, place_of

SIZE = {"width": 960, "height": 840}
COLOURS = 96
POINTER = """
const pointer = document.createElement('div');
pointer.innerHTML = '<svg width="22" height="22"><path d="M3 2l15 9-7 1.5L7.5 19z" fill="#111" stroke="#fff"/></svg>';
pointer.style.cssText = 'position:fixed;left:-40px;top:0;z-index:100000;pointer-events:none';
document.body.append(pointer);
document.addEventListener('mousemove', (event) => {
  pointer.style.left = `${event.clientX - 3}px`;
  pointer.style.top = `${event.clientY - 2}px`;
}, true);
"""


class Film:
    """Pictures of a page, each with the milliseconds for which it stands."""

    def __init__(self, page: Page) -> None:
        self.page = page
        self.frames: list[tuple[bytes, int]] = []
        self.at = (SIZE["width"] * 0.7, SIZE["height"] * 0.6)

    def shot(self, milliseconds: int) -> None:
        self.frames.append((self.page.screenshot(), milliseconds))

    def type(self, text: str) -> None:
        for character in text:
            self.page.keyboard.type(character)
            self.shot(90)

    def move(self, x: float, y: float, steps: int = 5) -> None:
        before = self.at
        for step in range(1, steps + 1):
            part = step / steps
            self.page.mouse.move(before[0] + (x - before[0]) * part, before[1] + (y - before[1]) * part)
            self.shot(60)
        self.at = (x, y)

    def watch(self, pictures: int, milliseconds: int = 70) -> None:
        """What moves by itself."""
        for _ in range(pictures):
            self.shot(milliseconds)

    def write(self, path: Path) -> None:
        """A GIF with one palette for all; pictures that are the same as the one before only make it stand longer."""
        pictures: list[Image.Image] = []
        times: list[int] = []
        last = b""
        for data, milliseconds in self.frames:
            picture = Image.open(io.BytesIO(data)).convert("RGB")
            if picture.tobytes() == last:
                times[-1] += milliseconds
                continue
            last = picture.tobytes()
            pictures.append(picture)
            times.append(milliseconds)
        palette = pictures[-1].quantize(COLOURS, method=Image.Quantize.MEDIANCUT)
        made = [picture.quantize(palette=palette, dither=Image.Dither.NONE) for picture in pictures]
        made[0].save(path, save_all=True, append_images=made[1:], duration=times, loop=0, optimize=True)


def play(film: Film) -> None:
    """The scenes."""
    page = film.page
    code = cell(page, TRACED).locator(".cm-content")
    code.click()
    page.keyboard.press("Control+Home")
    film.shot(1200)
    film.type("%%trace")
    page.keyboard.press("Enter")
    film.shot(700)
    page.keyboard.press("Control+Enter")
    graph = cell(page, TRACED).locator(NODE)
    graph.wait_for(timeout=60_000)
    cell(page, TRACED).locator(".tracelab-hint").first.wait_for()
    page.wait_for_timeout(1200)
    cell(page, TRACED).evaluate("node => node.scrollIntoView({ block: 'start' })")
    page.wait_for_timeout(800)
    film.shot(2200)
    for path in ("attend", "attend.qkv"):
        place = place_of(page, graph, path)
        film.move(place["x"], place["y"])
        page.mouse.click(place["x"], place["y"])
        film.watch(6)
        page.wait_for_timeout(600)
        film.shot(1500)
    underlined = cell(page, TRACED).locator(".cm-lintRange-warning").first.bounding_box()
    assert underlined is not None
    film.move(underlined["x"] + underlined["width"] / 2, underlined["y"] + underlined["height"] / 2, 7)
    page.locator(".cm-tooltip-lint").wait_for()
    page.wait_for_timeout(400)
    film.shot(3000)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--into", type=Path, default=HERE, metavar="FOLDER")
    options = parser.parse_args()
    with lab(options.dark) as (browser, url):
        page = browser.new_page(viewport=SIZE)
        open_notebook(page, url)
        page.evaluate(
            """async (traced) => {
              const { commands, shell } = jupyterapp;
              await commands.execute('application:toggle-left-area');
              await commands.execute('application:toggle-header').catch(() => undefined);
              await commands.execute('notebook:clear-all-cell-outputs');
              const cells = shell.currentWidget.content.widgets;
              const model = cells[traced].model.sharedModel;
              model.setSource(model.getSource().replace(/^.*\\n/, ''));
              shell.currentWidget.content.activeCellIndex = traced;
              await commands.execute('notebook:run-all-above');
              shell.currentWidget.content.activeCellIndex = traced;
            }""",
            TRACED,
        )
        page.wait_for_timeout(4000)
        cell(page, TRACED).evaluate("node => node.scrollIntoView({ block: 'start' })")
        page.evaluate(POINTER)
        page.wait_for_timeout(800)
        film = Film(page)
        play(film)
        film.write(options.into / "explorer.gif")


if __name__ == "__main__":
    main()
