"""`--no-function-scopes`: cells and calls whose pictures have modules alone."""

from __future__ import annotations

import pytest
import torch

CODE = """
def double(x):
    x = x + x
    return x.relu()
def twice(x):
    return double(x.exp()).tanh()
"""


@pytest.fixture
def shell(shell):
    shell.space["x"] = torch.ones(2)
    shell.run(CODE)
    return shell


def test_a_cell_is_drawn_with_calls_of_functions(shell):
    assert "double()" in shell.trace("y = twice(x)")


def test_an_option_of_the_cell_leaves_them_out(shell):
    assert "()" not in shell.trace("y = twice(x)", "--no-function-scopes")
    assert not shell.graph.function_scopes


def test_an_option_of_the_line_leaves_them_out(shell):
    assert "()" not in shell.run("%trace --no-function-scopes twice(x)").out
    assert not shell.graph.function_scopes


def test_what_ran_before_a_failure_is_drawn_without_them(shell):
    ran = shell.run("%%trace --no-function-scopes\ny = twice(x)\nz = y @ torch.ones(3, 3)")
    assert isinstance(ran.error, RuntimeError)
    assert "double()" not in ran.out
