"""`tracelab run` and `tracelab check`, as programs."""

from __future__ import annotations

import json
import subprocess
import sys

import pytest
import torch
from safetensors.torch import load_file, save_file
from torch import nn

import tracelab
from tracelab.cli import main


def branching(x):
    return x.sqrt() if x.sum() > 0 else x


@pytest.fixture(scope="module")
def folder(tmp_path_factory):
    made = tmp_path_factory.mktemp("files")
    linear, x = nn.Linear(4, 3), torch.ones(2, 4)
    tracelab.trace(nn.Sequential(linear, nn.ReLU()), x).save(made / "relu.tlab")
    tracelab.trace(nn.Sequential(linear, nn.GELU()), x).save(made / "gelu.tlab")
    with pytest.warns(tracelab.TracerWarning):
        tracelab.trace(branching, x).save(made / "branch.tlab")
    (name,) = [value.name for value in tracelab.load(made / "relu.tlab").graph.user_inputs]
    save_file({name: torch.randn(5, 4)}, made / "net.safetensors")
    save_file({"x": torch.ones(2, 4)}, made / "x.safetensors")
    save_file({"x": -torch.ones(2, 4)}, made / "minus.safetensors")
    return made


def test_run_writes_what_the_graph_gives(folder, tmp_path):
    words = ["run", str(folder / "relu.tlab"), "--inputs", str(folder / "net.safetensors")]
    out = tmp_path / "out.safetensors"
    done = subprocess.run(
        [sys.executable, "-m", "tracelab.cli", *words, "-o", str(out), "--stats", "--json"],
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert (done.returncode, done.stderr) == (0, "")
    found = json.loads(done.stdout)
    assert found["outputs"] == {"output": "float32[5, 3]"}
    assert [node["operator"] for node in found["nodes"]] == ["aten::linear", "aten::relu"]
    (x,) = load_file(folder / "net.safetensors").values()
    assert load_file(out)["output"].equal(tracelab.load(folder / "relu.tlab")(x).detach())


def test_run_stops_at_a_node(folder, capsys):
    words = ["run", str(folder / "relu.tlab"), "--inputs", str(folder / "net.safetensors"), "--upto", "0"]
    assert main(words) == 0
    assert "stopped before aten::relu" in capsys.readouterr().out


def test_run_that_makes_a_nan_is_1(folder, capsys):
    assert main(["run", str(folder / "branch.tlab"), "--inputs", str(folder / "minus.safetensors")]) == 1
    assert "first NaN: aten::sqrt" in capsys.readouterr().out


def test_check_finds_no_fault(folder, capsys):
    assert main(["check", str(folder / "branch.tlab"), "--inputs", str(folder / "x.safetensors")]) == 0
    assert capsys.readouterr().out == "no fault found\n"


def test_check_finds_assumptions_that_do_not_hold_and_nans(folder, capsys):
    assert main(["check", str(folder / "branch.tlab"), "--inputs", str(folder / "minus.safetensors"), "--json"]) == 1
    assert [fault["kind"] for fault in json.loads(capsys.readouterr().out)["faults"]] == ["assumption", "not finite"]


def test_check_against_names_the_operator_that_differs(folder, capsys):
    words = ["check", str(folder / "relu.tlab"), "--inputs", str(folder / "net.safetensors"), "--against"]
    assert main([*words, str(folder / "relu.tlab")]) == 0
    capsys.readouterr()
    assert main([*words, str(folder / "gelu.tlab")]) == 1
    assert capsys.readouterr().out.startswith("difference: aten::relu")


def test_inputs_that_do_not_fit_are_one_sentence(folder, capsys):
    assert main(["run", str(folder / "relu.tlab"), "--inputs", str(folder / "no.safetensors")]) == 2
    assert "cannot open" in capsys.readouterr().err
    assert main(["run", str(folder / "branch.tlab"), "--inputs", str(folder / "relu.tlab")]) == 2
    assert "not a safetensors file" in capsys.readouterr().err
    save_file({"y": torch.ones(1)}, folder / "other.safetensors")
    assert main(["run", str(folder / "branch.tlab"), "--inputs", str(folder / "other.safetensors")]) == 2
    assert capsys.readouterr().err.endswith("lacks `x`: the graph takes x\n")


def test_check_against_an_onnx_file_pairs_operators_by_order(folder, tmp_path, capsys):
    pytest.importorskip("onnxruntime")
    tracelab.load(folder / "relu.tlab").to_onnx(tmp_path / "relu.onnx")
    (name,) = [value.name for value in tracelab.read(tmp_path / "relu.onnx").graph.user_inputs]
    save_file({name: torch.randn(5, 4)}, tmp_path / "x.safetensors")
    words = ["--inputs", str(tmp_path / "x.safetensors"), "--against"]
    assert main(["check", str(tmp_path / "relu.onnx"), *words, str(folder / "relu.tlab")]) == 0
    assert capsys.readouterr().out == (
        "the two have operators of other names: 2 values compared, paired by order\nno fault found\n"
    )
    assert main(["check", str(folder / "gelu.tlab"), *words, str(tmp_path / "relu.onnx")]) == 1
    assert "difference: aten::gelu (%gelu" in capsys.readouterr().out
