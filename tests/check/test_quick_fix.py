"""Specializations, and the edits that take them out of the code: only where nothing else changes."""

from __future__ import annotations

import itertools
import linecache
import math
import warnings

import numpy as np
import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab
from support.replay import assert_same

NAMES = {"torch": torch, "F": F, "np": np, "math": math, "nn": nn}
numbers = itertools.count()


def written(code, name="f"):
    """The function of a text, as a notebook has it: its lines are at hand."""
    file = f"<quick fix {next(numbers)}>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    space = dict(NAMES)
    exec(compile(code, file, "exec"), space)
    return space[name]


def fixes_of(code, *example):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(written(code), example, check_trace=False)
    return [tracelab.quick_fix(warning) for warning in traced.graph.warnings]


def fixed(code, *example):
    """The code after the one fix that is offered."""
    (found,) = [fix for fix in fixes_of(code, *example) if fix is not None]
    edit, lines = found.edit, code.splitlines(keepends=True)
    before = "".join(lines[: edit.line - 1]) + lines[edit.line - 1][: edit.column]
    after = lines[edit.end_line - 1][edit.end_column :] + "".join(lines[edit.end_line :])
    return before + edit.text + after


def function(*body, arguments="x"):
    return f"def f({arguments}):\n" + "".join(f"    {line}\n" for line in body)


BRANCH = function("if x.sum() > 0:", "    y = x * 2", "else:", "    y = -x", "return y")
REWRITES = {
    "a branch that binds one variable": (BRANCH, "    y = torch.where(x.sum() > 0, x * 2, -x)\n    return y\n"),
    "a branch without another side": (
        function("y = x + 1", "if y.mean() > 0:", "    y = torch.relu(y)", "return y"),
        "    y = x + 1\n    y = torch.where(y.mean() > 0, torch.relu(y), y)\n    return y\n",
    ),
    "two returns": (
        function("if x.max() > 1:", "    return x / 2", "return x * 1"),
        "    return torch.where(x.max() > 1, x / 2, x * 1)\n",
    ),
    "a branch in one expression": (
        function("return (x * 3 if x.sum() > 0 else x - 1) + 1  # why"),
        "    return (torch.where(x.sum() > 0, x * 3, x - 1)) + 1  # why\n",
    ),
    "a condition turned round": (
        function("if not x.sum() > 0:", "    y = x * 2", "else:", "    y = -x", "return y"),
        "    y = torch.where(x.sum() > 0, -x, x * 2)\n    return y\n",
    ),
    "a number as a condition": (
        function("return x * 2 if x.sum() else x - 2"),
        "    return torch.where(x.sum() != 0, x * 2, x - 2)\n",
    ),
    "a number as the condition of a statement": (
        function("if x.sum():", "    x = x * 2", "return x"),
        "    x = torch.where(x.sum() != 0, x * 2, x)\n    return x\n",
    ),
    "a branch on a size": (
        function("if x.shape[0] > 2:", "    x = x * 2", "return x"),
        "    x = torch.where(torch.tensor(x.shape[0]) > 2, x * 2, x)\n    return x\n",
    ),
    "a function of torch.nn": (
        function("return F.gelu(x) if x.sum() > 0 else F.silu(x)"),
        "    return torch.where(x.sum() > 0, F.gelu(x), F.silu(x))\n",
    ),
    "len": (function("return x * len(x)"), "    return x * x.shape[0]\n"),
    "a float of a size": (function("return x / float(x.size(0))"), "    return x / (x.size(0) * 1.0)\n"),
    "half a size": (function("return x[: int(x.shape[0] / 2)]"), "    return x[: x.shape[0] // 2]\n"),
    "a float of a tensor": (function("return x * float(x.sum())"), "    return x * x.sum().item()\n"),
    "a function of NumPy": (
        function("return torch.from_numpy(np.square(x.numpy()))"),
        "    return torch.square(x)\n",
    ),
    "through a list and back": (function("return torch.tensor(x.tolist())"), "    return x.detach().clone()\n"),
}
INPUTS = [
    torch.tensor([1.0, 2.0, 3.0]),
    torch.tensor([-1.0, -2.0]),
    torch.tensor([0.5, -0.5, 0.0, 4.0]),
    torch.zeros(5),
]


@pytest.mark.parametrize("name", REWRITES)
def test_the_edit_is_what_a_person_would_write(name):
    code, body = REWRITES[name]
    assert fixed(code, INPUTS[0]) == "def f(x):\n" + body


@pytest.mark.parametrize("name", REWRITES)
def test_the_fixed_code_gives_the_same(name):
    old, new = written(REWRITES[name][0]), written(fixed(REWRITES[name][0], INPUTS[0]))
    for x in INPUTS:
        assert_same(new(x.clone()), old(x.clone()))


@pytest.mark.parametrize("name", REWRITES)
def test_the_trace_of_the_fixed_code_follows_every_input_without_a_warning(name):
    new = written(fixed(REWRITES[name][0], INPUTS[0]))
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.TracerWarning)
        traced = tracelab.trace(new, INPUTS[0].clone(), check_trace=False)
    for x in INPUTS:
        assert_same(traced(x.clone()), new(x.clone()))


DIFFERENTIABLE = [name for name in REWRITES if "NumPy" not in name and "list" not in name]


@pytest.mark.parametrize("name", DIFFERENTIABLE)
def test_the_gradients_are_the_same(name):
    old, new = written(REWRITES[name][0]), written(fixed(REWRITES[name][0], INPUTS[0]))
    for x in INPUTS:
        gradients = []
        for run in (old, new):
            leaf = x.clone().requires_grad_()
            run(leaf).sum().backward()
            gradients.append(leaf.grad)
        assert_same(*gradients)


LEFT_ALONE = {
    "sides of another shape": function("return x if x.sum() > 0 else x.sum()"),
    "sides whose shapes are alike by chance": function("return x.sum(0) if x.sum() > 0 else x.sum(1)"),
    "sides of another type": function("return x * 2 if x.sum() > 0 else x.long()"),
    "a side that another tensor is in": ("w = torch.ones(3, 3)\n" + function("return x * 2 if x.sum() > 0 else w * 2")),
    "a division that may be by zero": function("return x / x.sum() if x.sum() > 0 else x * 2"),
    "a logarithm, whose gradient may be infinite": function("return x.log() if x.min() > 0 else x * 2"),
    "a side that does more": function("if x.sum() > 0:", "    print(end='')", "    x = x * 2", "return x"),
    "a side that calls a function of the user": (
        "def g(x):\n    return x\n" + function("return g(x) if x.sum() > 0 else x * 2")
    ),
    "a random side": function("return F.dropout(x) if x.sum() > 0 else x * 2"),
    "a side that another name is written to": function("y = x if x.sum() > 0 else x * 2", "y[0] = 1", "return x + y"),
    "two conditions": function("return x * 2 if x.sum() > 0 and x.max() > 0 else x * 3"),
    "an elif": function(
        "if len('a') == 2:", "    y = x", "elif x.sum() > 0:", "    y = x * 2", "else:", "    y = x * 3", "return y"
    ),
    "a comment that would be lost": function(
        "if x.sum() > 0:", "    y = x * 2  # because", "else:", "    y = -x", "return y"
    ),
    "an integer of a fraction": function("return x * int(x.sum())"),
    "a float that Python's own functions take": function("return x * math.sqrt(float(x.sum()))"),
    "a loop over rows": function("return sum(row for row in x)"),
    "a float that the user made": "def float(x):\n    return 2.0 if x > 0 else 1.0\n"
    + function("return x * float(x.sum())"),
}


@pytest.mark.parametrize("name", LEFT_ALONE)
def test_what_is_not_certain_is_left_to_the_person(name):
    found = fixes_of(LEFT_ALONE[name], torch.ones(3, 3))
    assert found
    assert found == [None] * len(found)


def test_a_quick_fix_reads_as_its_lines_and_why():
    (found,) = fixes_of(BRANCH, torch.ones(2))
    assert str(found) == (
        "y = torch.where(x.sum() > 0, x * 2, -x)  (both sides have the same shape and type, and neither has a "
        "side effect)"
    )


def test_names_in_a_module_are_its_attributes():
    code = (
        "class f(nn.Module):\n"
        "    def __init__(self):\n"
        "        super().__init__()\n"
        "        self.scale = nn.Parameter(torch.ones(()))\n"
        "    def forward(self, x):\n"
        "        return x * self.scale if x.sum() > 0 else x\n"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(written(code)(), torch.ones(2), check_trace=False)
    (found,) = map(tracelab.quick_fix, traced.graph.warnings)
    assert found.new_lines.strip() == "return torch.where(x.sum() > 0, x * self.scale, x)"


def test_columns_count_characters():
    code = function("return 'äöü' and (x * 2 if x.sum() > 0 else -x)")
    assert "return 'äöü' and (torch.where(x.sum() > 0, x * 2, -x))" in fixed(code, torch.ones(2))


def test_code_that_is_gone_has_no_quick_fix():
    def traced():
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            return tracelab.trace(written(BRANCH), torch.ones(2), check_trace=False)

    (warning,) = traced().graph.warnings
    del linecache.cache[warning.source.file]
    assert tracelab.quick_fix(warning) is None


def test_code_that_was_edited_has_no_quick_fix():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(written(BRANCH), torch.ones(2), check_trace=False)
    (warning,) = traced.graph.warnings
    edited = BRANCH.replace("x * 2", "x @ x")
    file = warning.source.file
    linecache.cache[file] = (len(edited), None, edited.splitlines(keepends=True), file)
    assert tracelab.quick_fix(warning) is None


def test_a_local_that_is_not_bound_yet_is_no_global():
    code = "y = torch.ones(2)\n" + function("if x.sum() > 0:", "    y = x * 2", "return y")
    assert fixes_of(code, torch.ones(2)) == [None]


def test_nothing_of_the_user_s_runs():
    asked = []

    class Loud:
        @property
        def scale(self):
            asked.append("scale")
            return 2.0

    space = {**NAMES, "loud": Loud()}
    code = function("return x * 2 if x.sum() > 0 else x * loud.scale")
    file = "<quick fix loud>"
    linecache.cache[file] = (len(code), None, code.splitlines(keepends=True), file)
    exec(compile(code, file, "exec"), space)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(space["f"], torch.ones(2), check_trace=False)
    assert [tracelab.quick_fix(warning) for warning in traced.graph.warnings] == [None]
    assert asked == []
