"""The command line on files: `show`, `info` and `diff`."""

from __future__ import annotations

import json
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

import tracelab
from tracelab.cli import main


def branching(x):
    return x.view(x.shape[0], -1) if x.sum() > 0 else x


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """`relu.tlab`, `gelu.tlab`, `relu.pt2`, `relu.pt` and `branch.tlab`."""
    made = tmp_path_factory.mktemp("files")
    linear, x = nn.Linear(4, 3), torch.ones(2, 4)
    relu, gelu = nn.Sequential(linear, nn.ReLU()), nn.Sequential(linear, nn.GELU())
    tracelab.trace(relu, x).save(made / "relu.tlab")
    tracelab.trace(gelu, x).save(made / "gelu.tlab")
    torch.export.save(torch.export.export(relu, (x,)), made / "relu.pt2")
    torch.jit.save(torch.jit.script(relu), made / "relu.pt")
    with pytest.warns(tracelab.TracerWarning):
        tracelab.trace(branching, x).save(made / "branch.tlab")
    return made


@pytest.mark.parametrize("name", ["relu.tlab", "relu.pt2", "relu.pt"])
def test_info_tells_operators_and_parameters(folder, name, capsys):
    assert main(["info", str(folder / name)]) == 0
    assert "2 ops, 15 parameters (60 B)" in capsys.readouterr().out


def test_info_tells_warnings_and_assumptions(folder, capsys):
    assert main(["info", str(folder / "branch.tlab")]) == 0
    printed = capsys.readouterr().out
    assert "1 warning" in printed
    assert "assumptions\n  test_cli_of_files.py:17: x.sum() > 0 is True" in printed


def test_info_as_json(folder, capsys):
    assert main(["info", str(folder / "branch.tlab"), "--json"]) == 0
    found = json.loads(capsys.readouterr().out)
    assert (found["name"], found["kind"], found["parameters"]) == ("branching", "function", 0)
    assert [value["name"] for value in found["inputs"]] == ["x"]
    assert found["assumptions"] == [
        {"kind": "branch", "what": "x.sum() > 0", "value": "True", "line": "test_cli_of_files.py:17"}
    ]


def test_diff_of_equal_graphs_in_files_of_two_kinds_is_0(folder, capsys):
    assert main(["diff", str(folder / "relu.tlab"), str(folder / "relu.pt2")]) == 0
    assert "no difference" in capsys.readouterr().out


def test_diff_of_other_graphs_is_1(folder, capsys):
    assert main(["diff", str(folder / "relu.tlab"), str(folder / "gelu.tlab")]) == 1
    assert "relu → gelu" in capsys.readouterr().out


def test_diff_as_json(folder, capsys):
    assert main(["diff", str(folder / "relu.tlab"), str(folder / "gelu.tlab"), "--json"]) == 1
    found = json.loads(capsys.readouterr().out)
    assert (found["added"], found["removed"]) == ([], [])
    (changed,) = found["changed"]
    assert (changed["before"]["operator"], changed["after"]["operator"]) == ("aten::relu", "aten::gelu")
    assert changed["changes"] == ["operator"]


def test_show_prints_the_graph(folder, capsys):
    assert main(["show", str(folder / "relu.tlab"), "--text"]) == 0
    assert capsys.readouterr().out.strip() == str(tracelab.load(folder / "relu.tlab").graph).strip()


@pytest.mark.parametrize("name", ["relu.tlab", "relu.pt2"])
def test_show_writes_the_explorer(folder, name, tmp_path, capsys):
    page = tmp_path / "page.html"
    assert main(["show", str(folder / name), "-o", str(page), "--no-browser"]) == 0
    assert page.read_text(encoding="utf-8").startswith("<!doctype html>")
    assert capsys.readouterr().out == f"the explorer: {page}\n"


def test_show_writes_a_picture(folder, tmp_path):
    picture = tmp_path / "net.svg"
    assert main(["show", str(folder / "relu.tlab"), "--svg", str(picture)]) == 0
    assert ElementTree.parse(picture).getroot().tag == "{http://www.w3.org/2000/svg}svg"


@pytest.mark.parametrize("words", [["info", "no.tlab"], ["show", "no.tlab"], ["diff", "no.tlab", "no.tlab"]])
def test_a_file_that_is_missing_is_one_sentence(words, capsys):
    assert main(words) == 2
    assert capsys.readouterr().err == "tracelab: cannot open no.tlab: No such file or directory\n"


@pytest.mark.parametrize("command", ["info", "show"])
def test_a_file_that_holds_no_graph_is_one_sentence(command, tmp_path, capsys):
    path = tmp_path / "notes.txt"
    path.write_text("no graph")
    assert main([command, str(path)]) == 2
    assert capsys.readouterr().err.startswith(f"tracelab: {path}: the file holds no graph that tracelab knows")


def test_names_in_a_file_do_not_steer_the_terminal(tmp_path, capsys):
    net = nn.Sequential()
    net.add_module("\x1b[2J", nn.Linear(2, 2))
    path = tmp_path / "net.tlab"
    tracelab.trace(net, torch.ones(1, 2)).save(path)
    for command in (["info", str(path)], ["show", str(path), "--text"]):
        assert main(command) == 0
        assert "\x1b" not in capsys.readouterr().out


def test_show_lays_numbers_on_the_graph(folder, tmp_path, capsys):
    data = tmp_path / "score.json"
    data.write_text('{"results": {"relu": {"value": 3}}}')
    assert main(["show", str(folder / "relu.tlab"), "--text", "--overlay", str(data)]) == 0
    assert "%relu  aten::relu" in capsys.readouterr().out
    page = tmp_path / "page.html"
    assert main(["show", str(folder / "relu.tlab"), "-o", str(page), "--no-browser", "--overlay", str(data)]) == 0
    assert main(["show", str(folder / "relu.tlab"), "-o", str(data), "--no-browser", "--overlay", str(data)]) == 2
    assert "is a file that is read" in capsys.readouterr().err


@pytest.mark.parametrize(
    ("content", "sentence"),
    [
        ('{"results": {"relu": {"value": 3}}}', "is node data, which lies on a graph: tracelab show TRACE.tlab"),
        ('{"traceEvents": [{"ph": "X", "name": "a", "ts": 1, "dur": 1}]}', "is a profile of torch.profiler, which"),
        ('{"a": 1}', "is no configuration of transformers: it names no model_type"),
        ("[1, 2]", "is no configuration of transformers: it names no model_type"),
        ("{", "is no configuration: it is not JSON"),
    ],
)
def test_json_that_is_no_configuration_is_one_sentence(content, sentence, tmp_path, capsys):
    (tmp_path / "a.json").write_text(content)
    assert main(["show", str(tmp_path / "a.json"), "--no-browser"]) == 2
    error = capsys.readouterr().err
    assert sentence in error
    assert error.count("\n") == 1


def test_numbers_go_with_the_page_and_the_text(folder, tmp_path, capsys):
    words = ["show", str(folder / "relu.tlab"), "--overlay", "a.json", "--svg", str(tmp_path / "a.svg")]
    assert main(words) == 2
    assert "not with a figure" in capsys.readouterr().err
