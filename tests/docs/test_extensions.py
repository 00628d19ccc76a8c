"""The parts of the site's build: explorers in pages, notebooks as pages, help of commands."""

from __future__ import annotations

import copy
import json
import sys
from pathlib import Path

import pytest

pytest.importorskip("sphinx")

ROOT = Path(__file__).parents[2]
MIME = "application/vnd.tracelab.v1+json"


@pytest.fixture(scope="module", autouse=True)
def on_the_path():
    sys.path.insert(0, str(ROOT / "docs" / "_ext"))
    yield
    sys.path.remove(str(ROOT / "docs" / "_ext"))


def test_an_explorer_shows_its_last_line_with_the_lines_of_its_code():
    import explorers

    code = "import torch\nimport tracelab\n\n\ndef f(x):\n    return x.relu()\n\n\ntracelab.trace(f, torch.ones(2))\n"
    (node,) = explorers.value_of(code, "this page").graph.nodes
    assert (node.source.line, node.source.text.strip()) == (6, "return x.relu()")


def test_an_explorer_without_a_last_expression_is_refused():
    import explorers

    with pytest.raises(ValueError, match="last line"):
        explorers.value_of("x = 1\n", "this page")


def test_a_title_cannot_become_markup():
    import explorers

    assert "<script>" not in explorers.frame('a".html', "<script>alert(1)</script>")


def test_a_saved_explorer_becomes_a_frame_and_other_outputs_stay(tmp_path):
    import tutorials

    notebook = json.loads((ROOT / "notebooks" / "01_quickstart.ipynb").read_text(encoding="utf-8"))
    page = tutorials.page_of(copy.deepcopy(notebook), tmp_path)
    pairs = [
        (before, after)
        for old, new in zip(notebook["cells"], page["cells"], strict=True)
        for before, after in zip(old.get("outputs", ()), new.get("outputs", ()), strict=True)
    ]
    framed = [after for before, after in pairs if MIME in before.get("data", {})]
    assert framed
    assert all("<iframe" in output["data"]["text/html"] for output in framed)
    assert all(after == before for before, after in pairs if MIME not in before.get("data", {}))
    assert list((tmp_path / "_explorers").glob("*.html"))


def test_another_notebook_that_is_named_becomes_a_link():
    import tutorials

    assert tutorials._linked("See `02_reading_a_trace.ipynb`.") == "See [02_reading_a_trace](02_reading_a_trace.ipynb)."


@pytest.mark.parametrize(
    ("page", "source"),
    [
        ("tutorials/01_quickstart", "notebooks/01_quickstart.ipynb"),
        ("developing/architecture", "ARCHITECTURE.md"),
        ("reference/view_document", "labextension/VIEW_DOCUMENT.md"),
        ("start", None),
        ("genindex", None),
    ],
)
def test_a_page_that_is_made_of_another_file_has_its_source_there(page, source):
    import sources

    assert sources.source_of(page) == source


def test_every_command_has_its_help():
    import commands

    found = commands.commands()
    assert {"show", "info", "diff", "trace", "run", "check", "export", "demo"} <= set(found)
    assert all(command.format_help().startswith(f"usage: tracelab {name}") for name, command in found.items())
