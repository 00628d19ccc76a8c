"""What programs read of the commands: JSON with stable names, and the exit status."""

from __future__ import annotations

import json

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import tracelab
from tracelab.cli import main


def several(x):
    return {"a": x.log(), "b": [x * 2]}


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    """A linear layer as `net.tlab`, `net.pt2` and `net.pt`, `several.tlab`, and inputs."""
    made = tmp_path_factory.mktemp("files")
    torch.manual_seed(0)
    net, x = nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.ones(2, 4)
    tracelab.trace(net, x).save(made / "net.tlab")
    torch.export.save(torch.export.export(net, (x,)), made / "net.pt2")
    torch.jit.save(torch.jit.script(net), made / "net.pt")
    tracelab.trace(several, torch.ones(3), strict=False).save(made / "several.tlab")
    (made / "several.py").write_text("def several(x):\n    return {'a': x.log(), 'b': [x * 2]}\n")
    save_file({"input": torch.randn(2, 4)}, made / "x.safetensors")
    save_file({"input": torch.randn(2, 5)}, made / "wide.safetensors")
    save_file({"x": torch.tensor([0.0, 1.0, 1e30])}, made / "zero.safetensors")
    save_file({"x": torch.tensor([-1.0])}, made / "minus.safetensors")
    return made


def _json(capsys):
    def refuse(word):
        raise AssertionError(f"{word} is no JSON")

    return json.loads(capsys.readouterr().out, parse_constant=refuse)


def _files(folder, command, *names):
    return main([command, *(str(folder / name) if "." in name else name for name in names)])


def test_info_names_each_output_by_its_path(folder, capsys):
    assert _files(folder, "info", "several.tlab", "--json") == 0
    assert _json(capsys)["outputs"] == [
        {"name": "log", "path": "a", "type": "float32[3]"},
        {"name": "mul", "path": "b.0", "type": "float32[3]"},
    ]


def test_info_and_run_tell_types_alike(folder, capsys):
    assert _files(folder, "info", "net.tlab", "--json") == 0
    (output,) = _json(capsys)["outputs"]
    assert _files(folder, "run", "net.tlab", "--inputs", "x.safetensors", "--json") == 0
    assert _json(capsys)["outputs"] == {"output": output["type"]}


def test_the_statistics_of_run_count_what_is_not_finite(folder, capsys):
    assert _files(folder, "run", "several.tlab", "--inputs", "zero.safetensors", "--stats", "--json") == 0
    log = _json(capsys)["nodes"][0]
    assert (log["name"], log["operator"]) == ("log", "aten::log")
    assert (log["outputs"]["log"]["count"], log["outputs"]["log"]["infs"], log["outputs"]["log"]["nans"]) == (3, 1, 0)


def test_run_names_the_first_nan(folder, capsys):
    assert _files(folder, "run", "several.tlab", "--inputs", "minus.safetensors", "--stats", "--json") == 1
    assert _json(capsys)["first_nan"] == "log"


def test_what_is_no_number_in_json_is_text(capsys):
    from tracelab.cli.terminal import say_json

    say_json({"a": [float("nan"), float("-inf"), 1.5], "b": (float("inf"),)})
    assert _json(capsys) == {"a": ["nan", "-inf", 1.5], "b": ["inf"]}


def test_an_operator_that_raises_is_a_fault_of_check(folder, capsys):
    assert _files(folder, "check", "net.tlab", "--inputs", "wide.safetensors", "--json") == 1
    (fault,) = _json(capsys)["faults"]
    assert (fault["kind"], fault["node"]) == ("error", "linear")
    assert "expects 4 features and gets 5" in fault["message"]


def test_a_script_is_checked(folder, capsys):
    assert _files(folder, "check", "net.pt", "--inputs", "x.safetensors") == 0
    assert capsys.readouterr().out == "no fault found\n"


def test_a_script_is_compared_with_its_trace_operator_by_operator(folder, tmp_path, capsys):
    assert _files(folder, "check", "net.pt", "--inputs", "x.safetensors", "--against", "net.tlab") == 0
    torch.manual_seed(1)
    other = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    tracelab.trace(other, torch.ones(2, 4)).save(tmp_path / "other.tlab")
    capsys.readouterr()
    words = ["--against", str(tmp_path / "other.tlab"), "--json"]
    assert main(["check", str(folder / "net.pt"), "--inputs", str(folder / "x.safetensors"), *words]) == 1
    first = _json(capsys)["faults"][0]
    assert (first["kind"], first["node"]) == ("difference", "linear")
    assert "values (max abs " in first["message"]


@pytest.mark.parametrize("command", ["run", "check"])
def test_a_graph_without_weights_says_how_to_get_them(folder, command, capsys):
    assert _files(folder, command, "net.pt2", "--inputs", "x.safetensors") == 2
    assert capsys.readouterr().err.startswith("tracelab: the graph has no weights (`0.weight`)")


def test_a_dict_as_output_is_traced_on_the_user_s_word(folder, tmp_path, capsys):
    words = ["trace", f"{folder / 'several.py'}:several", "--inputs", "float32[3]", "-o", str(tmp_path / "a.tlab")]
    assert main(words) == 2
    assert "strict=False" in capsys.readouterr().err
    assert main([*words, "--no-strict"]) == 0


def test_a_fault_of_the_program_is_no_difference(folder, capsys, monkeypatch):
    def broken(*args, **kwargs):
        raise ZeroDivisionError("a fault")

    monkeypatch.setattr("tracelab.cli.info.summary_text", broken)
    assert _files(folder, "info", "net.tlab") == 2
    assert "ZeroDivisionError: a fault" in capsys.readouterr().err


def test_a_command_that_is_interrupted_has_the_status_of_one(folder, monkeypatch):
    def interrupted(*args, **kwargs):
        raise KeyboardInterrupt

    monkeypatch.setattr("tracelab.cli.info.summary_text", interrupted)
    assert _files(folder, "info", "net.tlab") == 130


@pytest.mark.parametrize("command", ["demo", "show", "export", "info", "diff", "trace", "run", "check"])
def test_the_help_of_each_command_has_an_example(command, capsys):
    with pytest.raises(SystemExit) as ended:
        main([command, "--help"])
    assert ended.value.code == 0
    assert f"example: tracelab {command}" in " ".join(capsys.readouterr().out.split())
