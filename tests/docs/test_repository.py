"""What the pages for contributors say of the repository is so."""

from __future__ import annotations

import ast
import importlib
import inspect
import re
import tomllib
from pathlib import Path

import pytest

import tracelab

ROOT = Path(__file__).parents[2]
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
FOR_CONTRIBUTORS = [
    ROOT / "ARCHITECTURE.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "docs" / "accessibility.md",
    *sorted((ROOT / "docs" / "developing").glob("*.md")),
]


def text_of(path):
    return path.read_text(encoding="utf-8")


def test_the_table_of_rooms_is_the_import_contract():
    rows = re.findall(r"^\| (\d+) \| (.+?) \|", text_of(ROOT / "ARCHITECTURE.md"), re.MULTILINE)
    said = [set(re.findall(r"`(\w+)`", rooms)) for _, rooms in rows]
    layers = PROJECT["tool"]["importlinter"]["contracts"][0]["layers"]
    assert said == [set(re.split(r" [|:] ", layer)) for layer in layers]
    assert [int(floor) for floor, _ in rows] == list(range(len(layers), 0, -1))


def named():
    """The paths in backticks of pages for contributors, with the name behind `::`."""
    for page in FOR_CONTRIBUTORS:
        pattern = (
            r"`((?:(?:tracelab|tests|labextension|docs|notebooks|\.ci|\.github)/[\w./-]*|[A-Z]+\.\w+))(?:::(\w+))?`"
        )
        for path, name in dict.fromkeys(re.findall(pattern, text_of(page))):
            yield pytest.param(path, name, id=f"{page.name}-{path}{'::' + name if name else ''}")


@pytest.mark.parametrize(("path", "name"), list(named()))
def test_what_a_page_for_contributors_names_is_there(path, name):
    place = ROOT / path
    if path.startswith((".github/", ".ci/")) and not (ROOT / ".github").is_dir():
        pytest.skip("a source distribution has neither workflows nor scripts of CI")
    # Built or written by tests, and not in git.
    if path in ("docs/_build", "tests/e2e/artefacts"):
        return
    assert place.exists()
    if name:
        names = set()
        for node in ast.walk(ast.parse(text_of(place))):
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                names.add(node.name)
            elif isinstance(node, (ast.Assign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                names.update(target.id for target in targets if isinstance(target, ast.Name))
        assert name in names


def test_every_folder_of_tests_is_in_the_table_of_contributing():
    said = set(re.findall(r"`tests/(\w+)`", text_of(ROOT / "CONTRIBUTING.md")))
    there = {path.name for path in (ROOT / "tests").iterdir() if path.is_dir() and any(path.glob("**/*.py"))}
    assert there - said - {"support"} <= {"compat", "fullsize"}
    assert said <= there


PUBLIC = {name for name in tracelab.__all__ if name != "__version__"}


def reference():
    """The pages that document the public names."""
    return "\n".join(text_of(path) for path in sorted((ROOT / "docs" / "reference" / "python").glob("*.md")))


def test_every_public_name_is_in_the_reference():
    listed = set(re.findall(r"auto\w+:: tracelab\.(\w+)", reference()))
    assert listed == PUBLIC


def test_every_public_name_is_in_the_table_above_the_reference():
    table = text_of(ROOT / "docs" / "reference" / "python.md")
    assert set(re.findall(r"^   tracelab\.(\w+)$", table, re.MULTILINE)) == PUBLIC


def test_every_method_of_a_traced_module_in_the_reference_has_a_docstring():
    (members,) = re.findall(r"autoclass:: tracelab\.TracedModule\n   :members: (.+)", reference())
    missing = [name for name in members.split(", ") if not inspect.getdoc(getattr(tracelab.TracedModule, name))]
    assert not missing


def test_one_address_of_the_repository():
    address = PROJECT["project"]["urls"]["Repository"]
    assert f"repository-code: {address}\n" in text_of(ROOT / "CITATION.cff")
    for path in (ROOT / ".github").rglob("*.y*ml"):
        assert set(re.findall(r"https://github\.com/[\w-]+/tracelab", text_of(path))) <= {address}


def test_the_citation_names_this_version():
    assert f"version: {tracelab.__version__}\n" in text_of(ROOT / "CITATION.cff")


def test_every_version_of_the_file_format_is_in_its_table():
    container = importlib.import_module("tracelab.storage.container")
    rows = re.findall(r"^\| (\d+) \|", text_of(ROOT / "docs" / "reference" / "file_format.md"), re.MULTILINE)
    assert [int(row) for row in rows] == list(range(1, container.VERSION + 1))


def test_the_kinds_of_warnings_are_in_the_how_to():
    messages = importlib.import_module("tracelab.capture.messages")
    page = text_of(ROOT / "docs" / "howto" / "read_a_warning.md")
    table = page[page.index("| kind |") :]
    # A `number` is what NumPy or JSON asks for: the sentence says which.
    assert set(messages._WORDS) - {"number", "pickle"} <= set(re.findall(r"`(\w+)`", table))


def test_the_page_for_assistants_is_short():
    """Under 2,000 tokens, at three characters a token, which is more than any tokenizer makes of such text."""
    assert len(text_of(ROOT / "docs" / "llms.txt")) / 3 < 2000


def test_names_on_the_page_for_assistants_exist():
    page = text_of(ROOT / "docs" / "llms.txt")
    assert all(hasattr(tracelab, name) for name in re.findall(r"tracelab\.([a-z_]+)\(", page))
    methods = {*re.findall(r"traced\.([a-z_]+)\(", page), *re.findall(r"`\.([a-z_]+)\((?:path)?\)", page)}
    assert len(methods) > 10
    assert all(hasattr(tracelab.TracedFunction, name) for name in methods - {"counterexample"})
