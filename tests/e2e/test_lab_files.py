"""Files that hold a graph, opened by double-click in JupyterLab and Notebook 7."""

from __future__ import annotations

import json
import re
import urllib.request
from typing import TYPE_CHECKING

import pytest
import torch
from playwright.sync_api import expect
from torch import nn

import tracelab
from support.browser.waiting import eventually
from support.sampling import sampled
from tracelab.storage.traces import save_traced

if TYPE_CHECKING:
    import pathlib
    from collections.abc import Callable, Iterator

    from playwright.sync_api import Page

    from support.browser.jupyterlab import Lab


@pytest.fixture(scope="module")
def held(lab: Lab) -> pathlib.Path:
    """The server's folder, with a file of each kind."""
    torch.manual_seed(0)
    module = nn.Sequential(nn.Linear(3, 4), nn.ReLU(), nn.Linear(4, 2)).eval()
    traced = tracelab.trace(module, torch.ones(2, 3))
    traced.save(lab.folder / "model.tlab")
    save_traced(traced, lab.folder / "old.tlab")
    torch.export.save(torch.export.export(module, (torch.ones(2, 3),)), lab.folder / "model.pt2")
    torch.jit.save(torch.jit.script(module), lab.folder / "script.pt")
    traced.to_onnx(lab.folder / "model.onnx", check=False)
    torch.save(module.state_dict(), lab.folder / "weights.pt")
    whole = (lab.folder / "model.tlab").read_bytes()
    (lab.folder / "cut.tlab").write_bytes(whole[: len(whole) // 2])
    (lab.folder / "empty.tlab").touch()
    return lab.folder


@pytest.fixture(scope="module")
def one_page(new_page: Callable[[], Page]) -> Iterator[Page]:
    page = new_page()
    yield page
    page.close()


@pytest.fixture
def page(one_page: Page, lab: Lab, held: pathlib.Path) -> Page:
    """JupyterLab, loaded anew, with nothing open but the list of files."""
    page = one_page
    page.problems.clear()
    page.goto(lab.page_url("").replace("/tree/?", "?"))
    page.wait_for_selector(".jp-DirListing-item")
    return page


def open_file(page: Page, name: str) -> None:
    page.locator(".jp-DirListing-item").filter(has=page.get_by_text(name, exact=True)).dblclick()


def shown(page: Page) -> None:
    expect(page.locator('.tracelab-file:visible [data-tracelab-ready="true"]')).to_be_attached(timeout=60_000)


def boxes(page: Page) -> list[str]:
    return (
        page.locator(".tracelab-file:visible")
        .get_by_role("treeitem")
        .evaluate_all("items => items.map(item => item.getAttribute('aria-label'))")
    )


def sessions(lab: Lab) -> list[object]:
    """All sessions but those of notebooks, which other tests left."""
    with urllib.request.urlopen(f"{lab.url}/api/sessions?token={lab.token}", timeout=60) as answer:
        return [session for session in json.load(answer) if not session["path"].endswith(".ipynb")]


def test_a_tlab_file_opens_by_double_click_without_a_kernel(page, lab, artefacts):
    open_file(page, "model.tlab")
    shown(page)
    assert any("linear" in name for name in boxes(page))
    assert sessions(lab) == []
    # A checkpoint would be a copy of the weights.
    assert not list(lab.folder.glob(".ipynb_checkpoints/model*"))
    page.screenshot(path=artefacts / "files-light.png")
    page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Dark'})")
    expect(page.locator("body")).to_have_attribute("data-jp-theme-light", "false")
    page.wait_for_timeout(500)
    page.screenshot(path=artefacts / "files-dark.png")
    page.evaluate("jupyterapp.commands.execute('apputils:change-theme', {theme: 'JupyterLab Light'})")
    assert page.problems == []


@pytest.mark.parametrize(
    "name", sampled(["old.tlab", "model.pt2", "script.pt", "model.onnx"], ["model.pt2", "model.onnx"])
)
def test_other_graph_files_open_through_a_kernel_that_does_not_stay(page, lab, name):
    open_file(page, name)
    shown(page)
    assert any("relu" in name.lower() for name in boxes(page))
    assert sessions(lab) == []
    assert page.problems == []


@pytest.mark.parametrize(
    ("name", "sentence"),
    [
        ("weights.pt", r"the file is a checkpoint, a pickle that torch.save wrote .* holds weights but no graph"),
        ("cut.tlab", r"the file is a damaged or truncated archive"),
        ("empty.tlab", r"the file is empty"),
    ],
)
def test_what_cannot_be_shown_says_why(page, lab, artefacts, name, sentence):
    open_file(page, name)
    expect(page.locator(".tracelab-file-notice:visible")).to_have_text(re.compile(sentence))
    page.screenshot(path=artefacts / f"files-{name}.png")
    assert sessions(lab) == []
    assert page.problems == []


def test_a_file_that_changes_or_goes_while_it_is_open(page, held):
    file = held / "changing.tlab"
    tracelab.trace(torch.relu, torch.ones(2)).save(file)
    page.evaluate("jupyterapp.commands.execute('filebrowser:refresh')")
    open_file(page, "changing.tlab")
    shown(page)
    notice = page.locator(".tracelab-file-notice")
    tracelab.trace(torch.exp, torch.ones(2)).save(file)
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(notice).to_contain_text("The file has changed on disk")
    assert any("relu" in name for name in boxes(page))
    notice.get_by_role("button", name="Reload").click()
    expect(notice).to_be_hidden()
    expect(page.locator(".tracelab-file").get_by_role("treeitem", name="exp, operator")).to_be_attached()
    file.unlink()
    page.evaluate("window.dispatchEvent(new Event('focus'))")
    expect(notice).to_contain_text("The file was moved or deleted. The graph shows its last content.")
    assert any("exp" in name for name in boxes(page))


def test_a_reload_of_the_page_opens_the_tab_again(page, lab):
    open_file(page, "model.tlab")
    shown(page)
    eventually(page, lambda: "model.tlab" in lab.saved_layout(page.url), "the layout is saved")
    page.reload()
    shown(page)
    assert page.problems == []


def test_notebook_7_opens_a_file_from_its_tree(new_page, lab, held, artefacts):
    page = new_page()
    page.goto(f"{lab.url}/tree?token={lab.token}")
    page.wait_for_selector(".jp-DirListing-item")
    with page.context.expect_page() as opened:
        open_file(page, "model.tlab")
    tab = opened.value
    shown(tab)
    tab.screenshot(path=artefacts / "files-notebook7.png")
    assert page.problems == []
