"""The explorer in one file, opened from `file://`: finding, inspecting, the keyboard, saving; and the same for axe."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from torch import nn

import tracelab
from support.browser.explorer_view import ExplorerView
from support.sampling import sampled_pairs

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page


class Block(nn.Module):
    def __init__(self):
        super().__init__()
        self.inner = nn.Linear(4, 8)
        self.outer = nn.Linear(8, 4)

    def forward(self, x):
        hidden = self.inner(x).relu()
        return x + self.outer(hidden)


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.blocks = nn.Sequential(*[Block() for _ in range(8)])
        self.head = nn.Linear(4, 2)

    def forward(self, x):
        x = self.blocks(x)
        if x.sum() > -1e9:
            x = x * 2
        return self.head(x)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("page") / "net.html"
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(Net(), torch.ones(3, 4))
    traced.to_html(path)
    return path


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1200, "height": 760}, offline=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("console", lambda message: problems.append(message.text) if message.type == "error" else None)
    yield page
    context.close()
    assert problems == []


def opened(page: Page, file: Path, view: str = "") -> ExplorerView:
    page.goto(f"{file.as_uri()}{view}")
    return ExplorerView(page, page.locator("#tracelab"))


def search(explorer: ExplorerView, query: str) -> list[str]:
    """Types a query and gives the rows of the list."""
    explorer.press("/")
    explorer.page.keyboard.type(query)
    return explorer.host.get_by_role("option").all_inner_texts()


def live(explorer: ExplorerView) -> str:
    return explorer.host.locator(".root > .visually-hidden[role=status]").inner_text()


# The file ------------------------------------------------------------------------------------------------------


def test_the_page_asks_for_nothing_but_itself(page, file):
    asked = []
    page.on("request", lambda request: asked.append(request.url))
    opened(page, file)
    assert [url for url in asked if not url.startswith("blob:")] == [file.as_uri()]


def test_the_page_is_under_400_kb_plus_the_graph(file):
    document = re.search(r'id="tracelab-document">(.*?)</script>', file.read_text(encoding="utf-8"), re.DOTALL)[1]
    assert file.stat().st_size - len(document.encode()) < 400_000


def test_a_page_with_a_packed_document_opens(page, tmp_path):
    def chain(x):
        for _ in range(6000):
            x = x + 1
        return x.relu()

    path = tmp_path / "long.html"
    tracelab.trace(chain, torch.ones(2), check_trace=False).to_html(path)
    assert path.stat().st_size < 400_000
    explorer = opened(page, path)
    expect(explorer.host.get_by_text("6,001 ops").first).to_be_visible()
    assert [row.split("\n")[0] for row in search(explorer, "op:relu")] == ["relu"]


# Finding -------------------------------------------------------------------------------------------------------


def test_a_search_lists_what_it_finds(page, file):
    assert [row.split("\n")[0] for row in search(opened(page, file), "op:relu in:blocks.3")] == ["relu"]


def test_matches_in_closed_groups_lead_into_them(page, file):
    explorer = opened(page, file)
    explorer.collapse_all()
    search(explorer, "op:relu in:blocks.3")
    page.keyboard.press("Enter")
    expect(explorer.host).to_have_attribute("data-selected", re.compile(r"\d+"))
    expect(explorer.box("3: Block")).to_have_attribute("aria-expanded", "true")


def test_a_picture_is_turned_by_a_key_and_walked_from_left_to_right(page, file, artefacts):
    explorer = opened(page, file)
    explorer.collapse_all()
    explorer.press("q")
    explorer.paint_is_settled()
    first = explorer.box("x").bounding_box()
    page.screenshot(path=artefacts / "page-turned.png")
    last = explorer.box("blocks").bounding_box()
    assert first is not None
    assert last is not None
    assert last["x"] >= first["x"] + first["width"]
    assert abs(last["y"] + last["height"] / 2 - first["y"] - first["height"] / 2) < 30


def test_what_is_selected_at_the_left_stays_in_view_when_the_panel_opens(page, file):
    explorer = opened(page, file)
    explorer.press("e", "q")
    explorer.paint_is_settled()
    explorer.press("ArrowDown")
    explorer.press("i")
    explorer.paint_is_settled()
    box = explorer.box("x").bounding_box()
    assert box is not None
    assert box["x"] >= 0


def test_letters_that_are_shortcuts_can_be_typed(page, file):
    explorer = opened(page, file)
    search(explorer, "fine pins?")
    assert explorer.host.get_by_role("combobox").input_value() == "fine pins?"


def test_a_line_leads_to_its_operators(page, file):
    explorer = opened(page, file)
    explorer.press("i")
    explorer.host.get_by_role("tab", name="Source").click()
    explorer.panel.get_by_role("button", name=re.compile(r"x \+ self\.outer\(hidden\)")).click()
    assert re.fullmatch(r"Line \d+: 16 operators highlighted", live(explorer))


def test_ancestors_are_lit(page, file):
    explorer = opened(page, file, "#select=blocks.1.outer")
    explorer.press("a")
    # x, and linear, relu, linear, add, linear, relu, linear.
    assert live(explorer) == "8 nodes highlighted: upstream"


def test_the_shortest_path_between_two_is_highlighted(page, file):
    explorer = opened(page, file, "#select=blocks.1.outer")
    explorer.press("m")
    page.evaluate("document.querySelector('#tracelab').tracelab.restore('select=head')")
    explorer.press("w")
    assert live(explorer).endswith("shortest path, 9 edges")


def test_back_and_forward(page, file):
    explorer = opened(page, file)
    explorer.press("ArrowDown", "ArrowDown")
    second = page.evaluate("document.querySelector('#tracelab').tracelab.link()")
    explorer.press("ArrowDown", "[")
    assert page.evaluate("document.querySelector('#tracelab').tracelab.link()") == second


def test_breadcrumbs_lead_out(page, file):
    explorer = opened(page, file, "#select=blocks.1.outer")
    explorer.host.get_by_role("navigation", name="Breadcrumbs").get_by_role("button", name="blocks").click()
    expect(explorer.host.get_by_role("treeitem", selected=True)).to_have_accessible_name(re.compile("^blocks: Seq"))


def test_a_link_restores_the_view(page, file):
    explorer = opened(page, file, "#open=blocks,blocks.2&select=blocks.2.inner&find=op:relu")
    expect(explorer.host.get_by_role("treeitem", selected=True)).to_have_accessible_name(re.compile("^inner: linear"))
    assert explorer.host.get_by_role("combobox").input_value() == "op:relu"


# Keyboard and screen reader ------------------------------------------------------------------------------------


def test_n_leads_to_the_warning(page, file):
    explorer = opened(page, file)
    explorer.press("n")
    expect(explorer.panel).to_contain_text("the branch taken here is taken for every input")


def test_a_screen_reader_walks_what_a_node_takes_and_gives(page, file):
    explorer = opened(page, file, "#select=head")
    expect(explorer.host.get_by_role("treeitem", selected=True)).to_have_count(1)
    ports = explorer.host.locator(".port").all()
    assert [port.get_attribute("aria-label") for port in ports] == [
        "input x.2: Tensor[3, 4] · float32 · cpu, from mul",
        "input head.weight: Tensor[2, 4] · float32 · cpu, parameter head.weight",
        "input head.bias: Tensor[2] · float32 · cpu, parameter head.bias",
        "output linear.16: Tensor[3, 2] · float32 · cpu, used by graph output",
    ]


def test_enter_on_what_a_node_takes_goes_to_its_maker(page, file):
    explorer = opened(page, file, "#select=head")
    expect(explorer.host.locator(".port")).to_have_count(4)
    explorer.press("Shift+ArrowDown", "Enter")
    expect(explorer.host.get_by_role("treeitem", selected=True)).to_have_accessible_name(re.compile("^mul, operator"))


def test_two_clicks_with_shift_compare(page, file):
    explorer = opened(page, file)
    explorer.press("e", "f")
    for what in ("blocks.1", "blocks.2"):
        place = explorer.position(what)
        page.keyboard.down("Shift")
        page.mouse.click(place["x"], place["y"])
        page.keyboard.up("Shift")
    expect(explorer.panel.get_by_role("heading", name="Side by side")).to_be_visible()


# Saving --------------------------------------------------------------------------------------------------------


def saved(explorer: ExplorerView, choice: str, folder: Path) -> Path:
    explorer.press("s")
    with explorer.page.expect_download() as download:
        explorer.host.get_by_role("menuitem", name=choice).click()
    path = folder / download.value.suggested_filename
    download.value.save_as(path)
    return path


@pytest.mark.parametrize("choice", ["SVG, visible area", "SVG, entire graph"])
def test_the_svg_shows_the_boxes(page, file, tmp_path, choice):
    path = saved(opened(page, file), choice, tmp_path)
    assert path.name == "Net.svg"
    page.goto(path.as_uri())
    assert "head" in page.locator("svg text").all_text_contents()


@pytest.mark.parametrize(("width", "height"), [(420, 600), (1200, 240)])
def test_the_menu_is_in_the_picture_where_there_is_little_room(browser, file, artefacts, width, height):
    context = browser.new_context(viewport={"width": width, "height": height})
    explorer = opened(context.new_page(), file)
    explorer.press("s")
    explorer.page.screenshot(path=artefacts / f"page-menu-{width}-{height}.png")
    menu = explorer.host.get_by_role("menu", name="Export")
    box = menu.bounding_box()
    assert box is not None
    assert (box["x"] >= 0, box["x"] + box["width"] <= width, box["y"] + box["height"] <= height) == (True, True, True)
    explorer.page.keyboard.press("End")
    last = menu.get_by_role("menuitem").last
    expect(last).to_be_focused()
    expect(last).to_be_in_viewport(ratio=1)
    context.close()


def test_the_figure_is_the_same_in_the_dark_and_has_nothing_to_press(browser, file, tmp_path):
    made = []
    for scheme in ("light", "dark"):
        context = browser.new_context(viewport={"width": 900, "height": 700}, color_scheme=scheme)
        explorer = opened(context.new_page(), file, "#open=blocks&select=head")
        expect(explorer.box("blocks")).to_have_attribute("aria-expanded", "true")
        made.append(saved(explorer, "SVG, figure for print", tmp_path).read_bytes())
        context.close()
    assert made[0] == made[1]
    text = made[0].decode()
    assert "<script" not in text
    assert re.findall('font-family="(.*?)"', text)[0].startswith("Helvetica, Arial")
    # A warning is a thing to click.
    assert "#f2b21b" not in text


def test_the_png_is_an_image(page, file, tmp_path):
    assert saved(opened(page, file), "PNG, entire graph", tmp_path).read_bytes().startswith(b"\x89PNG")


def test_the_json_is_the_document(page, file, tmp_path):
    document = json.loads(saved(opened(page, file), "JSON", tmp_path).read_text(encoding="utf-8"))
    assert (document["format"], document["name"]) == ("tracelab.view", "Net")


def test_the_dot_has_clusters_for_open_groups(page, file, tmp_path):
    explorer = opened(page, file, "#open=blocks")
    expect(explorer.box("blocks")).to_have_attribute("aria-expanded", "true")
    assert "subgraph cluster_" in saved(explorer, "DOT", tmp_path).read_text(encoding="utf-8")


def test_a_saved_page_is_the_page(page, file, tmp_path):
    path = saved(opened(page, file), "HTML", tmp_path)
    again = opened(page, path)
    assert again.box("head: linear").count() == 1


# axe -----------------------------------------------------------------------------------------------------------

STATES = {
    "at first": [],
    "a node and its details": ["ArrowDown", "ArrowDown", "i"],
    "a list of matches": ["/", "l", "i", "n"],
    "the help": ["?"],
    "the menu": ["s"],
    "a comparison": ["ArrowDown", "m", "ArrowDown", "m"],
    "light": ["End", "a"],
    "all groups open": ["e"],
    "to the right": ["e", "q", "ArrowRight"],
    "in columns": ["e", "q", "q", "ArrowDown"],
    "a plot": ["v", "Tab"],
}


SCHEMES = ["light", "dark", "high contrast"]
LOOKS = [(state, scheme) for state in STATES for scheme in SCHEMES]
A_SCHEME_EACH = [(state, SCHEMES[at % len(SCHEMES)]) for at, state in enumerate(STATES)]


@pytest.mark.parametrize(("state", "scheme"), sampled_pairs(LOOKS, A_SCHEME_EACH))
def test_axe_finds_nothing(browser, file, artefacts, state, scheme):
    context = browser.new_context(
        viewport={"width": 1200, "height": 760},
        color_scheme="dark" if scheme == "dark" else "light",
        contrast="more" if scheme == "high contrast" else "no-preference",
        bypass_csp=True,
    )
    page = context.new_page()
    explorer = opened(page, file)
    explorer.press()
    for key in STATES[state]:
        page.keyboard.press(key)
    explorer.paint_is_settled()
    page.screenshot(path=artefacts / f"page-{state}-{scheme}.png".replace(" ", "-"))
    violations = Axe().run(page).response["violations"]
    context.close()
    found = [(each["id"], each["impact"], [node["html"] for node in each["nodes"][:3]]) for each in violations]
    assert found == []


# Equal blocks --------------------------------------------------------------------------------------------------


def test_equal_blocks_are_folded_and_opened_by_keys(page, file, artefacts):
    explorer = opened(page, file, "#open=blocks")
    fold = explorer.host.get_by_role("treeitem", name=re.compile("^× 8: Block, closed group, 8 repeated blocks, "))
    expect(fold).to_have_count(1)
    for scheme in ("light", "dark"):
        page.emulate_media(color_scheme=scheme)
        page.screenshot(path=artefacts / f"repeats_{scheme}.png")
    search(explorer, "op:relu in:blocks.3")
    page.keyboard.press("Enter")
    expect(explorer.host.get_by_role("treeitem", name=re.compile("^× 8: Block, open group"))).to_have_count(1)
    expect(explorer.host.get_by_role("treeitem", name=re.compile("^3: Block, open group"))).to_have_count(1)
    page.screenshot(path=artefacts / "repeats_open.png")
    page.keyboard.press("Escape")
    explorer.press("x")
    expect(explorer.host.get_by_role("treeitem", name=re.compile("^× 8"))).to_have_count(0)
