"""The documentation site: built without a warning, offline, with live explorers."""

from __future__ import annotations

import functools
import html
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


def test_the_icons_of_a_page_lead_to_files_of_the_repository(site):
    for page in pages(site):
        for address in Links(page.read_text(encoding="utf-8")).led:
            found = re.match(r"https://github\.com/tracelab/tracelab/(?:edit|blob)/main/([^?#]+)", address)
            if found:
                assert (ROOT / found[1]).exists(), (page.relative_to(site), address)
                assert not found[1].startswith("docs/tutorials/")


def test_the_front_page_says_what_it_is_and_how_to_get_it(site):
    text = (site / "index.html").read_text(encoding="utf-8")
    assert '<meta content="tracelab traces PyTorch code' in text
    assert "favicon.svg" in text
    assert "git clone" in html.unescape(re.sub(r"<[^>]+>", "", text))
    assert ">View document</a>" in text


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
        assert page.with_name(f"{page.stem}-dark.svg").exists()


def test_the_page_for_assistants_is_plain_text_at_the_root(site):
    assert (site / "llms.txt").read_text(encoding="utf-8") == (ROOT / "docs" / "llms.txt").read_text(encoding="utf-8")


@pytest.fixture(scope="module")
def browser():
    chromium = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if chromium is None:
        if os.environ.get("TRACELAB_REQUIRE_BROWSER") == "1":
            pytest.fail("TRACELAB_REQUIRE_BROWSER=1, but there is no Chromium")
        pytest.skip("there is no Chromium")
    from playwright.sync_api import sync_playwright

    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        started = playwright.chromium.launch(executable_path=chromium, args=flags)
        yield started
        started.close()


SAMPLE = [
    "index",
    "start",
    "gallery/index",
    "from_torch_jit",
    "performance",
    "reference/command_line",
    "tutorials/06_in_jupyterlab",
]
WITHOUT_A_SOURCE = ["genindex", "search"]
PHONE = {"width": 390, "height": 800}


def names():
    """The pages of the site, as far as they are known before it is built: a sample in a plain run."""
    written = [path.relative_to(ROOT / "docs").with_suffix("") for path in (ROOT / "docs").rglob("*.md")]
    named = {path.as_posix() for path in written if path.parts[0] not in ("_build", "measured")}
    named |= {f"tutorials/{path.stem}" for path in (ROOT / "notebooks").glob("*.ipynb")}
    for name in sorted(named | set(WITHOUT_A_SOURCE)):
        yield pytest.param(name, marks=() if name in SAMPLE else pytest.mark.nightly)


@pytest.fixture
def opened(browser, site):
    """Opens a page, after its scripts; the explorers in it are left out: they are pages of their own."""
    contexts = []

    def open_page(name, *, explorers=False, **context):
        contexts.append(browser.new_context(**context))
        page = contexts[-1].new_page()
        if not explorers:
            page.route("**/_explorers/**", lambda route: route.abort())
        page.goto((site / f"{name}.html").as_uri())
        page.wait_for_load_state("load")
        return page

    yield open_page
    for context in contexts:
        context.close()


def violations(page):
    """What axe finds that is serious, and the faults of tables and headings that are not."""
    from axe_playwright_python.sync_playwright import Axe

    mended = {"empty-table-header", "page-has-heading-one", "scrollable-region-focusable"}
    found = Axe().run(page).response["violations"]
    return [
        (each["id"], each["nodes"][0]["html"])
        for each in found
        if each["impact"] in ("serious", "critical") or each["id"] in mended
    ]


@pytest.mark.browser
@pytest.mark.parametrize("look", ["light", "dark", "phone"])
@pytest.mark.parametrize("name", list(names()))
def test_axe_finds_nothing_serious(opened, look, name):
    page = opened(name, viewport=PHONE) if look == "phone" else opened(name, color_scheme=look)
    assert not violations(page)


@pytest.mark.browser
@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_axe_finds_nothing_serious_in_the_explorers_of_a_page(opened, scheme):
    page = opened("start", explorers=True, color_scheme=scheme)
    page.wait_for_timeout(1000)
    assert not violations(page)


TOO_WIDE = """() => {
    const content = document.querySelector('.content');
    return content.scrollWidth - content.clientWidth;
}"""
"""Furo hides what overflows the whole page: what scrolls is the column of text."""


@pytest.mark.browser
@pytest.mark.parametrize("name", list(names()))
def test_a_page_fits_a_phone(opened, name):
    assert opened(name, viewport=PHONE).evaluate(TOO_WIDE) == 0


@pytest.mark.browser
def test_a_page_that_does_not_fit_a_phone_is_seen(opened):
    page = opened("start", viewport=PHONE)
    page.evaluate("document.querySelector('article').innerHTML += '<div style=\"width: 500px\">wide</div>'")
    assert page.evaluate(TOO_WIDE) > 0


@pytest.mark.browser
@pytest.mark.parametrize("name", list(names()))
def test_no_table_is_cut_on_a_desktop(opened, name):
    page = opened(name, viewport={"width": 1280, "height": 800})
    wide = "each => each.filter(one => one.scrollWidth > one.clientWidth + 1).map(one => one.innerText.slice(0, 60))"
    assert page.locator(".table-wrapper").evaluate_all(wide) == []


@pytest.mark.browser
def test_a_wide_table_shows_all_its_columns_on_a_phone(opened):
    page = opened("performance", viewport=PHONE)
    row = page.locator("table.stacked tbody tr").first
    cells = row.locator("td:not(:empty)")
    assert cells.count() >= 4
    for cell in cells.all():
        assert cell.bounding_box()["x"] + cell.bounding_box()["width"] <= PHONE["width"]
    assert "ratio" in row.locator("td").evaluate_all("each => each.map(one => one.dataset.label)")
    assert page.get_by_role("columnheader", name="ratio").count() > 0


@pytest.mark.browser
def test_a_wide_table_becomes_a_table_again_on_a_wide_screen(opened):
    page = opened("performance", viewport=PHONE)
    assert page.locator("table.stacked").count() > 0
    page.set_viewport_size({"width": 1280, "height": 800})
    page.wait_for_timeout(200)
    assert page.locator("table.stacked").count() == 0


@pytest.mark.browser
def test_the_search_of_the_gallery_hides_what_does_not_fit(site, browser):
    page = browser.new_page()
    page.goto((site / "gallery" / "index.html").as_uri())
    page.get_by_label("Search the gallery").fill("language mixture")
    assert page.locator(".gallery li:visible strong").all_inner_texts() == ["Mixtral"]
    assert page.locator(".gallery-found").inner_text().startswith("1 of ")
    page.get_by_label("Search the gallery").fill("decoder")
    shown = page.locator(".gallery li:visible strong").all_inner_texts()
    assert {"Llama", "DeepSeek V3", "Whisper"} <= set(shown)
    assert "ResNet-18" not in shown


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
