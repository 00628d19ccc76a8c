"""Printed graphs with the names of sizes as comments, once a person asked for the shapes."""

from __future__ import annotations

import pickle
import re

import pytest
import torch

import tracelab
from support.source_text import define

CODE = """
def run(x):
    batch, length, _ = x.shape
    most, places = x.exp().max(-1)
    return most.unsqueeze(1), places.view(batch, -1)[:, 3:]
"""

COMMENTS = [
    "%x [batch, length, x.2]",
    "[batch, length, x.2]",
    "%most [batch, length], %places [batch, length]",
    "[batch, 1, length]",
    "[batch, length]",
]
"""Nothing of the last one: where a slice ends depends on the size."""


@pytest.fixture
def traced():
    return tracelab.trace(define(CODE, "run"), torch.ones(2, 5, 8))


def test_a_graph_is_printed_without_names_of_sizes_at_first(traced):
    before = str(traced.graph)
    assert "length" not in before
    assert traced.signature
    traced.figure()
    assert str(traced.graph) == before


def test_it_is_printed_with_them_after_the_shapes_were_asked_for(traced):
    traced.shapes()
    assert comments(str(traced.graph)) == COMMENTS


def comments(text):
    """What stands behind the places in the code, or alone."""
    parts = [line.partition("# ")[2] for line in text.splitlines()]
    named = [re.sub(r"^<code>:\d+:\d+(, )?", "", part) for part in parts]
    return [part for part in named if part]


def test_all_but_the_comments_is_as_before(traced):
    before = str(traced.graph)
    traced.shapes()
    now = [line.partition(" # ")[0] for line in str(traced.graph).splitlines()]
    assert [line for line in now if line.strip()] == [line.partition(" # ")[0] for line in before.splitlines()]


def test_names_that_are_given_are_printed(traced):
    traced.shapes(dims={"x": ("b", "t", None)})
    assert "# %x [b, t, x.2]" in str(traced.graph)


def test_what_torchscript_reads_back_is_the_same(traced):
    before = torch._C.parse_ir(str(traced.graph))
    traced.shapes()
    assert str(torch._C.parse_ir(str(traced.graph))) == str(before)


def test_after_an_edit_nothing_is_said_that_may_be_wrong(traced):
    traced.shapes()
    graph = traced.graph
    with graph.inserting_after(graph.find_nodes("exp")[0]):
        graph.call_function(torch.ops.aten.sum.default, (graph.find_nodes("exp")[0].output,))
    assert "length" not in str(graph)


def test_copies_and_pickles_are_printed_without_them(traced):
    before = str(traced.graph)
    traced.shapes()
    assert str(traced.graph.copy()) == before
    assert str(pickle.loads(pickle.dumps(traced.graph))) == before
