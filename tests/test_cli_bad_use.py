"""Commands that cannot be done say so in one sentence, and end with 2."""

from __future__ import annotations

import os

import pytest
import torch
from safetensors.torch import save_file
from torch import nn

import tracelab
from support.systems import with_pipes
from tracelab.cli import main


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    tracelab.trace(nn.Linear(3, 2), torch.ones(1, 3)).save("net.tlab")
    save_file({"input": torch.ones(1, 3)}, "x.safetensors")
    (tmp_path / "deep.json").write_text("[" * 100_000)
    (tmp_path / "leaves.py").write_text("import sys\nsys.exit(3)\n")
    (tmp_path / "net.py").write_text("def f(x):\n    return x\n")
    return tmp_path


@pytest.mark.parametrize(
    ("words", "message"),
    [
        (
            "run net.tlab --inputs x.safetensors -o missing/y.safetensors",
            "cannot write to missing/y.safetensors: No such",
        ),
        ("run net.tlab --inputs x.safetensors -o .", "cannot write to .: Is a directory"),
        ("export net.tlab --to pt2 -o missing/net.pt2", "cannot write to missing/net.pt2: No such file or directory"),
        ("show deep.json --text", "deep.json is no configuration: it is not JSON"),
        (f"show {'n' * 300} --text", f"there is no file {'n' * 300}"),
        (f"info {'n' * 300}", f"cannot open {'n' * 300}: File name too long"),
        ("trace leaves.py:f --inputs float32[2] -o o.tlab", "leaves.py raised SystemExit: 3"),
        ("trace net.py:f --inputs float32[99999999999999] -o o.tlab", "such a tensor cannot be made"),
        ("trace net.py:f --inputs float32[99999999999999999999] -o o.tlab", "such a tensor cannot be made"),
    ],
)
def test_it_is_one_sentence(folder, capsys, words, message):
    assert main(words.split()) == 2
    said = capsys.readouterr().err
    assert message in said
    assert said.startswith("tracelab: ")
    assert said.count("\n") == 1


@with_pipes
@pytest.mark.parametrize("command", ["info", "show --text", "check --inputs x.safetensors", "diff net.tlab"])
def test_a_pipe_is_no_file(folder, capsys, command):
    os.mkfifo(folder / "pipe.tlab")
    assert main([*command.split(), "pipe.tlab"]) == 2
    assert capsys.readouterr().err == "tracelab: pipe.tlab is a pipe or a device: write it to a file, and give that\n"


@pytest.mark.parametrize("given", ["x", None, 3, [1.0], {"a": "b"}])
def test_the_callable_of_a_graph_says_what_it_takes(given):
    run = tracelab.trace(torch.relu, torch.ones(2)).graph.to_callable()
    with pytest.raises(tracelab.InputError, match="the graph takes tensors, in lists, tuples and dicts, but got"):
        run(given)


def test_the_callable_of_a_graph_takes_nothing_by_name():
    run = tracelab.trace(torch.relu, torch.ones(2)).graph.to_callable()
    with pytest.raises(tracelab.InputError, match="by position, but `x` is given by name"):
        run(x=torch.ones(2))


def test_the_callable_of_a_graph_says_where_an_operator_raised():
    run = tracelab.trace(nn.Linear(3, 2), torch.ones(1, 3)).graph.to_callable()
    with pytest.raises(RuntimeError, match="cannot be multiplied") as caught:
        run(torch.ones(1, 4))
    assert "it was recorded on input: float32[1, 3], and is called with float32[1, 4]" in "".join(
        caught.value.__notes__
    )
