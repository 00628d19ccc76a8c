"""Hosts other than JupyterLab: a bare page that shows widgets as the anywidget specification says."""

from __future__ import annotations

from collections import OrderedDict
from typing import TYPE_CHECKING, Any

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from torch import nn

import tracelab
from support.browser.waiting import eventually
from support.browser.widget_page import BUNDLE, show, widget_page
from tracelab.render.view_document.document import view_document

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser, Page

pytestmark = pytest.mark.nightly

READY = "[data-tracelab-ready=true]"
PAGE_RULES = ("document-title", "html-has-lang", "landmark-one-main", "page-has-heading-one", "region")


@pytest.fixture(scope="module")
def document() -> dict[str, Any]:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2))
    return view_document(tracelab.trace(net, torch.ones(1, 3)).graph)


def nested() -> nn.Module:
    inner = nn.Sequential(OrderedDict(first=nn.Linear(4, 4), second=nn.ReLU()))
    return nn.Sequential(OrderedDict(before=nn.Linear(3, 4), inner=inner, after=nn.Linear(4, 2)))


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1000, "height": 900})
    page = context.new_page()
    yield page
    assert page.evaluate("window.problems") == []
    context.close()


def shown(page: Page, count: int = 1) -> None:
    expect(page.locator(READY)).to_have_count(count)


def ink(page: Page, number: int = 0) -> int:
    """How many pixels of a canvas are not of the colour of its corner."""
    return int(
        page.locator("canvas")
        .nth(number)
        .evaluate(
            "async canvas => { await new Promise(requestAnimationFrame); await new Promise(requestAnimationFrame);"
            " const { width, height } = canvas; if (width * height === 0) return 0;"
            " const data = new Uint32Array(canvas.getContext('2d').getImageData(0, 0, width, height).data.buffer);"
            " return data.filter((pixel) => pixel !== data[0]).length; }"
        )
    )


def test_it_needs_no_style_of_jupyterlab(page, document, artefacts):
    widget_page(page)
    show(page, document)
    shown(page)
    assert ink(page) > 1000
    page.screenshot(path=artefacts / "host-bare.png")


@pytest.mark.parametrize(
    ("body", "theme", "dark"),
    [
        ('class="vscode-light"', "light", False),
        ('class="vscode-dark" style="--vscode-editor-background: #1e1e1e"', "dark", True),
        ('class="vscode-high-contrast"', "dark", True),
        ('class="vscode-high-contrast-light"', "light", False),
        ('data-jp-theme-light="false"', "dark", True),
        ('class="dark"', "dark", True),
    ],
)
def test_it_takes_the_theme_of_its_host(page, document, artefacts, body, theme, dark):
    widget_page(page, body)
    show(page, document)
    shown(page)
    assert page.locator(".root").get_attribute("data-theme") == theme
    name = "".join(letter if letter.isalnum() else "-" for letter in body.split(" style")[0])
    page.screenshot(path=artefacts / f"host-{name}.png")
    background = page.locator(".root").evaluate("root => getComputedStyle(root).backgroundColor")
    assert (sum(map(int, background[4:-1].split(","))) < 200) is dark


@pytest.mark.parametrize(("theme", "dark"), [("dark", True), ("light", False)])
def test_it_takes_the_theme_that_colab_writes_on_the_page(page, document, artefacts, theme, dark):
    # The system says the opposite: what the notebook says counts.
    page.emulate_media(color_scheme="light" if dark else "dark")
    widget_page(page, 'style="--colab-primary-text-color: #888"')
    page.evaluate("theme => document.documentElement.setAttribute('theme', theme)", theme)
    show(page, document)
    shown(page)
    assert page.locator(".root").get_attribute("data-theme") == theme
    page.screenshot(path=artefacts / f"host-colab-{theme}.png")


def test_it_takes_ground_and_font_of_vs_code(page, document):
    style = "--vscode-editor-background: rgb(0, 43, 54); --vscode-font-family: Courier"
    widget_page(page, f'class="vscode-dark" data-vscode-theme-kind="vscode-dark" style="{style}"')
    show(page, document)
    shown(page)
    seen = page.locator(".root").evaluate(
        "root => [getComputedStyle(root).backgroundColor, getComputedStyle(root).fontFamily]"
    )
    assert seen == ["rgb(0, 43, 54)", "Courier"]


@pytest.mark.parametrize(
    "body",
    [
        'class="vscode-light" style="--vscode-editor-background: #fdf6e3"',
        'class="vscode-dark" style="--vscode-editor-background: #002b36"',
        'class="vscode-high-contrast" style="--vscode-editor-background: #000000"',
        'class="dark"',
    ],
)
def test_axe_finds_nothing_in_other_hosts(page, document, body):
    widget_page(page, body)
    show(page, document)
    shown(page)
    page.locator("[role=tree]").focus()
    for key in ("End", "ArrowUp", "i"):
        page.keyboard.press(key)
    expect(page.locator(".panel")).to_be_visible()
    # What is said of the page around the widget is the host's business.
    options = {"rules": {rule: {"enabled": False} for rule in PAGE_RULES}}
    violations = Axe().run(page, options=options).response["violations"]
    assert [(each["id"], [node["html"] for node in each["nodes"][:3]]) for each in violations] == []


def test_the_theme_changes_while_it_is_shown(page, document):
    widget_page(page, 'class="vscode-light"')
    show(page, document)
    shown(page)
    page.evaluate("document.body.className = 'vscode-dark'")
    expect(page.locator(".root")).to_have_attribute("data-theme", "dark")


def test_several_share_one_module_and_no_state(page, document):
    widget_page(page)
    for _ in range(3):
        show(page, document, height=260)
    shown(page, 3)
    page.locator("[role=tree]").nth(1).focus()
    page.keyboard.press("End")
    assert [page.evaluate(f"window.widgets[{number}].model.saved") for number in range(3)] == [0, 0, 0]
    # So low a picture runs from left to right.
    page.keyboard.press("ArrowLeft")
    selected = [page.evaluate(f"window.widgets[{number}].model.traits.selected") for number in range(3)]
    assert selected == [-1, 2, -1]


def test_widgets_that_bring_the_text_each_for_itself_share_one_copy(page):
    widget_page(page)
    assert page.evaluate(
        "async text => {"
        " const load = () => import(URL.createObjectURL(new Blob([text], { type: 'text/javascript' })));"
        " const [one, other] = [await load(), await load()];"
        " return one !== other && one.default === other.default }",
        BUNDLE.read_text(encoding="utf-8"),
    )


def test_two_views_of_one_model_follow_each_other(page, document):
    widget_page(page)
    show(page, document)
    shown(page)
    page.evaluate("window.widgets[0].model.set('selected', 1)")
    expect(page.locator(READY)).to_have_attribute("data-selected", "1")


def test_a_module_is_selected_from_python_and_told_to_it(page, document):
    widget_page(page)
    show(page, view_document(tracelab.trace(nested(), torch.ones(1, 3)).graph))
    shown(page)
    traits = "(({ selected, selected_module }) => [selected, selected_module])(window.widgets[0].model.traits)"
    page.evaluate("window.widgets[0].model.set('selected_module', 'inner')")
    current = page.get_by_role("treeitem", selected=True)
    expect(current).to_have_accessible_name("inner: Sequential, open group, 2 ops")
    page.locator("[role=tree]").focus()
    page.keyboard.press("ArrowDown")
    assert page.evaluate(traits) == [1, ""]
    page.keyboard.press("Backspace")
    expect(current).to_have_accessible_name("inner: Sequential, open group, 2 ops")
    assert page.evaluate(traits) == [-1, "inner"]


def test_an_input_that_is_selected_after_a_node_or_a_module_stays_so(page, document):
    widget_page(page)
    show(page, view_document(tracelab.trace(nested(), torch.ones(1, 3)).graph))
    shown(page)
    page.locator("[role=tree]").focus()
    current = page.get_by_role("treeitem", selected=True)
    for keys in (["End", "ArrowUp"], ["End", "ArrowUp", "ArrowUp", "Backspace"]):
        for key in keys:
            page.keyboard.press(key)
        page.keyboard.press("Home")
        expect(current).to_have_accessible_name("input, graph input, 1×3")


def test_two_views_of_one_model_agree_on_a_module(page, document):
    widget_page(page)
    show(page, view_document(tracelab.trace(nested(), torch.ones(1, 3)).graph))
    page.evaluate("window.widgets[0].again()")
    shown(page, 2)
    page.locator("[role=tree]").first.focus()
    for key in ("Home", "ArrowDown", "ArrowDown", "ArrowDown", "Backspace"):
        page.keyboard.press(key)
    selected = page.locator(".item[aria-selected=true]")
    expect(selected).to_have_count(2)
    assert [item.get_attribute("aria-label") for item in selected.all()] == ["inner: Sequential, open group, 2 ops"] * 2


def test_a_removed_view_leaves_nothing_behind(page, document):
    widget_page(page)
    show(page, document)
    shown(page)
    page.evaluate("window.widgets[0].end()")
    assert page.evaluate("window.widgets[0].el.innerHTML + window.widgets[0].model.listening()") == (
        '<div class="tracelab-widget"></div>0'
    )


def test_drawn_in_a_hidden_tab_it_is_there_when_the_tab_is_shown(page, document):
    widget_page(page, 'style="display: none"')
    show(page, document)
    page.wait_for_selector(READY, state="attached")
    page.evaluate("document.body.style.display = 'block'")
    eventually(page, lambda: ink(page) > 1000, "it is drawn")
    box = page.evaluate("document.querySelector('[data-tracelab-ready]').tracelab.positionOf('input')")
    assert 0 < box["x"] < 1000


def test_hidden_and_shown_again_it_keeps_its_place(page, document):
    widget_page(page)
    show(page, document)
    shown(page)
    where = "document.querySelector('[data-tracelab-ready]').tracelab.positionOf(1)"
    before = page.evaluate(where)
    page.evaluate("document.body.style.display = 'none'")
    page.wait_for_timeout(200)
    page.evaluate("document.body.style.display = 'block'")
    page.wait_for_timeout(300)
    eventually(page, lambda: page.evaluate(where) == before, "it is where it was")
    eventually(page, lambda: ink(page) > 1000, "it is drawn")


@pytest.mark.parametrize("width", [1000, 620, 320])
def test_it_fits_a_resized_output(page, document, artefacts, width):
    widget_page(page)
    show(page, document)
    shown(page)
    page.set_viewport_size({"width": width, "height": 700})
    page.locator("[role=tree]").focus()
    page.keyboard.press("End")
    page.keyboard.press("ArrowUp")
    page.keyboard.press("i")
    page.wait_for_timeout(300)
    overflow = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
    eventually(page, lambda: page.evaluate(overflow) <= 0, "nothing is wider than the page")
    eventually(page, lambda: buttons_fit(page, width), "the buttons are inside")
    page.screenshot(path=artefacts / f"host-{width}-wide.png")


def buttons_fit(page: Page, width: int) -> bool:
    places = [button.bounding_box() for button in page.locator(".bar .button:visible").all()]
    return len(places) > 0 and all(
        place is not None and place["x"] >= 0 and place["x"] + place["width"] <= width for place in places
    )


def test_with_the_kernel_gone_the_picture_goes_on(page, document):
    widget_page(page)
    show(page, document)
    shown(page)
    page.evaluate("window.widgets[0].model.alive = false")
    page.locator("[role=tree]").focus()
    page.keyboard.press("c")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("ArrowDown")
    page.keyboard.press("i")
    expect(page.get_by_role("heading", name="linear")).to_be_visible()


def test_without_workers_it_lays_out_on_the_page(browser, document):
    context = browser.new_context()
    page = context.new_page()
    page.add_init_script("delete window.Worker")
    deep = nn.Sequential(*[nn.Sequential(nn.Linear(3, 3), nn.ReLU()) for _ in range(300)])
    widget_page(page)
    page.evaluate("delete window.Worker")
    show(page, view_document(tracelab.trace(deep, torch.ones(1, 3)).graph))
    page.locator("[role=tree]").focus()
    page.keyboard.press("e")
    shown(page)
    context.close()


def test_a_link_is_restored_when_python_asks(page, document):
    widget_page(page)
    show(page, document)
    shown(page)
    page.evaluate("window.widgets[0].model.set('_restored', 'select=2')")
    expect(page.get_by_role("treeitem", selected=True)).to_have_accessible_name("2: linear, operator, 1×2")


def test_a_page_is_saved_from_a_widget(page, document, tmp_path):
    widget_page(page)
    show(page, document)
    shown(page)
    page.locator("[role=tree]").focus()
    page.keyboard.press("s")
    with page.expect_download() as download:
        page.get_by_role("menuitem", name="HTML").click()
    download.value.save_as(tmp_path / "saved.html")
    saved = page.context.new_page()
    saved.goto((tmp_path / "saved.html").as_uri())
    expect(saved.locator(READY)).to_have_count(1)
    assert saved.get_by_role("treeitem").count() == page.locator(".item").count()
    # The part that is read after the first picture stands in the file too.
    saved.get_by_role("tree").focus()
    saved.keyboard.press("?")
    expect(saved.get_by_role("dialog", name="Keyboard shortcuts and legend")).to_be_visible()
