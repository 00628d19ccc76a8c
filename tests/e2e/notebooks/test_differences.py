"""Two traces compared in a live notebook: one picture of both, the way from difference to difference, side by side."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook

SETUP = """%load_ext tracelab
import torch, tracelab
from tracelab.demo import GPT
model = GPT(layers=6).eval()
ids = torch.randint(0, 256, (1, 32))
before = tracelab.trace(model, ids)
model.blocks[2].mlp[1] = torch.nn.ReLU()
model.blocks[4].norm1 = torch.nn.Identity()
after = tracelab.trace(model, ids)
difference = tracelab.diff(before, after)
difference.overlays['max abs error'] = {node: 1e-6 * place for place, node in enumerate(difference.b.nodes)}"""


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    cells = [SETUP, "%trace_diff before after", "difference", "print('the kernel has', len(_diff.removed), 'removed')"]
    view = open_notebook(lab, new_page(), "differences.ipynb", cells)
    view.run_all()
    yield view
    view.page.close()


@pytest.fixture
def shown(notebook: NotebookView) -> ExplorerView:
    """The explorer of `%trace_diff`."""
    return notebook.explorer(1)


def test_every_cell_ran(notebook: NotebookView) -> None:
    outputs = notebook.outputs()
    assert [output["evalue"] for output in outputs if output["output_type"] == "error"] == []
    assert "the kernel has 1 removed\n" in [output.get("text") for output in outputs]


def test_what_is_different_is_open_and_what_stayed_is_closed(shown: ExplorerView) -> None:
    names = shown.names()
    assert any(name.startswith("1: relu, operator, changed") for name in names)
    assert any(name.startswith("norm1: layer_norm, operator, removed") for name in names)
    assert any(name.startswith("blocks.0: Block, closed group, 30 ops") for name in names)
    shown.paint_is_settled()


def test_keys_lead_from_difference_to_difference(shown: ExplorerView, artefacts: Path) -> None:
    shown.press("n")
    expect(shown.panel).to_contain_text("gelu → relu")
    shown.press("n")
    expect(shown.panel).to_contain_text("Only in the first graph.")
    shown.press("p")
    expect(shown.panel).to_contain_text("gelu → relu")
    shown.paint_is_settled()
    shown.page.screenshot(path=artefacts / "difference-light.png")


def test_the_list_leads_to_a_difference(shown: ExplorerView) -> None:
    shown.host.get_by_role("button", name="Show 2 differences").click()
    expect(shown.panel).to_contain_text("1 node removed, 1 node changed, 1 module of another class")
    shown.panel.get_by_role("button", name="layer_norm").click()
    shown.ready()
    expect(shown.host).not_to_have_attribute("data-selected", "-1")


def test_both_graphs_stand_side_by_side(shown: ExplorerView, artefacts: Path) -> None:
    shown.press("n")
    shown.host.get_by_role("button", name="Side by side").click()
    panes = shown.host.locator(".pane [data-tracelab-ready='true']")
    expect(panes).to_have_count(2)
    before, after = panes.nth(0), panes.nth(1)
    expect(before.get_by_role("treeitem", name="1: gelu", exact=False)).to_have_count(1)
    expect(after.get_by_role("treeitem", name="1: relu", exact=False)).to_have_count(1)
    expect(after.get_by_role("treeitem", name="norm1: layer_norm, operator, removed", exact=False)).to_have_count(0)
    shown.page.wait_for_timeout(400)
    shown.page.screenshot(path=artefacts / "difference-sides-light.png")
    shown.page.evaluate(
        "() => jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'}).then(() => undefined)"
    )
    expect(panes.first.locator(".root")).to_have_attribute("data-theme", "dark")
    shown.page.wait_for_timeout(400)
    shown.page.screenshot(path=artefacts / "difference-sides-dark.png")
    shown.host.get_by_role("button", name="Side by side").click()
    expect(panes).to_have_count(0)
    shown.paint_is_settled()
    shown.page.screenshot(path=artefacts / "difference-dark.png")


def test_both_panes_select_together(shown: ExplorerView) -> None:
    shown.host.get_by_role("button", name="Side by side").click()
    panes = shown.host.locator(".pane [data-tracelab-ready='true']")
    expect(panes).to_have_count(2)
    shown.host.get_by_role("button", name="Show 2 differences").click()
    shown.panel.get_by_role("button", name="relu").click()
    chosen = [pane.locator("[aria-selected='true']") for pane in (panes.nth(0), panes.nth(1))]
    expect(chosen[0]).to_have_attribute("aria-label", re.compile("^1: gelu, operator, changed"))
    expect(chosen[1]).to_have_attribute("aria-label", re.compile("^1: relu, operator, changed"))
    shown.host.get_by_role("button", name="Side by side").click()
    expect(panes).to_have_count(0)


def test_numbers_stand_on_boxes(notebook: NotebookView, artefacts: Path) -> None:
    numbered = notebook.explorer(2)
    expect(numbered.host.get_by_role("combobox", name="Values on nodes")).to_have_value("0")
    numbered.paint_is_settled()
    numbered.page.screenshot(path=artefacts / "difference-numbers-dark.png")


def test_nothing_went_wrong_in_the_page(notebook: NotebookView) -> None:
    assert notebook.page.problems == []  # type: ignore[attr-defined]
