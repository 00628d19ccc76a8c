"""Documents that nobody vouches for: a sentence or a picture, never a blank output, never a script."""

from __future__ import annotations

import copy
import json
from typing import TYPE_CHECKING, Any

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

import tracelab
from support.browser.widget_page import show, widget_page
from support.sampling import sampled
from tracelab.render.html import document_html
from tracelab.render.view_document.document import view_document

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from playwright.sync_api import Browser, Page

Document = dict[str, Any]
MARKUP = (
    "</script><script>window.ran = 1</script><img src=x onerror='window.ran = 1'>"
    "<svg onload='window.ran = 1'><iframe srcdoc='<script>parent.ran = 1</script>'>"
    "\"'onmouseover=window.ran=1 {{script}} javascript:window.ran=1 ]]>"
)


def honest() -> Document:
    net = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Sequential(nn.Linear(4, 4), nn.Tanh()))
    document = view_document(tracelab.trace(net, torch.ones(1, 3)).graph)
    document["warnings"] = [
        {
            "kind": "bool",
            "message": "frozen",
            "node": 1,
            "source": -1,
            "constant": "True",
            "affects": document["outputs"],
        }
    ]
    return document


def everywhere(text: str) -> Callable[[Document], None]:
    """Puts text wherever a document holds any."""

    def change(document: Document) -> None:
        document["name"] += text
        document["torch"] += text
        document["strings"] = [each + text for each in document["strings"]]
        for file in document["files"]:
            file["name"] += text
            file["lines"] = {number: line + text for number, line in file["lines"].items()}
        for warning in document["warnings"]:
            for name in ("kind", "message", "constant"):
                warning[name] += text

    return change


def a_ring_of_data(document: Document) -> None:
    first, last = 0, len(document["nodes"]["kind"]) - 1
    document["nodes"]["inputs"][first] = document["nodes"]["outputs"][last]


def a_node_that_reads_itself(document: Document) -> None:
    document["nodes"]["inputs"][1] = document["nodes"]["outputs"][1]


def a_ring_of_aliases(document: Document) -> None:
    document["values"]["alias"] = [(row + 1) % 3 for row in range(len(document["values"]["alias"]))]


def a_ring_of_callers(document: Document) -> None:
    document["sources"]["caller"] = [0 for _ in document["sources"]["caller"]]


def two_makers_of_one_value(document: Document) -> None:
    document["nodes"]["outputs"][0] = document["nodes"]["outputs"][1]


def a_name_of_a_million_characters(document: Document) -> None:
    document["name"] = "n" * 1_000_000
    document["strings"][document["scopes"]["name"][1]] = "m" * 1_000_000
    document["strings"][document["values"]["name"][0]] = "v" * 1_000_000


def control_characters(document: Document) -> None:
    everywhere("\u0000\u001b[31m\u202e\u2028\ud800")(document)


def huge_numbers(document: Document) -> None:
    document["shapes"] = [[2**53 - 2] * max(1, len(shape)) for shape in document["shapes"]]
    document["summary"] = dict.fromkeys(document["summary"], 2**53 - 2)


def negative_lines(document: Document) -> None:
    for name in ("line", "end_line", "column", "end_column"):
        document["sources"][name] = [-1 for _ in document["sources"][name]]


def far_lines(document: Document) -> None:
    document["sources"]["end_line"] = [2**53 - 2 for _ in document["sources"]["end_line"]]


def no_nodes(document: Document) -> None:
    for table in ("nodes", "values", "sources"):
        document[table] = {name: [] for name, column in document[table].items() if isinstance(column, list)}
    document.update(inputs=[], outputs=[], warnings=[], files=[])


DRAWN = {
    change.__name__: change
    for change in (
        a_ring_of_data,
        a_node_that_reads_itself,
        a_ring_of_aliases,
        a_ring_of_callers,
        two_makers_of_one_value,
        a_name_of_a_million_characters,
        control_characters,
        huge_numbers,
        negative_lines,
        far_lines,
    )
} | {"markup everywhere": everywhere(MARKUP)}


def without(table: str, column: str) -> Callable[[Document], None]:
    return lambda document: document[table].pop(column)


def a_shorter_column(document: Document) -> None:
    document["nodes"]["kind"].pop()


def an_index_out_of_range(document: Document) -> None:
    document["nodes"]["inputs"][0] = [10**6]


def a_ring_of_scopes(document: Document) -> None:
    document["scopes"]["parent"][1] = 2


def a_newer_version(document: Document) -> None:
    document["version"] = 99


def a_version_in_words(document: Document) -> None:
    document["version"] = "<img src=x onerror='window.ran = 1'>"


def columns_of_other_things(document: Document) -> None:
    document["values"]["name"] = "not a column"


def lines_without_text(document: Document) -> None:
    document["files"] = [{"name": "f", "lines": {"1": {"toString": "alert"}}}]


REFUSED: dict[str, tuple[Callable[[Document], object], str]] = {
    "a newer version": (a_newer_version, "newer"),
    "a version in words": (a_version_in_words, "version is not a number"),
    "a ring of scopes": (a_ring_of_scopes, "is not a tree"),
    "a shorter column": (a_shorter_column, "have different lengths"),
    "an index out of range": (an_index_out_of_range, "has an index out of range"),
    "columns of other things": (columns_of_other_things, "is not a list"),
    "lines without text": (lines_without_text, "is not a string"),
    **{
        f"without {table}.{column}": (without(table, column), "is missing")
        for table, column in (
            ("nodes", "inputs"),
            ("nodes", "arguments"),
            ("values", "role"),
            ("scopes", "parent"),
            ("sources", "line"),
        )
    },
    "without strings": (lambda document: document.pop("strings"), "is missing"),
    "without a summary": (lambda document: document.pop("summary"), "is missing"),
}
RAW = {
    "nothing": "",
    "truncated": '{"format": "tracelab.view", "vers',
    "null": "null",
    "a list": "[]",
    "a number": "1e999",
    "another format": '{"format": "other"}',
    "deep nesting": "[" * 100_000,
    "its own prototype": '{"__proto__": {"format": "tracelab.view"}, "version": 1}',
}


@pytest.fixture(scope="module")
def original() -> Document:
    return honest()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    # Without the page's own content security policy, which would hide a script that got through.
    context = browser.new_context(viewport={"width": 1000, "height": 700}, bypass_csp=True)
    page = context.new_page()
    problems: list[str] = []
    page.on("pageerror", lambda error: problems.append(str(error)))
    page.on("dialog", lambda dialog: problems.append(dialog.message))
    yield page
    assert page.evaluate("window.ran") is None
    context.close()
    assert problems == []


def walk(page: Page) -> None:
    """Goes through everything that shows a document's text."""
    page.locator("[role=tree]").focus()
    for key in ("e", "ArrowDown", "i", "ArrowDown", "a", "m", "ArrowDown", "m", "n", "f", "/"):
        page.keyboard.press(key)
    page.keyboard.type("a")
    page.keyboard.press("Enter")
    page.keyboard.press("Escape")
    page.locator("[role=tree]").focus()
    page.keyboard.press("i")
    tabs = page.get_by_role("tab")
    for tab in tabs.all():
        tab.click()
    page.locator("[role=tree]").hover(position={"x": 300, "y": 60})
    expect(page.locator("[data-tracelab-ready]")).to_have_attribute("data-tracelab-ready", "true")


@pytest.mark.parametrize("name", sampled(DRAWN, ["markup everywhere", "control_characters", "a_ring_of_aliases"]))
def test_odd_documents_are_drawn_in_a_widget(page, original, artefacts, name):
    document = copy.deepcopy(original)
    DRAWN[name](document)
    widget_page(page)
    show(page, document)
    expect(page.locator("[data-tracelab-ready=true]")).to_have_count(1)
    assert page.locator(".item").count() > 0
    walk(page)
    page.screenshot(path=artefacts / f"hostile-{name.replace(' ', '-')}.png")
    assert page.evaluate("window.problems") == []


MILLION = "a_name_of_a_million_characters"


@pytest.mark.parametrize("name", sampled(["markup everywhere", "control_characters", MILLION], ["markup everywhere"]))
def test_odd_documents_are_drawn_in_a_page(page, original, tmp_path: Path, name):
    document = copy.deepcopy(original)
    DRAWN[name](document)
    path = tmp_path / "page.html"
    path.write_text(document_html(json.loads(json.dumps(document).replace(r"\ud800", "?"))), encoding="utf-8")
    page.goto(path.as_uri())
    expect(page.locator("#tracelab")).to_have_attribute("data-tracelab-ready", "true")
    walk(page)


def test_what_is_saved_of_markup_runs_no_script(page, original, tmp_path: Path):
    document = copy.deepcopy(original)
    everywhere(MARKUP)(document)
    widget_page(page)
    show(page, document)
    # Saving comes with the second part of the widget.
    expect(page.locator("[data-tracelab-ready=true]")).to_have_count(1)
    for choice in ("HTML", "SVG, entire"):
        page.locator("[role=tree]").focus()
        page.keyboard.press("s")
        with page.expect_download() as download:
            page.get_by_role("menuitem", name=choice).click()
        path = tmp_path / download.value.suggested_filename
        download.value.save_as(path)
        saved = page.context.new_page()
        saved.goto(path.as_uri())
        if choice == "HTML":
            expect(saved.locator("#tracelab")).to_have_attribute("data-tracelab-ready", "true")
        else:
            assert "linear" in saved.locator("svg").first.text_content()
        saved.wait_for_timeout(300)
        assert saved.evaluate("window.ran") is None
        saved.close()


def test_an_empty_graph_says_that_it_is_empty(page, original):
    document = copy.deepcopy(original)
    no_nodes(document)
    widget_page(page)
    show(page, document)
    expect(page.locator("[data-tracelab-ready=true]")).to_have_count(1)
    expect(page.get_by_text("No operators were recorded in this graph.")).to_be_visible()


@pytest.mark.parametrize("name", sampled(REFUSED, ["a newer version", "a ring of scopes", "columns of other things"]))
def test_damaged_documents_give_one_sentence(page, original, name):
    change, words = REFUSED[name]
    document = copy.deepcopy(original)
    change(document)
    widget_page(page)
    show(page, document)
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text(words)
    expect(alert).to_contain_text("This graph cannot be shown: ")


@pytest.mark.parametrize("name", sampled(RAW, ["truncated", "deep nesting"]))
def test_what_is_no_document_gives_one_sentence(page, name):
    widget_page(page)
    show(page, RAW[name])
    expect(page.get_by_role("alert")).to_contain_text("This graph cannot be shown: ")
