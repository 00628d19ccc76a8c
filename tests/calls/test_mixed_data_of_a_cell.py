"""Data of tensors and plain values goes into a cell and comes out of it, as it does with a function."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch

import tracelab

BEFORE = """
from collections import namedtuple
from dataclasses import dataclass
from types import SimpleNamespace
torch.manual_seed(0)
net = nn.Linear(3, 3)
x = torch.ones(2, 3)
Pair = namedtuple("Pair", "value label")
@dataclass
class Sample:
    x: torch.Tensor
    weight: float = 1.0
"""


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


@pytest.mark.parametrize(
    "result",
    [
        "{'loss': net(x).sum(), 'acc': (x > 0).float().mean().item()}",
        "{'out': net(x), 'step': 3, 'name': 'a', 'mask': None}",
        "(net(x), 1.5)",
        "[net(x), 2]",
        "Pair(net(x), 'cat')",
        "Sample(net(x))",
        "SimpleNamespace(out=net(x), step=1)",
        "[{'out': net(x), 'id': 7}]",
        "net(x).sum().item()",
        "[net(x).sum().item(), net(x).mean().item()]",
    ],
)
def test_a_replay_gives_what_the_cell_gives(shell, result):
    shell.trace(f"r = {result}")
    replayed = shell.space["_trace"](x=torch.full((2, 3), 2.0))
    assert shell.run(f"x = torch.full((2, 3), 2.0)\nr = {result}").error is None
    wanted = shell.space["r"]
    assert type(replayed) is type(wanted)
    mine, theirs = (list(parts(item)) for item in (replayed, wanted))
    assert len(mine) == len(theirs)
    for a, b in zip(mine, theirs, strict=True):
        assert type(a) is type(b)
        if isinstance(b, (torch.Tensor, float)):
            torch.testing.assert_close(a, b)
        else:
            assert a == b


def parts(item: Any) -> Any:
    if isinstance(item, dict):
        item = list(item.values())
    elif not isinstance(item, (tuple, list)) and hasattr(item, "__dict__") and not isinstance(item, torch.Tensor):
        item = list(vars(item).values())
    if isinstance(item, (tuple, list)):
        for part in item:
            yield from parts(part)
    else:
        yield item


@pytest.mark.parametrize(
    ("batch", "use"),
    [
        ("{'x': x, 'n': 3}", "batch['x'] * batch['n']"),
        ("(x, None)", "batch[0] * 2"),
        ("[x, 2]", "batch[0] * batch[1]"),
        ("Sample(x)", "batch.x * batch.weight"),
        ("SimpleNamespace(x=x, k=2)", "batch.x * batch.k"),
        ("Pair(x, 'cat')", "batch.value * 2"),
        ("{'x': x, 'names': ['a', 'b']}", "batch['x'] + len(batch['names'])"),
    ],
)
def test_a_variable_of_mixed_data_is_an_input(shell, batch, use):
    assert shell.run(f"batch = {batch}").error is None
    shell.trace(f"y = {use}")
    assert shell.space["_trace"].input_tree.names == ["batch"]
    using = use.replace("batch", "other")
    assert shell.run(f"x = torch.full((5, 3), 2.0)\nother = {batch}\nwanted = {using}").error is None
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(shell.space["_trace"](shell.space["other"]), shell.space["wanted"])


def test_another_plain_value_in_it_is_told(shell):
    shell.run("batch = {'x': x, 'n': 3}")
    shell.trace("y = batch['x'] * batch['n']")
    with pytest.warns(tracelab.AssumptionWarning, match=r"`batch\['n'\]` was 3 when it was traced, and is 4"):
        shell.space["_trace"]({"x": torch.ones(2, 3), "n": 4})


def test_objects_that_run_code_are_no_inputs(shell):
    shell.run("holder = {'net': net, 'x': x}\noptimizer = torch.optim.SGD(net.parameters(), lr=0.1)")
    shell.trace("y = holder['net'](holder['x'])")
    assert shell.space["_trace"].input_tree.names == []


def test_a_check_takes_mixed_data(shell):
    shell.run("batch = {'x': x, 'n': 3}")
    assert "the trace gives what the cell gave" in shell.trace("y = batch['x'] * batch['n']", "--check")


# The last expression ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("last", "shown"),
    [("'done'", "'done'"), ("{'a': 1}", "{'a': 1}"), ("x.shape[0]", "2"), ("net(x).sum().item() * 0", "0.0")],
)
def test_the_last_expression_is_the_value_of_the_cell(shell, last, shown):
    assert repr(shell.value(f"%%trace\ny = net(x)\n{last}")) in (shown, f"-{shown}")


@pytest.mark.parametrize("last", ["y", "(y, 1)", "None", "y.sum()"])
def test_what_the_graph_shows_is_not_shown_again(shell, last):
    assert shell.value(f"%%trace\ny = net(x)\n{last}") is None
