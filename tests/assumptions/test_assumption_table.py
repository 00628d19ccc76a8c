"""`traced.assumptions` is a list that shows as a table."""

from __future__ import annotations

import warnings

import torch

import tracelab

EMPTY = "No assumptions: the recorded run read nothing that could be different at another call."


def branches(x):
    x = x.float() if x.dtype == torch.uint8 else x
    return x.sum(0) if x.shape[0] > 1 else x * int(x.sum())


def test_a_terminal_shows_columns():
    traced = tracelab.trace(branches, torch.ones(3, 4), check_trace=False)
    lines = [line.split("  ") for line in repr(traced.assumptions).splitlines()]
    cells = [[cell.strip() for cell in line if cell.strip()] for line in lines]
    assert cells[0] == ["kind", "what", "value at the trace", "line"]
    assert cells[2:] == [
        ["dtype", "x.dtype", "torch.float32", "test_assumption_table.py:15"],
        ["branch", "x.shape[0] > 1", "True", "test_assumption_table.py:16"],
    ]


def test_a_notebook_shows_a_table_in_which_code_is_no_markup():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(branches, torch.ones(3, 4), check_trace=False)
    html = traced.assumptions._repr_html_()
    assert "<table " in html
    assert "x.shape[0] &gt; 1" in html


def test_it_is_a_list():
    found = tracelab.trace(branches, torch.ones(3, 4), check_trace=False).assumptions
    assert (len(found), found[0] in found, found == list(found)) == (2, True, True)


def test_none_are_one_sentence():
    found = tracelab.trace(torch.relu, torch.ones(2)).assumptions
    assert repr(found) == EMPTY
    assert EMPTY in found._repr_html_()


def test_the_summary_counts_them():
    traced = tracelab.trace(branches, torch.ones(3, 4), check_trace=False)
    assert "2 assumptions" in traced.summary().splitlines()[-1]
