"""In a cell, a value that becomes Python's is told where it comes back into a tensor or a branch, and nowhere else."""

from __future__ import annotations

import warnings

import pytest
import torch

import tracelab

BEFORE = """
import json, logging, statistics
import numpy as np, pandas as pd
torch.manual_seed(0)
X = torch.randn(8, 3)
linear = nn.Linear(3, 2)
optimizer = torch.optim.SGD(linear.parameters(), lr=0.1)
logger = logging.getLogger("quiet")
history = {"loss": []}
class Meter:
    def __init__(self):
        self.values = []
    def add(self, value):
        self.values.append(value)
    def mean(self):
        return sum(self.values) / len(self.values)
def array_of(x):
    return x.detach().numpy()
def show(value):
    print("value", value)
def apply(value, x):
    return x * value
"""


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


def told(shell):
    return [warning.source.text.strip() for warning in shell.graph.warnings if warning.source is not None]


@pytest.mark.parametrize(
    "cell",
    [
        "p = linear(X).detach().numpy()\nprint(p.mean(), p[0])",
        "loss = linear(X).mean().detach()\nprint(f'{loss:.3f}', float(loss), '%d' % loss, round(loss.item(), 2))",
        "history['loss'].append(float(linear(X).detach().mean()))\nprint(history['loss'][-1])",
        "frame = pd.DataFrame([{'loss': linear(X).mean().item()}])\nprint(frame.describe())",
        "losses = [linear(X).mean().item() for _ in range(3)]\nprint(np.mean(losses), sorted(losses)[0], sum(losses))",
        "logger.info('loss %s', linear(X).mean().item())\nlogger.info('%.2f', linear(X).mean())",
        "text = json.dumps({'a': linear(X).mean().item(), 'b': linear(X).tolist()})",
        "meter = Meter()\nmeter.add(float(linear(X).detach().mean()))\nprint(meter.mean())",
        "show(linear(X).mean().item())\nshow(array_of(linear(X)))",
        "rows = [float(row.sum()) for row in linear(X).detach()]\nprint(max(rows))",
        "x = linear(X).detach().numpy()\nx = X\ny = x + 1",
        "y = X + 1\ny = y.numpy()",
    ],
)
def test_a_value_that_is_only_looked_at_is_told_nowhere(shell, cell):
    shell.trace(cell)
    assert told(shell) == []
    assert [item for item in shell.graph.assumptions if item.kind in ("number", "values", "branch")] == []


@pytest.mark.parametrize(
    ("cell", "line"),
    [
        (
            "p = linear(X).detach().numpy()\nz = torch.from_numpy(p * 2)\ny = X.sum() + z.sum()",
            "z = torch.from_numpy(p * 2)",
        ),
        ("scale = float(linear(X).detach().mean())\nz = linear(X)\ny = z * scale", "y = z * scale"),
        ("limit = float(linear(X).detach().mean())\nmask = X > limit", "mask = X > limit"),
        ("p = np.sort(np.asarray(linear(X).detach()), axis=0)\nz = torch.as_tensor(p)", "z = torch.as_tensor(p)"),
        ("scale = float(linear(X).detach().mean())\nprint(scale)\ny = X * scale", "y = X * scale"),
        ("k = int(linear(X).argmax())\ny = X[:k]", "y = X[:k]"),
        ("scores = linear(X).tolist()\nif scores[0][0] > 0:\n    y = X + 1\nelse:\n    y = X", "if scores[0][0] > 0:"),
        ("values = array_of(linear(X))\ny = torch.tensor(values)", "y = torch.tensor(values)"),
        ("meter = Meter()\nmeter.add(float(linear(X).detach().mean()))\ny = X * meter.mean()", "y = X * meter.mean()"),
        ("y = apply(float(linear(X).detach().mean()), X)", "return x * value"),
        (
            "for group in optimizer.param_groups:\n    group['lr'] = float(linear(X).detach().abs().mean())",
            "group['lr'] = float(linear(X).detach().abs().mean())",
        ),
        ("y = X\nfor _ in range(int(linear(X).argmax())):\n    y = y + 1", "for _ in range(int(linear(X).argmax())):"),
    ],
)
def test_a_value_that_comes_back_is_told_at_that_line(shell, cell, line):
    shell.trace(cell)
    assert line in told(shell)
    assert [item for item in shell.graph.assumptions if item.kind in ("number", "values", "branch")] != []


def test_the_sentence_names_both_lines(shell):
    shell.trace("p = linear(X).detach().numpy()\nz = torch.from_numpy(p)")
    (warning,) = shell.graph.warnings
    assert str(warning) == (
        "cell:3: A value that left the graph at cell:2 becomes part of a tensor again here, which might cause the "
        "trace to be incorrect: the trace is specialized on this value. Keep it a tensor, or trace again where it "
        "differs."
    )


def test_an_item_that_stays_a_number_is_followed_and_told_nowhere(shell):
    shell.trace("scale = linear(X).mean().item()\ny = X * scale")
    assert told(shell) == []
    given = torch.randn(4, 3)
    expected = given * shell.space["linear"](given).mean().item()
    torch.testing.assert_close(shell.space["_trace"](X=given)["y"], expected)


def test_a_number_that_decides_a_branch_is_told_at_the_branch(shell):
    shell.trace("loss = linear(X).mean().item()\nbest = loss if loss < 9 else 0.0\ny = X + 1")
    assert told(shell) == ["best = loss if loss < 9 else 0.0"]


def test_a_function_is_told_at_the_conversion_itself():
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        tracelab.trace(lambda x: (x + 1, print(x.numpy().mean()))[0], torch.ones(2))
    assert "Converting a tensor to a NumPy array" in str(found[0].message)


def test_modules_that_a_cell_makes_warn_of_nothing(shell):
    shell.trace("made = nn.Sequential(nn.Linear(3, 4), nn.BatchNorm1d(4), nn.Linear(4, 1))\ny = made(X)")
    assert told(shell) == []


def test_a_saved_tensor_is_told_nowhere(shell, tmp_path):
    shell.space["path"] = tmp_path / "saved.pt"
    shell.trace("y = linear(X)\ntorch.save({'y': y, 'state': linear.state_dict()}, path)")
    assert told(shell) == []
    assert not shell.graph.assumptions
    assert torch.equal(torch.load(shell.space["path"])["y"], shell.space["y"])


@pytest.mark.parametrize(
    "use",
    ["np.isnan(value)", "np.isfinite(value * 1.1)", "np.exp(value).round(2)", "np.clip(value, 0, 1)", "value.hex()"],
)
def test_libraries_take_a_read_number_as_it_is(shell, use):
    shell.trace(f"value = linear(X).mean().item()\nfound = {use}")
    assert told(shell) == []
    found = shell.space["found"]
    assert shell.run(f"found = {use}").error is None
    assert type(found) is type(shell.space["found"])
    assert found == shell.space["found"]


def test_a_table_of_read_numbers_has_columns_of_numbers(shell):
    shell.trace(
        "rows = [{'loss': linear(row).sum().item(), 'epoch': at} for at, row in enumerate(X)]\n"
        "frame = pd.DataFrame(rows)\nsizes = pd.Series([X.shape[0], X.shape[1]])\nframe.loc[8] = [rows[0]['loss'], 8]"
    )
    assert [str(kind) for kind in shell.space["frame"].dtypes] == ["float64", "int64"]
    assert str(shell.space["sizes"].dtype) == "int64"
    assert type(shell.space["rows"][0]["loss"]) is float


def test_a_clock_takes_a_read_number(shell):
    shell.trace("import time\nvalue = linear(X).abs().mean().item()\ntime.sleep(value / 1e6)\nday = time.gmtime(value)")
    assert told(shell) == []
    assert shell.space["day"].tm_year == 1970


def test_a_value_in_a_tuple_that_a_function_gives_is_followed_to_its_own_variable(shell):
    shell.run("def step(x):\n    return x + 1, float(x.detach().sum())")
    shell.trace("total = 0.0\nx = X\nfor _ in range(3):\n    x, reward = step(x)\n    total += reward\nprint(total)")
    assert told(shell) == []


def test_a_comparison_that_is_kept_is_told_where_it_decides(shell):
    shell.trace("hit = linear(X).argmax().item() == 3\nprint(hit)\nif hit:\n    y = X + 1\nelse:\n    y = X")
    assert told(shell) == ["if hit:"]


def test_a_lambda_that_holds_a_value_is_followed(shell):
    shell.trace("k = linear(X).argmax().item()\nlarger = list(map(lambda n: n * k, range(3)))\nprint(larger)")
    assert told(shell) == []


def test_a_buffer_that_a_cell_replaces_is_told_at_its_line(shell):
    shell.run(
        "class Smooth(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.register_buffer('mean', torch.zeros(3))\n    def forward(self, x):\n"
        "        self.mean = self.mean * 0.9 + x.mean(0) * 0.1\n        return x - self.mean\nsmooth = Smooth()"
    )
    shell.trace("y = smooth(X)")
    (warning,) = shell.graph.warnings
    assert warning.source.text.strip() == "self.mean = self.mean * 0.9 + x.mean(0) * 0.1"
    assert "`smooth.mean.copy_(...)`" in str(warning)
