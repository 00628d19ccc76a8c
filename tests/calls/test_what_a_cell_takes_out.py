"""An array, a list or a number that a cell takes out of a tensor is an output of its graph, as long as it is that."""

from __future__ import annotations

import numpy
import pytest
import torch

import tracelab

BEFORE = """
import numpy as np
from decimal import Decimal
torch.manual_seed(0)
X = torch.randn(4, 3)
linear = nn.Linear(3, 2)
"""


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


@pytest.mark.parametrize(
    "taken",
    [
        "linear(X).detach().numpy()",
        "np.asarray(linear(X).detach())",
        "linear(X).tolist()",
        "float(linear(X).detach().mean())",
        "linear(X).mean().item()",
        "int((X.long() + 1).sum() * 1000)",
        "{'scores': linear(X).tolist(), 'loss': float(X.sum()), 'epoch': 3}",
    ],
)
def test_it_is_an_output_and_a_replay_gives_that_of_its_input(shell, taken):
    shell.trace(f"found = {taken}")
    replayed = shell.space["_trace"](torch.full((4, 3), 2.0))
    assert shell.run(f"X = torch.full((4, 3), 2.0)\nfound = {taken}").error is None
    wanted = shell.space["found"]
    assert type(replayed) is type(wanted)
    numpy.testing.assert_equal(replayed, wanted)


def test_a_number_that_went_to_code_which_takes_no_other_is_an_output(shell):
    shell.trace("loss = linear(X).mean().item()\ntext = Decimal(loss)")
    given = torch.full((4, 3), 2.0)
    assert shell.space["_trace"](given) == shell.space["linear"](given).mean().item()


@pytest.mark.parametrize(
    "cell", ["a = X.clone().numpy()\na += 1", "a = X.tolist()\na.append(1)", "a = X.numpy().copy()"]
)
def test_what_the_cell_wrote_to_is_none(shell, cell):
    shell.trace(f"{cell}\ny = X + 1")
    assert torch.equal(shell.space["_trace"](torch.ones(4, 3)), torch.full((4, 3), 2.0))


def test_the_last_round_of_a_loop_gives_the_output(shell):
    shell.trace("for k in range(3):\n    a = (X * k).numpy()")
    assert numpy.array_equal(shell.space["_trace"](torch.ones(4, 3)), numpy.full((4, 3), 2, dtype="float32"))


def test_a_check_compares_them(shell):
    out = shell.trace("a = linear(X).detach().numpy()\nb = X.tolist()\ny = X + 1", "--check")
    assert "the trace gives what the cell gave" in out
    assert "no difference found" in out


def test_a_check_of_a_loop_records_its_rounds_again(shell):
    assert "no difference found" in shell.trace("y = X\nfor k in range(3):\n    y = y + k", "--check")


def test_a_saved_trace_gives_them(shell, tmp_path):
    shell.trace("a = linear(X).detach().numpy()\nb = X.tolist()")
    shell.space["_trace"].save(tmp_path / "cell.tlab")
    found = tracelab.load(tmp_path / "cell.tlab")(torch.ones(4, 3))
    assert isinstance(found["a"], numpy.ndarray)
    assert found["b"] == torch.ones(4, 3).tolist()
