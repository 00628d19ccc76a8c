"""Links in the tables of results, which select in the picture above them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from playwright.sync_api import Locator, expect

from support.browser.jupyterlab import Lab
from support.browser.notebook_view import NotebookView, open_notebook

SETUP = """import torch
import tracelab
%load_ext tracelab
net = torch.nn.Sequential(torch.nn.Linear(4, 8), torch.nn.Sequential(torch.nn.ReLU(), torch.nn.Linear(8, 2)))
x = torch.ones(2, 4)"""
TRACED = """%%trace -o first
y = net(x)"""
AGAIN = """%%trace -o second
z = net(x).relu()"""
RUN = "first.run(x)"
OTHER = "tracelab.trace(lambda x: x.sigmoid(), x).run(x)"


@pytest.fixture(scope="module")
def notebook(lab: Lab, new_page: Callable[[], Any]) -> Iterator[NotebookView]:
    view = open_notebook(lab, new_page(), "hints-links.ipynb", [SETUP, TRACED, RUN, AGAIN, RUN, OTHER])
    view.run_all()
    view.explorer(1)
    view.explorer(3)
    yield view
    view.page.close()


def link(notebook: NotebookView, cell: int, name: str) -> Locator:
    return notebook.cell(cell).locator("a[href^='#tracelab:']").get_by_text(name, exact=True)


def test_the_name_of_a_value_selects_its_operator(notebook: NotebookView) -> None:
    link(notebook, 2, "%relu").click()
    explorer = notebook.explorer(1)
    expect(explorer.host).to_have_attribute("data-selected", "1")
    expect(explorer.panel).to_contain_text("aten::relu")


def test_the_path_of_a_module_selects_it(notebook: NotebookView) -> None:
    notebook.explorer(1).host.evaluate("host => host.tracelab.select(-1)")
    link(notebook, 2, "net.1.1").first.click()
    expect(notebook.explorer(1).host).to_have_attribute("data-selected", "2")


def test_it_is_the_picture_next_above(notebook: NotebookView) -> None:
    for cell in (1, 3):
        notebook.explorer(cell).host.evaluate("host => host.tracelab.select(-1)")
    link(notebook, 4, "%relu").click()
    expect(notebook.explorer(3).host).to_have_attribute("data-selected", "1")
    expect(notebook.explorer(1).host).to_have_attribute("data-selected", "-1")


def test_without_a_picture_it_says_so(notebook: NotebookView) -> None:
    link(notebook, 5, "%sigmoid").click()
    toast = notebook.page.locator(".Toastify__toast")
    expect(toast.last).to_contain_text("No output of this notebook shows the graph with %sigmoid.")
