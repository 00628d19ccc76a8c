"""Cells as people write them leave what the plain cell leaves, warn where it is due, and make a picture to show."""

from __future__ import annotations

import importlib.util
import random

import numpy
import pytest
import torch

from support.first_picture import boxes_shown_first
from support.notebook_shell import Shell
from support.same_values import differences
from support.twelve_cells import CELLS

_SHELLS = frozenset({"In", "Out", "exit", "quit", "open", "get_ipython", "trainer", "tqdm", "time"})


def _left_by(cell: str, before: str) -> tuple[Shell, dict[str, object]]:
    """The variables behind a cell, and the random states."""
    shell = Shell()
    ran = shell.run(before)
    assert ran.error is None, ran.error
    ran = shell.run(cell)
    assert ran.error is None, ran.error
    names = {name: item for name, item in shell.space.items() if not name.startswith("_") and name not in _SHELLS}
    states = {"torch": torch.get_rng_state(), "random": random.getstate(), "numpy": numpy.random.get_state()}
    return shell, names | states


@pytest.fixture(params=CELLS)
def item(request):
    item = CELLS[request.param]
    if item.needs and importlib.util.find_spec(item.needs) is None:
        pytest.skip(f"{item.needs} is not installed")
    return item


def test_a_traced_cell_leaves_the_variables_of_the_plain_cell(item):
    _, plain = _left_by(item.cell, item.before)
    _, traced = _left_by("%%trace\n" + item.cell, item.before)
    assert plain.keys() == traced.keys()
    for name in item.differs:
        del plain[name], traced[name]
    assert list(differences(plain, traced)) == []


def test_warnings_stand_where_a_value_comes_back_and_the_first_picture_is_small(item):
    shell, _ = _left_by("%%trace\n" + item.cell, item.before)
    graph = shell.graph
    lines = [warning.source.text.strip() for warning in graph.warnings if warning.source is not None]
    assert list(dict.fromkeys(lines)) == list(item.branches)
    assert len(lines) == len(graph.warnings)
    assert boxes_shown_first(graph) <= 25
