"""Sizes by name in JupyterLab: told by the kernel once the picture is up, in the picture and in the code."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from support.browser.code_hints import hovered
from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook

CELLS = [
    """import torch
from torch import nn
%load_ext tracelab

class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.qkv = nn.Linear(64, 192)
        self.out = nn.Linear(64, 64)

    def forward(self, x):
        batch, length, width = x.shape
        q, k, v = self.qkv(x).view(batch, length, 3, 4, 16).permute(2, 0, 3, 1, 4)
        y = nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        return self.out(y.transpose(1, 2).reshape(batch, length, width))

x = torch.randn(2, 10, 64)
attention = Attention()""",
    """%%trace
y = attention(x)
z = y.mean(1)""",
]


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    view = open_notebook(lab, new_page(), "names.ipynb", CELLS)
    view.run_all()
    yield view
    view.page.close()


@pytest.fixture
def explorer(notebook: NotebookView) -> ExplorerView:
    explorer = notebook.explorer(1)
    expect(explorer.host.get_by_role("treeitem", name=re.compile(r"batch×length×64")).first).to_be_attached()
    explorer.paint_is_settled()
    return explorer


def test_boxes_have_the_names_of_the_code(explorer: ExplorerView, artefacts: Path) -> None:
    assert "x, graph input, batch×length×64" in explorer.names()
    explorer.page.screenshot(path=artefacts / "size-names-light.png")


def test_hints_in_the_code_have_them_too(explorer: ExplorerView, notebook: NotebookView) -> None:
    hints = notebook.cell(1).locator(".tracelab-hint")
    expect(hints).to_have_text(["float32[batch, length, 64]", "float32[batch, 64]"])
    hover = hovered(hints.first, ".tracelab-hover")
    expect(hover).to_contain_text("float32[batch, length, 64] = [2, 10, 64]")
    notebook.page.mouse.move(5, 5)
    expect(hover).to_have_count(0)


def test_the_details_have_the_sizes_at_the_trace_beside_them(explorer: ExplorerView, artefacts: Path) -> None:
    explorer.click("x")
    if not explorer.panel.is_visible():
        explorer.press("i")
    expect(explorer.panel).to_contain_text("Tensor[batch, length, 64] · float32 · cpu · traced with [2, 10, 64]")
    explorer.page.screenshot(path=artefacts / "size-names-details.png")


def test_a_key_shows_the_numbers_again(explorer: ExplorerView, notebook: NotebookView) -> None:
    explorer.press("z")
    expect(explorer.host.get_by_role("treeitem", name="x, graph input, 2×10×64")).to_be_attached()
    hints = notebook.cell(1).locator(".tracelab-hint")
    expect(hints).to_have_text(["float32[2, 10, 64]", "float32[2, 64]"])
    explorer.press("z")
    expect(hints).to_have_text(["float32[batch, length, 64]", "float32[batch, 64]"])


def test_the_notebook_is_saved_without_them(explorer: ExplorerView, notebook: NotebookView) -> None:
    bundle = next(output["data"] for output in notebook.outputs() if "data" in output)
    document = next(data for kind, data in bundle.items() if kind.startswith("application/vnd.tracelab"))
    assert "sizes" not in document["values"]
    assert notebook.page.problems == []  # type: ignore[attr-defined]


def test_dark(explorer: ExplorerView, notebook: NotebookView, artefacts: Path) -> None:
    notebook.execute("apputils:change-theme", theme="JupyterLab Dark")
    expect(notebook.page.locator("body[data-jp-theme-light=false]")).to_have_count(1)
    explorer.paint_is_settled()
    explorer.page.screenshot(path=artefacts / "size-names-dark.png")
    assert explorer.brightness() < 128
