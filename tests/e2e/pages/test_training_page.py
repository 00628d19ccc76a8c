"""A training loop in the explorer: iterations and phases at first, read by axe, and back to every node."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

import pytest
import torch
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import expect
from torch import nn
from torch.nn import functional as F

import tracelab
from support.browser.explorer_view import ExplorerView

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import Browser


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Four steps of AdamW."""
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(8, 16), nn.ReLU(), nn.Linear(16, 4))
    opt = torch.optim.AdamW(net.parameters(), lr=1e-3)
    loader = [(torch.randn(4, 8), torch.randint(0, 4, (4,))) for _ in range(4)]

    def train():
        for xb, yb in loader:
            opt.zero_grad()
            loss = F.cross_entropy(net(xb), yb)
            loss.backward()
            opt.step()
        return loss

    F.cross_entropy(net(loader[0][0]), loader[0][1]).backward()
    opt.step()
    path = tmp_path_factory.mktemp("training") / "train.html"
    tracelab.trace(train, (), check_trace=False).to_html(path)
    return path


@pytest.fixture(params=["light", "dark"])
def explorer(request: pytest.FixtureRequest, browser: Browser, file: Path) -> Iterator[ExplorerView]:
    context = browser.new_context(viewport={"width": 1200, "height": 600}, color_scheme=request.param, offline=True)
    page = context.new_page()
    page.goto(file.as_uri())
    view = ExplorerView(page, page.locator("[data-tracelab-ready]"))
    view.paint_is_settled()
    yield view
    context.close()


FIRST = [
    "× 4: iteration",
    "iteration",
    "forward",
    "net: Sequential",
    "cross_entropy_loss",
    "backward",
    "optimizer step: AdamW",
    "iteration 2",
    "iteration 3",
    "iteration 4",
    "loss",
]


def test_the_first_view_tells_the_loop_in_text_that_can_be_read(
    explorer: ExplorerView, artefacts: Path, request: pytest.FixtureRequest
) -> None:
    scheme = request.node.callspec.params["explorer"]
    explorer.page.screenshot(path=artefacts / f"training-{scheme}.png")
    assert [name.split(", ")[0] for name in explorer.names()] == FIRST
    transform = explorer.host.locator(".items").evaluate("items => items.style.transform")
    scale = float(re.search(r"scale\(([\d.]+)\)", transform)[1])
    assert 11 * scale >= 9
    assert Axe().run(explorer.page).violations_count == 0


def test_the_menu_draws_it_as_it_ran(explorer: ExplorerView) -> None:
    explorer.press("l")
    explorer.host.get_by_role("menuitemcheckbox", name="Training as groups").click()
    explorer.ready()
    expect(explorer.box("EnterContext").first).to_be_attached()
    expect(explorer.box("iteration")).to_have_count(0)
