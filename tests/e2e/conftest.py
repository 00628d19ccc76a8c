"""A real JupyterLab server and a real browser. The server is the one of the Python that runs the tests."""

from __future__ import annotations

import os
import pathlib
import shutil
from typing import TYPE_CHECKING

import pytest

from support.browser.jupyterlab import Lab, running_lab

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Browser, Page

HERE = pathlib.Path(__file__).parent
QUICKSTART = HERE.parents[1] / "notebooks" / "01_quickstart.ipynb"
ARTEFACTS = HERE / "artefacts"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-component-update"]


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    for item in items:
        if HERE in item.path.parents:
            item.add_marker(pytest.mark.browser)


def absent(reason: str) -> None:
    """Skip, or fail where a browser is a must."""
    if os.environ.get("TRACELAB_REQUIRE_BROWSER") == "1":
        pytest.fail(f"TRACELAB_REQUIRE_BROWSER=1, but {reason}")
    pytest.skip(f"browser tests need Chromium: {reason}")


@pytest.fixture(scope="session")
def chromium() -> str:
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if path := shutil.which(name):
            return path
    absent("none of chromium, chromium-browser, google-chrome is on the path (apt-get install chromium)")
    raise AssertionError


@pytest.fixture(scope="session")
def lab_server(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """A JupyterLab server with settings, data and notebooks of its own; each process of a test run has one."""
    with running_lab(tmp_path_factory.mktemp("lab")) as server:
        yield server


@pytest.fixture(scope="module")
def lab(lab_server: Lab) -> Iterator[Lab]:
    """The server, with no settings and no kernels of the files of tests before."""
    lab_server.forget_settings()
    yield lab_server
    lab_server.stop_kernels()


@pytest.fixture(scope="module")
def browser(chromium: str) -> Iterator[Browser]:
    # For a module only: while Playwright runs, no other test of this process could start an event loop.
    try:
        from playwright.sync_api import expect, sync_playwright
    except ImportError:
        absent("the Python package playwright is not installed")
    expect.set_options(timeout=30_000)
    with sync_playwright() as playwright:
        # Each launch has a fresh profile.
        browser = playwright.chromium.launch(executable_path=chromium, args=[*FLAGS, "--no-first-run"])
        try:
            yield browser
        finally:
            browser.close()


@pytest.fixture(scope="session")
def artefacts() -> pathlib.Path:
    """Where the pictures of a run are kept."""
    ARTEFACTS.mkdir(exist_ok=True)
    return ARTEFACTS


@pytest.fixture(scope="module")
def put(lab: Lab) -> Callable[[str], str]:
    """Copies the quickstart into the server's folder under a name."""

    def copy(name: str) -> str:
        shutil.copy(QUICKSTART, lab.folder / name)
        return name

    return copy


@pytest.fixture(scope="module")
def new_page(browser: Browser) -> Callable[[], Page]:
    """Opens pages; what goes wrong in one stands in its `problems`."""

    def make() -> Page:
        page = browser.new_context(viewport={"width": 1280, "height": 900}).new_page()
        page.set_default_timeout(60_000)
        problems: list[str] = []
        page.on("pageerror", lambda error: _notice(problems, f"{error}\n{error.stack or ''}"))
        page.on("console", lambda message: problems.append(message.text) if _ours(message.type, message.text) else None)
        page.problems = problems  # type: ignore[attr-defined]
        return page

    return make


THEIRS = ("reading 'schema'", "reading 'last_modified'", "'filebrowser:open-path' not registered", "reading 'type'")
"""Notebook 7 reads settings and files that it lacks; JupyterLab 4.2's cell toolbar looks at a deleted cell's model."""


def _notice(problems: list[str], error: str) -> None:
    if "tracelab" in error or not any(text in error for text in THEIRS):
        problems.append(error)


def _ours(kind: str, text: str) -> bool:
    return kind == "error" and "tracelab" in text.lower()
