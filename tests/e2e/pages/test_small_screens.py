"""The explorer on a phone and in the narrow frame of a documentation page."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

import tracelab
from support.browser.explorer_view import ExplorerView
from tracelab.demo import GPT, ResNet

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, BrowserContext

WIDTH, HEIGHT = 390, 844


def many_inputs(*values):
    return tuple(value.relu() for value in values)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Pages: a row of operators and groups, four blocks, six and nine inputs beside each other, one operator."""
    folder = tmp_path_factory.mktemp("small")
    example = torch.rand(1, 3, 64, 64)
    tracelab.trace(ResNet.resnet18(classes=10, width=8).eval(), example).to_html(folder / "resnet.html")
    tracelab.trace(GPT(layers=4).eval(), torch.randint(0, 50, (1, 8))).to_html(folder / "gpt.html")
    for count, name in ((6, "six.html"), (9, "nine.html")):
        tracelab.trace(many_inputs, tuple(torch.ones(2) for _ in range(count))).to_html(folder / name)
    tracelab.trace(nn.Linear(2, 2), torch.ones(2)).to_html(folder / "linear.html")
    return folder


@pytest.fixture
def phone(browser: Browser) -> Iterator[BrowserContext]:
    context = browser.new_context(viewport={"width": WIDTH, "height": HEIGHT}, has_touch=True, is_mobile=True)
    yield context
    context.close()


def opened(context: BrowserContext, file: Path, view: str = "") -> ExplorerView:
    page = context.new_page()
    page.goto(f"{file.as_uri()}{view}")
    explorer = ExplorerView(page, page.locator("#tracelab"))
    explorer.paint_is_settled()
    return explorer


def tap(explorer: ExplorerView, what: str | int) -> None:
    place = explorer.position(what)
    explorer.page.touchscreen.tap(place["x"], place["y"])
    explorer.paint_is_settled()


def rectangle(locator: Any) -> tuple[float, float, float, float]:
    """Left, top, right and bottom."""
    box = locator.bounding_box()
    assert box is not None
    return box["x"], box["y"], box["x"] + box["width"], box["y"] + box["height"]


def is_inside(inner: Any, outer: Any) -> bool:
    left, top, right, bottom = rectangle(inner)
    around = rectangle(outer)
    return left >= around[0] and top >= around[1] and right <= around[2] and bottom <= around[3]


# Touch ---------------------------------------------------------------------------------------------------------


def test_a_tap_on_a_node_presses_nothing_in_the_panel_that_it_opens(phone, folder):
    explorer = opened(phone, folder / "resnet.html")
    explorer.panel.evaluate("panel => panel.addEventListener('click', () => (window.pressed = true))")
    for what in ("conv1", "bn1", "maxpool", "layer1", "layer2", "layer3", "layer4", "fc"):
        tap(explorer, what)
        expect(explorer.panel).to_be_visible()
        assert explorer.page.evaluate("window.pressed") is None, what
        explorer.press("Escape")


def test_a_tap_on_the_square_of_a_group_opens_it(phone, folder):
    explorer = opened(phone, folder / "resnet.html")
    explorer.collapse_all()
    place = explorer.position("layer2")["toggle"]
    explorer.page.touchscreen.tap(place["x"], place["y"])
    expect(explorer.box("layer2: Sequential")).to_have_attribute("aria-expanded", "true")


@pytest.mark.parametrize(("away", "covered"), [(30, False), (95, True)])
def test_a_double_click_opens_the_group_that_moved_away_under_the_first_click(browser, folder, away, covered):
    context = browser.new_context(viewport={"width": 620, "height": 460})
    context.add_init_script("localStorage.setItem('tracelab:flow', 'down')")
    explorer = opened(context, folder / "gpt.html")
    place = explorer.position("blocks.0…3")
    x = place["toggle"]["x"] + away
    assert (x > 280) is covered, "the panel lies on the right of that"
    explorer.page.mouse.dblclick(x, place["y"], delay=30)
    expect(explorer.box("× 4: Block")).to_have_attribute("aria-expanded", "true")
    context.close()


def test_all_buttons_are_large_enough_for_a_finger(phone, folder):
    explorer = opened(phone, folder / "resnet.html")
    tap(explorer, "layer1")
    for tab in ("Details", "Source"):
        explorer.host.get_by_role("tab", name=tab).tap()
        heights = explorer.host.locator("button:visible").evaluate_all(
            "buttons => buttons.map(button => button.getBoundingClientRect().height)"
        )
        assert len(heights) > 15
        assert min(heights) >= 24, tab


# What is selected is in sight ----------------------------------------------------------------------------------


def test_on_a_phone_the_panel_is_a_sheet_under_the_picture(phone, folder):
    explorer = opened(phone, folder / "resnet.html")
    tap(explorer, "conv1")
    left, top, right, bottom = rectangle(explorer.panel)
    assert (left, right, bottom) == (0, WIDTH, HEIGHT)
    assert bottom - top <= 0.55 * HEIGHT
    assert rectangle(explorer.tree)[3] <= top


@pytest.mark.parametrize("what", ["conv1", "maxpool", "layer3", "fc"])
def test_on_a_phone_the_node_that_is_tapped_stays_in_sight(phone, folder, what):
    explorer = opened(phone, folder / "resnet.html")
    tap(explorer, what)
    assert is_inside(explorer.host.get_by_role("treeitem", selected=True), explorer.tree)


@pytest.mark.parametrize("width", [500, 600, 740])
def test_in_a_frame_the_box_that_is_clicked_is_free_of_the_panel(browser, folder, width):
    context = browser.new_context(viewport={"width": width, "height": 460})
    explorer = opened(context, folder / "gpt.html")
    explorer.click("blocks.0…3")
    explorer.paint_is_settled()
    selected = explorer.host.get_by_role("treeitem", selected=True)
    expect(selected).to_have_accessible_name("× 4: Block, closed group, 4 repeated blocks, 30 ops each")
    assert rectangle(selected)[0] >= 0
    assert rectangle(selected)[2] <= rectangle(explorer.panel)[0]
    context.close()


def test_closing_the_panel_moves_the_picture_back(browser, folder):
    context = browser.new_context(viewport={"width": 640, "height": 460})
    explorer = opened(context, folder / "gpt.html")
    before = explorer.position("blocks.0…3")
    explorer.click("blocks.0…3")
    explorer.paint_is_settled()
    assert explorer.position("blocks.0…3")["x"] < before["x"] - 50
    explorer.press("Escape")
    assert explorer.position("blocks.0…3")["x"] == pytest.approx(before["x"])
    context.close()


@pytest.mark.parametrize(("width", "shown"), [(380, False), (740, True)])
def test_the_overview_is_shown_where_there_is_room(browser, folder, width, shown):
    context = browser.new_context(viewport={"width": width, "height": 600})
    explorer = opened(context, folder / "resnet.html")
    explorer.press("e")
    explorer.paint_is_settled()
    assert explorer.host.locator(".minimap").is_visible() is shown
    explorer.click("conv1")
    explorer.paint_is_settled()
    expect(explorer.host.locator(".minimap")).to_be_hidden()
    context.close()


# The bar -------------------------------------------------------------------------------------------------------


def test_the_list_of_matches_is_whole_on_a_phone(phone, folder):
    explorer = opened(phone, folder / "resnet.html")
    explorer.host.get_by_role("combobox").tap()
    explorer.page.keyboard.type("conv")
    left, top, right, _ = rectangle(explorer.host.get_by_role("listbox"))
    assert (left >= 8, right <= WIDTH - 8, right - left >= 300) == (True, True, True)
    assert 0 <= top - rectangle(explorer.host.get_by_role("combobox"))[3] <= 8
    count = rectangle(explorer.host.locator(".count"))
    field = rectangle(explorer.host.get_by_role("combobox"))
    assert (field[0] < count[0], count[2] < field[2], field[1] < count[1], count[3] < field[3]) == (True,) * 4


def test_the_search_field_gives_way_before_the_title(browser, folder):
    context = browser.new_context(viewport={"width": 740, "height": 460})
    explorer = opened(context, folder / "gpt.html")
    cut = explorer.host.locator(".title").evaluate("title => title.scrollWidth - title.clientWidth")
    assert cut == 0
    context.close()


# The first view ------------------------------------------------------------------------------------------------


def drawn(explorer: ExplorerView) -> tuple[float, float]:
    """How far the picture reaches to the left and to the right."""
    places = [rectangle(item) for item in explorer.host.locator(".item").all()]
    return min(place[0] for place in places), max(place[2] for place in places)


def test_the_first_view_of_what_a_phone_can_hold_is_cut_at_no_side(phone, folder):
    left, right = drawn(opened(phone, folder / "six.html"))
    assert (left >= 0, right <= WIDTH) == (True, True)


def test_the_first_view_of_what_is_wider_shows_no_empty_side(phone, folder):
    explorer = opened(phone, folder / "nine.html")
    left, right = drawn(explorer)
    assert (left <= 28, right > WIDTH) == (True, True)
    assert is_inside(explorer.host.locator(".item").first, explorer.tree)


# Served --------------------------------------------------------------------------------------------------------


def test_a_page_that_is_served_asks_for_no_icon(folder):
    assert '<link rel="icon" href="data:," />' in (folder / "linear.html").read_text(encoding="utf-8")
