"""The panel of traces in JupyterLab, and cells that fill it."""

from __future__ import annotations

from playwright.sync_api import Locator, expect

from support.browser.explorer_view import ExplorerView
from support.browser.notebook_view import NotebookView

SETUP = """import warnings
warnings.simplefilter("ignore")
import torch
import traces_library
%load_ext tracelab
torch.manual_seed(0)
layer = torch.nn.Linear(16, 4)
x = torch.ones(8, 16)"""
SMALL = """%%trace -o small
y = layer(x).relu()"""
FROZEN = """%%trace -o frozen
z = traces_library.halves(x)"""
LIBRARY = """# A module beside the notebook.


def halves(x):
    if x.sum() > 0:
        return x / 2
    return x
"""


class PanelView:
    """The panel of traces in a JupyterLab page."""

    def __init__(self, notebook: NotebookView) -> None:
        self.notebook = notebook
        self.page = notebook.page
        self.node = self.page.locator("#tracelab-traces")

    def show(self) -> None:
        self.notebook.execute("tracelab:show-traces")
        expect(self.node).to_be_visible()

    @property
    def status(self) -> Locator:
        return self.node.get_by_role("status")

    @property
    def items(self) -> Locator:
        return self.node.get_by_role("option")

    def item(self, title: str) -> Locator:
        return self.items.filter(has=self.page.locator(".tracelab-traces-name span:first-child", has_text=title))

    def press(self, label: str) -> None:
        self.node.get_by_role("button", name=label, exact=True).click()

    @property
    def tabs(self) -> Locator:
        return self.page.locator(".tracelab-tab")

    def close_tabs(self) -> None:
        self.page.evaluate(
            "() => [...jupyterapp.shell.widgets('main')].forEach(widget => "
            "widget.hasClass('tracelab-tab') && widget.dispose())"
        )
        expect(self.tabs).to_have_count(0)

    def open(self, title: str) -> ExplorerView:
        """Open a trace of the list in a tab."""
        self.item(title).click()
        self.press("Open")
        host = self.tabs.last.locator("[data-tracelab-ready].tracelab-widget")
        expect(host).to_have_count(1)
        return ExplorerView(self.page, host)
