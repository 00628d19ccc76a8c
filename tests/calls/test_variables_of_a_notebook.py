"""What a cell reads of the notebook's variables is an input of its graph, or is assumed and told."""

from __future__ import annotations

import warnings

import pytest
import torch

import tracelab

BEFORE = """
import numpy as np, pandas as pd
from PIL import Image
torch.manual_seed(0)
x = torch.ones(3)
class State:
    def __init__(self, **parts):
        self.__dict__.update(parts)
    def scaled(self, x):
        return x * self.weight
class Slotted:
    __slots__ = ("weight",)
    def __init__(self, weight):
        self.weight = weight
state = State(weight=torch.full((3,), 2.0), name="a", seen=[1])
slotted = Slotted(torch.full((3,), 2.0))
holder = State(weight=torch.full((3,), 2.0), net=nn.Linear(3, 3))
kept = [nn.Linear(3, 3), torch.ones(3)]
array = np.ones(3, dtype="float32")
long = np.ones((300, 100), dtype="float32")
table = pd.DataFrame({"a": [1.0, 2.0, 3.0], "b": list("abc")})
image = Image.new("L", (3, 1), 7)
"""


@pytest.fixture
def shell(shell):
    pytest.importorskip("PIL")
    assert shell.run(BEFORE).error is None
    return shell


@pytest.mark.parametrize(
    ("cell", "other"),
    [
        ("y = x * state.weight", "state = State(weight=torch.full((3,), 5.0), name='a', seen=[1])"),
        ("y = state.scaled(x)", "state = State(weight=torch.full((3,), 5.0), name='a', seen=[1])"),
        ("y = x + slotted.weight", "slotted = Slotted(torch.full((3,), 5.0))"),
    ],
)
def test_an_object_of_an_own_class_is_an_input(shell, cell, other):
    shell.trace(cell)
    trace = shell.space["_trace"]
    assert shell.run(other).error is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        found = trace(**{name: shell.space[name] for name in trace.input_tree.names})
    assert shell.run(cell).error is None
    assert torch.equal(found, shell.space["y"])


def test_an_object_that_a_cell_writes_to_is_a_result(shell):
    shell.trace("state.weight = state.weight + x")
    found = shell.space["_trace"](state=shell.space["state"], x=torch.ones(3))
    assert type(found) is shell.space["State"]
    assert torch.equal(found.weight, torch.full((3,), 4.0))
    assert torch.equal(shell.space["state"].weight, torch.full((3,), 3.0))


def test_a_check_of_a_cell_that_writes_to_an_object_starts_from_what_it_was(shell):
    assert "the trace gives what the cell gave" in shell.trace("state.weight = state.weight + x", "--check")


@pytest.mark.parametrize(
    ("cell", "other", "subject"),
    [
        ("y = x * holder.weight", "holder.weight = torch.zeros(3)", "holder.weight"),
        ("y = holder.net(x)", "holder.net = nn.Linear(3, 3)", "holder.net"),
        ("y = x + kept[1]", "kept[1] = torch.zeros(3)", "kept[1]"),
        ("y = x + torch.from_numpy(array)", "array = np.zeros(3, dtype='float32')", "array"),
        ("y = x + torch.tensor(array * 2)", "array[0] = 5", "array"),
        ("y = x + torch.as_tensor(long[0, :3])", "long = np.zeros((300, 100), dtype='float32')", "long"),
        ("y = x + torch.tensor(table['a'].to_numpy())", "table = table.assign(a=9.0)", "table"),
        ("y = x + torch.tensor(table['a'].to_numpy())", "table['a'] = 4.0", "table"),
        ("y = x + torch.from_numpy(np.array(image)).float()", "image = Image.new('L', (3, 1), 9)", "image"),
        ("y = x * float(array[0])", "array = np.zeros(3, dtype='float32')", "array"),
    ],
)
def test_what_is_no_input_and_another_one_is_told(shell, cell, other, subject):
    shell.trace(cell)
    trace = shell.space["_trace"]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        trace(torch.ones(3))
    assert shell.run(other).error is None
    with pytest.warns(tracelab.AssumptionWarning) as found:
        trace(torch.ones(3))
    told = [str(warning.message) for warning in found]
    assert any((text.startswith(f"{subject} was a") and "(cell:2: `y = x" in text) or "holder" in text for text in told)
    assert all("trace the cell again" in text for text in told)


def test_an_equal_table_is_not_told(shell):
    shell.trace("y = x + torch.tensor(table['a'].to_numpy())")
    shell.run("table = table.copy()")
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        shell.space["_trace"](torch.ones(3))


def test_what_is_only_shown_is_not_assumed(shell):
    shell.trace("y = x + 1\nprint(table.head(), array.mean(), image.size)")
    assert shell.graph.assumptions == []


def test_a_data_set_of_an_own_class_is_no_input(shell):
    shell.run(
        "class Rows(torch.utils.data.Dataset):\n    def __init__(self):\n        self.data = torch.ones(4, 3)\n"
        "    def __len__(self):\n        return 4\n    def __getitem__(self, at):\n        return self.data[at]\n"
        "data_set = Rows()"
    )
    shell.trace("for xb in torch.utils.data.DataLoader(data_set, batch_size=2):\n    y = xb + x")
    assert "data_set" not in shell.space["_trace"].input_tree.names
