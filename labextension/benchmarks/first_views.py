"""What a person sees first of forty models: pictures, figures, and the pictures on sheets to look through.

python labextension/benchmarks/first_views.py FOLDER [MODEL ...] [--dark]

A model is traced once: its view document stays in FOLDER, and later runs draw it with the front end of then. Models of
libraries that are not installed are left out, and named.
"""

from __future__ import annotations

import argparse
import json
import math
import pathlib
import re
import warnings
from typing import Any

import torch
from browser import FLAGS
from first_view_models import MODELS
from PIL import Image, ImageDraw
from playwright.sync_api import Page, sync_playwright

import tracelab
from support.browser.explorer_view import ExplorerView
from tracelab.render.html import document_html
from tracelab.render.view_document.document import document_bytes, view_document

WIDTH, HEIGHT = 1200, 600
MOST_BOXES = 25
LEAST_TEXT = 9
TOLERANCE = 0.05
"""A pixel's fraction by which a text that fills the bar may miss it."""
A_SHEET = 8

# Every text of the frame that is drawn last, with its height on the screen.
WATCH_TEXT = """
window.drawnTexts = [];
const kind = CanvasRenderingContext2D.prototype;
const { fillText, fillRect } = kind;
const ofStage = (context) => context.canvas.parentElement?.classList.contains('stage');
kind.fillRect = function (x, y, width, height) {
  if (ofStage(this) && x === 0 && y === 0) window.drawnTexts = [];
  return fillRect.call(this, x, y, width, height);
};
kind.fillText = function (text, ...place) {
  if (ofStage(this)) {
    const size = Number(/([0-9.]+)px/.exec(this.font)[1]) * this.getTransform().a / devicePixelRatio;
    window.drawnTexts.push([size, text]);
  }
  return fillText.call(this, text, ...place);
};
"""

READ = """() => {
  const host = document.querySelector('#tracelab');
  const root = host.querySelector('.tracelab').shadowRoot;
  const stage = root.querySelector('canvas').parentElement.getBoundingClientRect();
  const boxes = [...root.querySelectorAll('.item')].map((item) => {
    const { left, top, width, height } = item.getBoundingClientRect();
    return {
      label: item.getAttribute('aria-label'),
      open: item.getAttribute('aria-expanded') === 'true',
      left: left - stage.left, top: top - stage.top, width, height,
    };
  });
  const scale = new DOMMatrix(getComputedStyle(root.querySelector('.items')).transform).a;
  return { boxes, stage: [stage.width, stage.height], scale, texts: window.drawnTexts };
}"""


def document_of(name: str, folder: pathlib.Path) -> dict[str, Any]:
    """The view document of a model, traced where it was not before."""
    file = folder / f"{name}.json"
    if not file.exists():
        torch.manual_seed(0)
        case = MODELS[name]()
        with torch.no_grad():
            graph, *_ = tracelab.trace_graph(case.model, case.inputs, case.kwargs, strict=False)
        file.write_bytes(document_bytes(view_document(graph)))
    return dict(json.loads(file.read_text(encoding="utf-8")))


def ends_of(boxes: list[dict[str, Any]], what: str) -> list[dict[str, Any]]:
    """The inputs or the outputs of the graph, and the boxes that stand for several."""
    return [box for box in boxes if re.search(rf", (graph {what}|\d+ {what}s)\b", box["label"])]


def figures(read: dict[str, Any]) -> dict[str, Any]:
    """What the table says of one picture."""
    width, height = read["stage"]
    slack = 0.5
    boxes = [box for box in read["boxes"] if not box["open"]]

    def part_inside(box: dict[str, Any]) -> bool:
        right, bottom = box["left"] + box["width"], box["top"] + box["height"]
        return bool(right > 0 and bottom > 0 and box["left"] < width and box["top"] < height)

    def inside(box: dict[str, Any]) -> bool:
        right, bottom = box["left"] + box["width"], box["top"] + box["height"]
        return bool(min(box["left"], box["top"]) >= -slack and right <= width + slack and bottom <= height + slack)

    shown = [box for box in boxes if part_inside(box)]
    left = max(0, min(box["left"] for box in shown))
    top = max(0, min(box["top"] for box in shown))
    right = min(width, max(box["left"] + box["width"] for box in shown))
    bottom = min(height, max(box["top"] + box["height"] for box in shown))
    return {
        "boxes": len(boxes),
        "in view": len(shown),
        "canvas": (right - left) * (bottom - top) / (width * height),
        "zoom": read["scale"],
        "text": min((size for size, _ in read["texts"]), default=0.0),
        "inputs": all(inside(box) for box in ends_of(boxes, "input")),
        "outputs": all(inside(box) for box in ends_of(boxes, "output")),
    }


def failings(row: dict[str, Any]) -> list[str]:
    """Which bars a picture misses."""
    found = []
    if row["in view"] < row["boxes"]:
        found.append("cut")
    if row["boxes"] > MOST_BOXES:
        found.append("boxes")
    if row["text"] < LEAST_TEXT - TOLERANCE:
        found.append("text")
    return found + [what for what in ("inputs", "outputs") if not row[what]]


def photographed(page: Page, name: str, folder: pathlib.Path) -> dict[str, Any]:
    """Shows a model's page, photographs it, and gives its figures."""
    place = folder / "pages" / f"{name}.html"
    place.write_text(document_html(document_of(name, folder / "documents")), encoding="utf-8")
    page.goto(place.resolve().as_uri())
    view = ExplorerView(page, page.locator("#tracelab"))
    view.paint_is_settled()
    page.screenshot(path=folder / f"{name}.png")
    return figures(page.evaluate(READ))


def write_sheets(names: list[str], folder: pathlib.Path) -> None:
    """Joins the pictures, eight to a sheet, each under its name."""
    across, title = 2, 22
    down = math.ceil(A_SHEET / across)
    for number, start in enumerate(range(0, len(names), A_SHEET), 1):
        sheet = Image.new("RGB", (across * WIDTH, down * (HEIGHT + title)), "#bbbbbb")
        pen = ImageDraw.Draw(sheet)
        for at, name in enumerate(names[start : start + A_SHEET]):
            x, y = at % across * WIDTH, at // across * (HEIGHT + title)
            pen.text((x + 8, y + 4), name, fill="black", font_size=15)
            with Image.open(folder / f"{name}.png") as picture:
                sheet.paste(picture, (x, y + title))
        sheet.save(folder / f"sheet{number}.png")


def main(folder: pathlib.Path, names: list[str], scheme: str) -> None:
    for room in (folder / "documents", folder / "pages"):
        room.mkdir(parents=True, exist_ok=True)
    warnings.simplefilter("ignore")
    shown: dict[str, dict[str, Any]] = {}
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path="/usr/bin/chromium", args=FLAGS)
        context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, color_scheme=scheme)
        page = context.new_page()
        page.add_init_script(WATCH_TEXT)
        page.on("pageerror", lambda error: print("page error:", error))
        print(f"{'model':22}{'boxes':>6}{'view':>6}{'canvas':>8}{'zoom':>7}{'text px':>9}  in  out  misses")
        for name in names:
            try:
                row = photographed(page, name, folder)
            except ImportError as error:
                print(f"{name:22}left out: {error}")
                continue
            shown[name] = row
            ends = "  ".join("yes" if row[end] else "no " for end in ("inputs", "outputs"))
            print(
                f"{name:22}{row['boxes']:6}{row['in view']:6}{row['canvas']:8.0%}{row['zoom']:7.2f}{row['text']:9.1f}"
                f"  {ends}  {', '.join(failings(row))}",
                flush=True,
            )
        browser.close()
    write_sheets(list(shown), folder)
    good = sum(not failings(row) for row in shown.values())
    print(f"{good} of {len(shown)} within the bars")


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=pathlib.Path)
    parser.add_argument("models", nargs="*", default=list(MODELS), metavar="MODEL")
    parser.add_argument("--dark", action="store_true", help="in dark colours")
    given = parser.parse_intermixed_args()
    main(given.folder, given.models, "dark" if given.dark else "light")
