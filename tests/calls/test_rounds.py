"""Rounds of the loops of a cell are blocks of its graph."""

from __future__ import annotations

import pytest
import torch

BEFORE = """
model = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
optimizer = torch.optim.SGD(model.parameters(), lr=0.1)
x = torch.randn(2, 3)
def step(x):
    loss = model(x).sum()
    loss.backward()
    optimizer.step()
    optimizer.zero_grad()
def epoch(x, steps):
    for _ in range(steps):
        step(x)
async def waited(x):
    return x + 1
"""


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


def blocks(scope):
    """`for ... × 3` and what is in the first of them."""
    rows = {}
    for child in scope.children:
        rows.setdefault((child.name, child.class_name), []).append(child)
    return {
        f"{name} {title} × {len(found)}": blocks(found[0]) if name == "round" else {}
        for (name, title), found in rows.items()
    }


def test_a_round_of_a_loop_is_a_block(shell):
    shell.trace("for _ in range(3):\n    x = model(x) + 1")
    assert blocks(shell.graph.root) == {"round for _ in range(3) × 3": {"model Sequential × 1": {}}}


def test_a_loop_around_one_call_of_a_module_has_rounds(shell):
    shell.trace("for _ in range(5):\n    model(x)")
    assert list(blocks(shell.graph.root)) == ["round for _ in range(5) × 5"]


def test_loops_stand_in_loops(shell):
    shell.trace("for a in range(2):\n    y = x * a\n    for b in range(3):\n        y = model(y)")
    assert blocks(shell.graph.root) == {
        "round for a in range(2) × 2": {"round for b in range(3) × 3": {"model Sequential × 1": {}}}
    }


def test_a_loop_of_a_function_that_the_cell_calls_has_rounds(shell):
    shell.trace("epoch(x, 4)")
    (rounds,) = blocks(shell.graph.root)
    assert rounds == "round for _ in range(steps) × 4"


def test_the_step_of_an_optimizer_is_a_block(shell):
    shell.trace("step(x)")
    assert list(blocks(shell.graph.root)) == ["model Sequential × 1", "optimizer SGD × 1"]


def test_what_stands_behind_a_loop_is_in_no_round(shell):
    shell.trace("for _ in range(2):\n    x = model(x)\nx = x.exp()")
    node = shell.graph.nodes[-1]
    assert (node.kind, node.scope) == ("aten::exp", shell.graph.root)


def test_a_loop_that_breaks_and_one_with_a_condition(shell):
    shell.trace(
        "count = 0\nwhile count < 3:\n    x = model(x) * 2\n    count += 1\nfor _ in range(9):\n    x = model(x)\n"
        "    x = x + 1\n    if count:\n        break\ny = x + 5"
    )
    assert list(blocks(shell.graph.root)) == ["round while count < 3 × 3", "round for _ in range(9) × 1"]


def test_loops_of_a_module_are_no_rounds(shell):
    shell.run(
        "class Deep(nn.Module):\n    def __init__(self):\n        super().__init__()\n"
        "        self.layers = nn.ModuleList(nn.Linear(3, 3) for _ in range(3))\n"
        "    def forward(self, x):\n        for layer in self.layers:\n            x = layer(x)\n        return x\n"
        "deep = Deep()"
    )
    shell.trace("y = deep(x)")
    assert list(blocks(shell.graph.root)) == ["deep Deep × 1"]


def test_a_cell_that_awaits_runs_and_its_loops_have_rounds(shell):
    shell.trace("for _ in range(2):\n    x = await waited(x)\n    x = model(x)\nawait waited(x)")
    assert list(blocks(shell.graph.root)) == ["round for _ in range(2) × 2"]
    assert shell.space["x"].shape == torch.Size([2, 3])


def test_a_cell_may_gather(shell):
    shell.trace("import asyncio\na, b = await asyncio.gather(waited(x), waited(x))\ny = a + b")
    torch.testing.assert_close(shell.space["y"], 2 * (shell.space["x"] + 1))
