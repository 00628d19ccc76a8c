"""A notebook in JupyterLab, as a person sees and uses it."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import Locator, Page, expect

from support.browser.explorer_view import ExplorerView
from support.browser.jupyterlab import Lab

_EXPLORER = "[data-tracelab-ready]"


class NotebookView:
    """The notebook that is open in a JupyterLab page."""

    def __init__(self, page: Page) -> None:
        self.page = page

    def open(self, url: str) -> None:
        """Open the page and wait until the notebook is there."""
        self.page.goto(url)
        self.page.locator(".jp-NotebookPanel .jp-Cell").first.wait_for()
        # Places of explorers move until the notebook has loaded all cells.
        self.page.wait_for_function("window.jupyterapp?.shell.currentWidget?.context?.isReady === true")

    def open_here(self, path: str) -> None:
        """Open another notebook in the page, on the kernel of the current one."""
        self.page.evaluate(
            """async path => {
              const { id } = jupyterapp.shell.currentWidget.sessionContext.session.kernel;
              const opened = await jupyterapp.commands.execute('docmanager:open', { path, kernel: { id } });
              await opened.context.ready;
              await opened.sessionContext.ready;
            }""",
            path,
        )
        self.show(path)

    def show(self, path: str) -> None:
        """Bring one of the notebooks that are open in the page to the front."""
        self.page.evaluate(
            "path => jupyterapp.shell.activateById("
            "[...jupyterapp.shell.widgets('main')].find(widget => widget.context?.path === path).id)",
            path,
        )
        self.page.wait_for_function("path => jupyterapp.shell.currentWidget?.context?.path === path", arg=path)

    def close_others(self, path: str) -> None:
        """Close all that is open in the page but one notebook; nothing is saved."""
        self.show(path)
        self.page.evaluate(
            "path => [...jupyterapp.shell.widgets('main')].filter(widget => widget.context?.path !== path)"
            ".forEach(widget => widget.dispose())",
            path,
        )

    def execute(self, command: str, **arguments: Any) -> None:
        """Run one of JupyterLab's commands, as its menus do, and wait until it has finished."""
        self.page.evaluate(
            "([command, given]) => jupyterapp.commands.execute(command, given).then(() => undefined)",
            [command, arguments],
        )

    def run_all(self) -> None:
        """Run > Run All Cells; returns when the last cell has ended."""
        self.page.wait_for_function("jupyterapp.shell.currentWidget.sessionContext.session?.kernel?.status === 'idle'")
        self.execute("notebook:run-all-cells")

    def cell_with(self, text: str) -> int:
        """The index of the only cell whose source holds `text`."""
        found = self.page.evaluate(
            "text => jupyterapp.shell.currentWidget.content.widgets.flatMap("
            "(cell, index) => cell.model.sharedModel.getSource().includes(text) ? [index] : [])",
            text,
        )
        assert len(found) == 1, f"{len(found)} cells hold {text!r}"
        return int(found[0])

    def cell(self, index: int) -> Locator:
        """A cell, brought onto the screen."""
        self.page.evaluate(
            "index => jupyterapp.shell.currentWidget.content.scrollToItem(index, 'start').catch(() => undefined)", index
        )
        shown = self.page.locator(".jp-NotebookPanel:not(.lm-mod-hidden)")
        return shown.locator(f'.jp-Cell[data-windowed-list-index="{index}"]')

    def run_cell(self, index: int) -> None:
        """Select a cell and run it."""
        self.page.evaluate("index => { jupyterapp.shell.currentWidget.content.activeCellIndex = index }", index)
        self.execute("notebook:run-cell")

    def outputs(self) -> list[dict[str, Any]]:
        """All outputs of the notebook, as they would be saved."""
        found = self.page.evaluate(
            "() => jupyterapp.shell.currentWidget.content.widgets.flatMap("
            "cell => cell.model.type === 'code' ? cell.model.outputs.toJSON() : [])"
        )
        return list(found)

    def cell_count(self) -> int:
        return int(self.page.evaluate("() => jupyterapp.shell.currentWidget.content.widgets.length"))

    def explorer(self, index: int) -> ExplorerView:
        """The explorer that the cell shows, laid out and in view."""
        cell = self.cell(index)
        host = cell.locator(_EXPLORER).locator("visible=true")
        expect(host).to_have_count(1)
        return ExplorerView(self.page, host)


def open_notebook(lab: Lab, page: Page, name: str, cells: list[str]) -> NotebookView:
    """Writes a notebook of code cells and opens it."""
    view = NotebookView(page)
    view.open(lab.page_url(lab.write_notebook(name, cells)))
    return view
