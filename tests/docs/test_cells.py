"""The notebook cells of the documentation run as they stand: blocks of `ipython`, those of a page in one shell."""

from __future__ import annotations

from pathlib import Path

import pytest

from support.notebook_shell import Shell
from support.pages import blocks_of

ROOT = Path(__file__).parents[2]


def cells_of(page):
    return [block.code for block in blocks_of(page.read_text(encoding="utf-8")) if block.language == "ipython"]


PAGES = [
    path
    for path in [ROOT / "README.md", *sorted((ROOT / "docs").rglob("*.md"))]
    if "_build" not in path.parts and cells_of(path)
]


def run(cells):
    """Run cells in a fresh shell, which knows nothing but what they make; gives the shell."""
    shell = Shell()
    shell.shell.reset(new_session=False)
    for cell in cells:
        error = shell.run(cell).error
        if error is not None:
            raise error
    return shell


@pytest.mark.parametrize("page", [pytest.param(path, id=path.relative_to(ROOT).as_posix()) for path in PAGES])
def test_the_cells_of_a_page_run_in_their_order(page, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    run(cells_of(page))


def test_the_first_example_of_the_start_page_makes_a_graph():
    shell = run(cells_of(ROOT / "docs" / "start.md"))
    assert [node.kind for node in shell.graph.nodes][:3] == ["aten::linear", "aten::softmax", "aten::argmax"]


def test_a_cell_that_lacks_a_name_fails():
    with pytest.raises(NameError, match="net"):
        run(["%load_ext tracelab", "%%trace\nscores = net(x)"])
