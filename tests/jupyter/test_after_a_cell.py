"""What a traced cell leaves behind: the variables, the filters and the errors of a cell that was not traced."""

from __future__ import annotations

import re
import warnings

import pytest
import torch
from torch import nn


@pytest.fixture
def shell(shell):
    shell.space.update(x=torch.ones(2, 3), model=nn.Linear(3, 2))
    return shell.shell


def run(shell, cell, options=""):
    return shell.run_cell(f"%%trace {options}\n{cell}")


@pytest.mark.parametrize(
    ("cell", "found"),
    [
        ("n = x.shape[0]\ny = x.view(n, -1)", (int, 2)),
        ("n = (x.sum() * 1).item()", (float, 6.0)),
        ("n = x.shape", (torch.Size, torch.Size([2, 3]))),
        ("n = {'k': [x.size(1)]}", (dict, {"k": [3]})),
    ],
)
def test_numbers_in_variables_are_plain(shell, cell, found):
    run(shell, cell)
    number = shell.user_ns["n"]
    assert (type(number), number) == found
    assert "Sym" not in str([type(part) for part in number] if isinstance(number, tuple) else type(number))


def test_a_list_that_got_a_size_is_the_same_list_with_a_plain_number(shell):
    sizes = shell.user_ns["sizes"] = []
    run(shell, "sizes.append(x.shape[0])")
    assert shell.user_ns["sizes"] is sizes
    assert type(sizes[0]) is int


def test_a_size_in_an_attribute_is_plain(shell):
    run(shell, "model.seen = x.shape[0]\ny = model(x)")
    assert type(shell.user_ns["model"].seen) is int


def test_numbers_are_plain_after_a_cell_that_failed(shell):
    run(shell, "n = x.shape[0]\nraise ValueError('no')")
    assert type(shell.user_ns["n"]) is int


def test_a_filter_that_the_cell_sets_stays(shell):
    with warnings.catch_warnings():
        run(shell, "import warnings\nwarnings.simplefilter('error', ResourceWarning)")
        assert ("error", None, ResourceWarning, None, 0) in warnings.filters


def test_tracing_leaves_the_filters_as_they_were(shell):
    before = list(warnings.filters)
    run(shell, "y = x + 1")
    assert warnings.filters == before


# Inputs ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "cell",
    [
        "def f(other): return other + 1\ny = f(x)",
        "y = x + sum(other for other in (1, 2))",
        "y = x + 1\nif False:\n    y = other",
    ],
    ids=["parameter", "comprehension", "branch not taken"],
)
def test_a_variable_that_was_not_used_is_no_input(shell, cell):
    shell.user_ns["other"] = torch.ones(5)
    run(shell, cell)
    assert shell.user_ns["_trace"].input_tree.names == ["x"]


def test_a_variable_that_only_another_branch_assigns_is_an_input(shell):
    shell.user_ns["kept"] = torch.zeros(2, 3)
    run(shell, "if False:\n    kept = x\ny = kept + 1")
    assert shell.user_ns["_trace"].input_tree.names == ["kept"]


def test_a_cell_run_twice_gives_the_same_graph(shell):
    cell = "for _ in range(2):\n    h = x + 1\ny = h * 2"
    run(shell, cell, "-o first")
    run(shell, cell, "-o second")
    assert str(shell.user_ns["first"].graph) == str(shell.user_ns["second"].graph)


def test_a_variable_read_inside_a_magic_is_an_input(shell):
    run(shell, "%time y = x + 1")
    assert shell.user_ns["_trace"].input_tree.names == ["x"]


def test_a_named_input_stays_though_nothing_used_it(shell):
    shell.user_ns["other"] = torch.ones(5)
    run(shell, "y = x + 1", "x other")
    assert shell.user_ns["_trace"].input_tree.names == ["x", "other"]


def test_strict_outputs_are_a_tuple(shell):
    run(shell, "a = x + 1\nb = x + 2", "--strict")
    assert isinstance(shell.user_ns["_trace"](torch.ones(2, 3)), tuple)


# Errors ------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "ValueError"])
def test_a_traceback_holds_no_frame_of_tracing(shell, capsys, error):
    run(shell, f"y = x + 1\nraise {error}('here')")
    shown = capsys.readouterr().out
    assert error in shown
    assert "tracelab/" not in shown
    assert "run_cell_magic" not in shown


@pytest.mark.parametrize("error", ["KeyboardInterrupt", "ValueError"])
def test_torch_is_as_before_after_an_error(shell, error):
    call = nn.Module.__call__
    run(shell, f"y = x + 1\nraise {error}()")
    assert nn.Module.__call__ is call
    assert type(torch.ones(2).shape[0]) is int


def test_a_syntax_error_looks_like_one_and_fails_the_cell(shell, capsys):
    result = run(shell, "y = = 1")
    assert not result.success
    assert type(result.error_in_exec).__name__ == "SyntaxError"
    assert "SyntaxError: invalid syntax" in re.sub(r"\x1b\[[0-9;]*m", "", capsys.readouterr().out)


# --check -----------------------------------------------------------------------------------------------------


def test_a_check_leaves_buffers_as_the_cell_left_them(shell, capsys):
    shell.user_ns["norm"] = nn.BatchNorm1d(3)
    run(shell, "y = norm(x)", "--check")
    assert "the trace gives what the cell gave on the same inputs" in capsys.readouterr().out
    assert shell.user_ns["norm"].num_batches_tracked == 1


def test_a_check_takes_the_inputs_as_they_were_before_the_cell(shell, capsys):
    run(shell, "x.add_(1)\ny = model(x)", "--check")
    assert "the trace gives what the cell gave on the same inputs" in capsys.readouterr().out
