"""Make `explorer.png`, the picture in the README: the quickstart in a real JupyterLab, dark or light.

    python notebooks/images/make.py [--dark] [output.png]

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
from pathlib import Path

from playwright.sync_api import Page, sync_playwright

HERE = Path(__file__).parent
NOTEBOOK = HERE.parent / "01_quickstart.ipynb"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def start_lab(folder: Path, token: str) -> tuple[subprocess.Popen[bytes], str]:
    """A JupyterLab server of its own settings; gives the process and its address once it answers."""
    port = free_port()
    environment = {**os.environ, "JUPYTER_CONFIG_DIR": str(folder / "config"), "JUPYTER_RUNTIME_DIR": str(folder / "run")}
    options = ["--no-browser", f"--port={port}", f"--IdentityProvider.token={token}", f"--ServerApp.root_dir={folder}"]
    options += ["--ServerApp.ip=127.0.0.1", "--allow-root"]
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


def shoot(page: Page, output: Path) -> None:
    """The cell whose explorer has a node selected, its details beside it."""
    explorer = page.locator("[data-tracelab-ready='true']:not([data-selected='-1'])").first
    explorer.wait_for(timeout=120_000)
    page.wait_for_timeout(2000)
    explorer.evaluate("host => host.scrollIntoView({block: 'end'})")
    page.wait_for_timeout(1500)
    page.screenshot(path=str(output))


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--dark", action="store_true")
    parser.add_argument("output", nargs="?", default=str(HERE / "explorer.png"))
    options = parser.parse_args()
    folder = Path(tempfile.mkdtemp())
    shutil.copy(NOTEBOOK, folder)
    settings = folder / "config" / "lab" / "user-settings" / "@jupyterlab" / "apputils-extension"
    settings.mkdir(parents=True)
    # No dialog about news and updates in the picture.
    (settings / "notification.jupyterlab-settings").write_text('{"fetchNews": "false", "checkForUpdates": false}')
    if options.dark:
        (settings / "themes.jupyterlab-settings").write_text('{"theme": "JupyterLab Dark"}')
    token = secrets.token_hex(8)
    process, address = start_lab(folder, token)
    try:
        with sync_playwright() as playwright:
            chromium = shutil.which("chromium") or shutil.which("google-chrome")
            browser = playwright.chromium.launch(executable_path=chromium, args=FLAGS)
            page = browser.new_page(viewport={"width": 1280, "height": 860}, device_scale_factor=1.5)
            page.goto(f"{address}/lab/tree/{NOTEBOOK.name}?token={token}")
            page.wait_for_selector(".jp-NotebookPanel .jp-Notebook", timeout=60_000)
            page.wait_for_timeout(3000)
            page.keyboard.press("Control+b")
            page.get_by_role("menuitem", name="Run", exact=True).click()
            page.get_by_text("Run All Cells", exact=True).click()
            shoot(page, Path(options.output))
            browser.close()
    finally:
        process.terminate()
        process.wait(20)
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
