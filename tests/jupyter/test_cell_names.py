"""What a cell reads and assigns, and how it runs."""

from __future__ import annotations

import ast
import textwrap
from types import SimpleNamespace

import pytest
import torch

from tracelab.jupyter.magics.cell import compile_cell, holds_tensors


def cell(source):
    return compile_cell(ast.parse(textwrap.dedent(source)), "<cell>")


@pytest.mark.parametrize(
    ("source", "reads"),
    [
        ("y = x + 1", ["x"]),
        ("x = 1\ny = x", []),
        ("x = x + 1", ["x"]),
        ("x += 1", ["x"]),
        ("x = 1\nx += y", ["y"]),
        ("y = f(x, k=z)", ["f", "x", "z"]),
        ("x, y = a, b", ["a", "b"]),
        ("x.add_(1)", ["x"]),
        ("x[0] = y", ["y", "x"]),
        ("y: int = x", ["x"]),
        ("for i in xs:\n    s = i", ["xs"]),
        ("with m as c:\n    y = c", ["m"]),
        ("y = [i * k for i in xs]", ["xs", "k"]),
        ("y = {k: v for k, v in xs}", ["xs"]),
        ("g = lambda t: t + k", ["k"]),
        ("def g(t):\n    return t + k", ["k"]),
        ("def g(t, u=w):\n    return t", ["w"]),
        ("def g():\n    inner = k\n    return inner", ["k"]),
        ("class C:\n    at = k", ["k"]),
        ("if k:\n    y = x\nz = y", ["k", "x", "y"]),
        ("if k:\n    y = x\nelse:\n    y = 1\nz = y", ["k", "x"]),
        ("for i in xs:\n    y = i\nz = y", ["xs", "y"]),
        ("if (y := x) > 0:\n    z = y", ["x"]),
        ("print(f'{x}')", ["print", "x"]),
        ("del x", []),
        ("", []),
    ],
)
def test_a_cell_reads_names_before_it_assigns_them(source, reads):
    assert sorted(cell(source).reads) == sorted(reads)


@pytest.mark.parametrize(
    ("source", "assigns"),
    [
        ("y = x", ["y"]),
        ("a, (b, *c) = x", ["a", "b", "c"]),
        ("a = b = x", ["a", "b"]),
        ("x += 1", ["x"]),
        ("x.data = y", []),
        ("x[0] = y", []),
        ("y: int", []),
        ("for i in xs:\n    s = i", ["i", "s"]),
        ("with m as c:\n    y = c", ["c", "y"]),
        ("y = [i for i in xs]", ["y"]),
        ("def g(t):\n    inner = t", []),
        ("class C:\n    at = 1", []),
        ("if (y := x):\n    pass", ["y"]),
    ],
)
def test_a_cell_assigns_names_at_its_own_level(source, assigns):
    assert cell(source).assigns == assigns


def test_the_outputs_of_a_cell_are_its_tensors():
    space = {"x": torch.ones(2)}
    assert list(cell("y = x + 1\nn = 3\nz = [y, y]").run(space)) == ["y", "z"]


def test_the_last_expression_is_the_result():
    space = {"x": torch.ones(2)}
    assert list(cell("y = x + 1\ny * 2").run(space)) == ["y", "result"]


def test_a_variable_as_the_last_expression_is_no_second_output():
    assert list(cell("y = x + 1\ny").run({"x": torch.ones(2)})) == ["y"]


def test_a_name_deleted_again_is_no_output():
    assert list(cell("y = x + 1\nz = y\ndel y").run({"x": torch.ones(2)})) == ["z"]


@pytest.mark.parametrize(
    ("item", "found"),
    [
        (torch.ones(1), True),
        ([torch.ones(1), (torch.ones(1),)], True),
        ({"a": torch.ones(1)}, True),
        (torch.nn.Parameter(torch.ones(1)), True),
        ([], False),
        ({}, False),
        ([torch.ones(1), 1], True),
        ({"x": torch.ones(1), "names": ["a"], "mask": None}, True),
        (SimpleNamespace(x=torch.ones(1), k=1), True),
        ([torch.nn.ReLU(), torch.ones(1)], False),
        ([len, 1, "a"], False),
        ("text", False),
        (None, False),
        (torch.nn.ReLU(), False),
    ],
    ids=[
        "tensor",
        "nested",
        "dict",
        "parameter",
        "no items",
        "no keys",
        "mixed",
        "a batch",
        "a namespace",
        "with a module",
        "plain",
        "text",
        "none",
        "module",
    ],
)
def test_data_with_tensors_holds_tensors(item, found):
    assert holds_tensors(item) is found
