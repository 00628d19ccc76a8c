"""Make the pictures of the README and of `06_in_jupyterlab.ipynb`: that notebook in a real JupyterLab.

    python notebooks/images/make.py [--dark] [--into FOLDER] [NAME ...]

Needs the installed package, playwright and Chromium.
"""

from __future__ import annotations

import argparse
import os
import secrets
import shutil
import socket
import subprocess
import sys
import tempfile
import time
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

from playwright.sync_api import Browser, Locator, Page, sync_playwright

HERE = Path(__file__).parent
NOTEBOOK = HERE.parent / "06_in_jupyterlab.ipynb"
TRACED = 4
CHECKED = 7
"""The numbers of the traced cell, and of the one that is checked."""
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
NODE = "[data-tracelab-ready='true']"


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_lab(folder: Path, token: str) -> tuple[subprocess.Popen[bytes], str]:
    """A JupyterLab server of its own settings; gives the process and its address once it answers."""
    port = free_port()
    environment = {
        **os.environ,
        "JUPYTER_CONFIG_DIR": str(folder / "config"),
        "JUPYTER_RUNTIME_DIR": str(folder / "run"),
    }
    options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={token}"]
    options += [
        f"--ServerApp.root_dir={folder / 'work'}",
        "--ServerApp.ip=127.0.0.1",
        "--allow-root",
        "--expose-app-in-browser",
    ]
    command = [sys.executable, "-m", "jupyter", "lab", *options]
    process = subprocess.Popen(command, env=environment, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    address = f"http://127.0.0.1:{port}"
    for _ in range(300):
        try:
            urllib.request.urlopen(f"{address}/api?token={token}", timeout=2)
            return process, address
        except OSError:
            time.sleep(0.2)
    process.kill()
    raise RuntimeError("JupyterLab did not start")


def cell(page: Page, index: int) -> Locator:
    """A cell, brought to the top of the window."""
    page.evaluate("index => jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start')", index)
    return page.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')


def place_of(page: Page, graph: Locator, path: str) -> dict[str, float]:
    """Where a node is pressed, or a group opened and closed, once it is drawn."""
    for _ in range(100):
        place = graph.evaluate("(host, path) => host.tracelab.positionOf(path)", path)
        if place is not None:
            return dict(place.get("toggle", place))
        page.wait_for_timeout(100)
    raise RuntimeError(f"{path} is not drawn")


def explorer(page: Page) -> None:
    """Shapes and a warning in the code, under it the graph with an operator and its details."""
    graph = cell(page, TRACED).locator(NODE)
    for path in ("attend", "attend.qkv"):
        place = place_of(page, graph, path)
        page.mouse.click(place["x"], place["y"])
        page.wait_for_timeout(1000)
    # The panel leaves less room: the picture is pulled to the middle of it.
    box = graph.bounding_box()
    assert box is not None
    page.mouse.move(box["x"] + 60, box["y"] + 250)
    page.mouse.down()
    page.mouse.move(box["x"] - 100, box["y"] + 250, steps=8)
    page.mouse.up()
    page.wait_for_timeout(1000)


def warning(page: Page) -> None:
    """The tip of a warning, with its actions."""
    cell(page, CHECKED).locator(".cm-lintRange-warning").first.hover()
    page.locator(".cm-tooltip-lint").wait_for()
    page.wait_for_timeout(500)


def panel(page: Page) -> None:
    """The panel of traces, and one of them in a tab beside the notebook."""
    page.evaluate("jupyterapp.commands.execute('tracelab:show-traces').then(() => undefined)")
    page.locator(".tracelab-traces-item").first.dblclick()
    page.locator(f".tracelab-tab {NODE}").wait_for()
    page.wait_for_timeout(1500)


def file(page: Page) -> None:
    """A file of the browser, open in the explorer."""
    page.evaluate("jupyterapp.commands.execute('filebrowser:activate').then(() => undefined)")
    page.locator(".jp-DirListing-item").filter(has_text="classify.tlab").dblclick()
    page.locator(f".tracelab-file {NODE}").wait_for()
    page.wait_for_timeout(1500)


SCENES: dict[str, Callable[[Page], None]] = {"explorer": explorer, "warning": warning, "panel": panel, "file": file}


def prepared(folder: Path, dark: bool) -> None:
    """The notebook in a folder of its own, and settings without dialogs about news and updates."""
    (folder / "work").mkdir()
    shutil.copy(NOTEBOOK, folder / "work")
    shutil.copytree(HERE, folder / "work" / "images", ignore=shutil.ignore_patterns("*.py", "__pycache__"))
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    if dark:
        (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')


@contextmanager
def lab(dark: bool) -> Iterator[tuple[Browser, str]]:
    """A browser, and the address of the notebook in a JupyterLab that ends with the block."""
    folder = Path(tempfile.mkdtemp())
    prepared(folder, dark)
    token = secrets.token_hex(8)
    process, address = start_lab(folder, token)
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            yield browser, f"{address}/lab/tree/{NOTEBOOK.name}?token={token}&reset"
            browser.close()
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


def open_notebook(page: Page, url: str) -> None:
    """Open the notebook, and wait for its kernel."""
    page.goto(url)
    page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for(timeout=60_000)
    page.wait_for_function(
        "window.jupyterapp?.shell.currentWidget?.context?.isReady === true"
        " && jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'",
        timeout=60_000,
    )


def run_notebook(page: Page, url: str) -> None:
    """Open the notebook, run it, and wait for its explorer."""
    open_notebook(page, url)
    page.evaluate("jupyterapp.commands.execute('application:toggle-left-area').then(() => undefined)")
    page.evaluate("jupyterapp.commands.execute('notebook:run-all-cells').then(() => undefined)")
    cell(page, TRACED).locator(NODE).wait_for(timeout=120_000)
    cell(page, TRACED).locator(".tracelab-hint").first.wait_for()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("--into", type=Path, default=HERE, metavar="FOLDER")
    parser.add_argument("names", nargs="*", metavar="NAME", default=list(SCENES), help=", ".join(SCENES))
    options = parser.parse_args()
    with lab(options.dark) as (browser, url):
        for name in options.names:
            page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
            run_notebook(page, url)
            SCENES[name](page)
            page.screenshot(path=options.into / f"{name}.png")
            page.close()


if __name__ == "__main__":
    main()
