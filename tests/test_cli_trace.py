"""`tracelab trace`, as a program."""

from __future__ import annotations

import subprocess
import sys

import pytest
import torch
from safetensors.torch import save_file

import tracelab
from tracelab.cli import main

CODE = """\
import torch
from beside import factor
model = torch.nn.Linear(3, 2)
def scaled(x, by):
    return x * by * factor
"""


@pytest.fixture
def folder(tmp_path):
    (tmp_path / "net.py").write_text(CODE)
    (tmp_path / "beside.py").write_text("factor = 3")
    save_file({"x": torch.ones(2, 3), "by": torch.ones(3)}, tmp_path / "given.safetensors")
    return tmp_path


def ran(folder, *words):
    command = [sys.executable, "-m", "tracelab.cli", "trace", *words]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=120, check=False)


def test_a_module_is_traced_on_a_shape(folder):
    done = ran(folder, "net.py:model", "--inputs", "float32[2, 3]", "-o", "net.tlab")
    assert (done.returncode, done.stdout) == (0, "net.tlab: TracedModule(Linear, 1 node, 2 parameters)\n"), done.stderr
    assert tracelab.load(folder / "net.tlab")(torch.ones(5, 3)).shape == (5, 2)


def test_a_function_is_traced_on_arguments_by_name(folder):
    done = ran(folder, "net.py:scaled", "--inputs", "given.safetensors", "-o", "net.tlab", "--json")
    assert done.returncode == 0, done.stderr
    assert tracelab.load(folder / "net.tlab")(torch.ones(2), by=torch.full((2,), 2.0)).tolist() == [6, 6]


@pytest.mark.parametrize(
    ("target", "inputs", "message"),
    [
        ("no.py:f", "float32[2]", "cannot open no.py: No such file or directory"),
        ("net.py", "float32[2]", "net.py names no function: write FILE.py:NAME"),
        ("given.safetensors", "float23[2]", "given.safetensors names no function: write FILE.py:NAME"),
    ],
)
def test_bad_use_is_one_sentence(folder, target, inputs, message, capsys, monkeypatch):
    monkeypatch.chdir(folder)
    assert main(["trace", target, "--inputs", inputs, "-o", "net.tlab"]) == 2
    assert capsys.readouterr().err == f"tracelab: {message}\n"
