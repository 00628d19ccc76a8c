"""The command line: what it prints, writes, and how it ends."""

from __future__ import annotations

from xml.etree import ElementTree

import nbformat
import pytest

import tracelab
from tracelab.cli import main


def test_the_version_is_printed(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["--version"])
    assert ended.value.code == 0
    assert capsys.readouterr().out == f"tracelab {tracelab.__version__}\n"


def test_no_command_prints_the_help(capsys):
    assert main([]) == 0
    assert capsys.readouterr().out.startswith("usage: tracelab ")


def test_an_unknown_command_is_refused(capsys):
    with pytest.raises(SystemExit) as ended:
        main(["nonsense"])
    assert ended.value.code == 2
    assert "nonsense" in capsys.readouterr().err


def test_a_folder_that_cannot_be_made_is_one_sentence(tmp_path, capsys):
    (tmp_path / "file").write_text("")
    folder = tmp_path / "file" / "demo"
    assert main(["demo", "-o", str(folder), "--no-browser"]) == 2
    assert capsys.readouterr().err == (
        f"tracelab: cannot write to {folder}: Not a directory; choose another folder with -o\n"
    )


@pytest.fixture(scope="module")
def demo(tmp_path_factory):
    """The folder that the demo wrote."""
    folder = tmp_path_factory.mktemp("demo") / "new" / "folder"
    assert main(["demo", "-o", str(folder), "--no-browser"]) == 0
    return folder


@pytest.mark.slow
def test_the_demo_writes_two_pictures_and_the_quickstart(demo):
    assert sorted(path.name for path in demo.iterdir()) == ["01_quickstart.ipynb", "gpt.svg", "resnet18.svg"]


@pytest.mark.slow
@pytest.mark.parametrize("name", ["resnet18.svg", "gpt.svg"])
def test_the_pictures_of_the_demo_are_well_formed(demo, name):
    assert ElementTree.parse(demo / name).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.slow
def test_the_quickstart_of_the_demo_has_run(demo):
    cells = [cell for cell in nbformat.read(demo / "01_quickstart.ipynb", as_version=4).cells if cell.source]
    assert all(cell.execution_count for cell in cells if cell.cell_type == "code")


@pytest.mark.slow
def test_the_quickstart_of_the_demo_has_explorers(demo):
    cells = nbformat.read(demo / "01_quickstart.ipynb", as_version=4).cells
    outputs = [output for cell in cells for output in cell.get("outputs", ())]
    assert any("application/vnd.tracelab.v1+json" in output.get("data", {}) for output in outputs)
