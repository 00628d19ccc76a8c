"""The documentation site: built without a warning, offline, with live explorers."""

from __future__ import annotations

import functools
import html.parser
import http.server
import os
import re
import shutil
import subprocess
import sys
import threading
from pathlib import Path

import pytest

pytest.importorskip("myst_nb")
pytest.importorskip("furo")

ROOT = Path(__file__).parents[2]
LARGEST = 400_000

pytestmark = pytest.mark.nightly


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    # A copy: the build writes the tutorials beside the pages.
    place = tmp_path_factory.mktemp("site")
    for name in ("docs", "notebooks"):
        shutil.copytree(ROOT / name, place / name, ignore=shutil.ignore_patterns("_build", "tutorials"))
    for path in [*ROOT.glob("*.md"), ROOT / "pyproject.toml"]:
        shutil.copy(path, place)
    (place / "labextension").mkdir()
    shutil.copy(ROOT / "labextension" / "VIEW_DOCUMENT.md", place / "labextension")
    differences = Path("tests/benchmarks/graph_diff/results.md")
    (place / differences).parent.mkdir(parents=True)
    shutil.copy(ROOT / differences, place / differences)
    command = [sys.executable, "-m", "sphinx", "-q", "-W", "--keep-going", "-b", "html", ".", "_build/html"]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join([str(ROOT), os.environ.get("PYTHONPATH", "")])}
    done = subprocess.run(command, cwd=place / "docs", env=environment, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    return place / "docs" / "_build" / "html"


class Links(html.parser.HTMLParser):
    """What a page loads, and where it leads."""

    def __init__(self, text):
        super().__init__()
        self.loaded: list[str] = []
        self.led: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag, attributes):
        given = dict(attributes)
        if tag in ("script", "img", "iframe") and given.get("src"):
            self.loaded.append(given["src"])
        if tag == "link" and given.get("rel") in ("stylesheet", "icon"):
            self.loaded.append(given["href"])
        if tag == "a" and given.get("href"):
            self.led.append(given["href"])


def pages(site):
    return [path for path in site.rglob("*.html") if "_explorers" not in path.parts and "models" not in path.parts]


def test_a_page_loads_nothing_from_elsewhere_and_all_that_it_loads_is_there(site):
    for page in pages(site):
        for address in Links(page.read_text(encoding="utf-8")).loaded:
            assert not re.match(r"(https?:)?//", address), (page, address)
            if not address.startswith("data:"):
                assert (page.parent / address.split("?")[0]).exists(), (page, address)


def test_links_inside_the_site_lead_to_pages(site):
    for page in pages(site):
        for address in Links(page.read_text(encoding="utf-8")).led:
            path = address.partition("#")[0].partition("?")[0]
            if path and not re.match(r"\w+:", path):
                assert (page.parent / path).exists(), (page.relative_to(site), address)


def test_the_start_page_has_three_explorers(site):
    frames = re.findall(r'<iframe src="([^"]+)"', (site / "start.html").read_text(encoding="utf-8"))
    assert len(frames) == 3
    assert all('id="tracelab-document"' in (site / frame).read_text(encoding="utf-8") for frame in frames)


def test_every_saved_explorer_of_a_notebook_is_alive(site):
    for notebook in (ROOT / "notebooks").glob("*.ipynb"):
        saved = notebook.read_text(encoding="utf-8").count('"application/vnd.tracelab.v1+json"')
        text = (site / "tutorials" / f"{notebook.stem}.html").read_text(encoding="utf-8")
        assert text.count('<figure class="explorer">') == saved


def test_a_model_of_the_gallery_is_one_small_file_with_a_thumbnail(site):
    made = list((site / "gallery" / "models").glob("*.html"))
    assert len(made) >= 30
    for page in made:
        assert page.stat().st_size <= LARGEST
        assert page.with_suffix(".svg").exists()


def test_the_page_for_assistants_is_plain_text_at_the_root(site):
    assert (site / "llms.txt").read_text(encoding="utf-8") == (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        pytest.skip("there is no Chromium")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize(
    "name", ["index", "start", "gallery/index", "reference/command_line", "tutorials/01_quickstart"]
)
def test_axe_finds_nothing_serious(site, browser, scheme, name):
    from axe_playwright_python.sync_playwright import Axe

    page = browser.new_context(color_scheme=scheme).new_page()
    page.goto((site / f"{name}.html").as_uri())
    page.wait_for_timeout(1000)
    found = Axe().run(page).response["violations"]
    assert not [(each["id"], each["nodes"][0]["html"]) for each in found if each["impact"] in ("serious", "critical")]


@pytest.mark.browser
@pytest.mark.parametrize("name", ["index", "start", "gallery/index", "concepts/limits", "from_torch_jit"])
def test_a_page_fits_a_phone(site, browser, name):
    page = browser.new_context(viewport={"width": 390, "height": 800}).new_page()
    page.goto((site / f"{name}.html").as_uri())
    assert page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth") == 0


@pytest.mark.browser
def test_the_search_of_the_gallery_hides_what_does_not_fit(site, browser):
    page = browser.new_page()
    page.goto((site / "gallery" / "index.html").as_uri())
    page.get_by_label("Search the gallery").fill("language mixture")
    assert page.locator(".gallery li:visible strong").all_inner_texts() == ["Mixtral"]
    assert page.locator(".gallery-found").inner_text().startswith("1 of ")


class Quiet(http.server.SimpleHTTPRequestHandler):
    """A server that tells nothing."""

    def log_message(self, *_):
        return


@pytest.fixture(scope="module")
def address(site):
    handler = functools.partial(Quiet, directory=str(site))
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_address[1]}"
        server.shutdown()


@pytest.mark.browser
def test_explorers_follow_the_theme_that_is_chosen_on_the_page(address, browser):
    page = browser.new_context(color_scheme="light").new_page()
    page.goto(f"{address}/index.html")
    frame = page.frame_locator("figure.explorer iframe")
    frame.locator("[role=tree]").wait_for(state="attached")
    tree = "document.querySelector('.tracelab').shadowRoot.querySelector('[role=tree]')"
    ground = f"getComputedStyle({tree}).getPropertyValue('--tl-surface')"
    (inner,) = (each for each in page.frames if "_explorers" in each.url)
    light = inner.evaluate(ground)
    while page.evaluate("document.body.dataset.theme") != "dark":
        page.locator(".theme-toggle:visible").first.click()
    page.wait_for_timeout(300)
    assert inner.evaluate(ground) not in ("", light)
