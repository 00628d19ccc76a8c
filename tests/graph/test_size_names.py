"""The names that code gives to sizes as it takes a shape apart."""

from __future__ import annotations

import pytest
import torch

import tracelab
from tracelab.graph.size_names import size_name


def unpacked(x):
    batch, length, width = x.shape
    return x.view(batch, length * width)


def by_size(x):
    b, t, c = x.size()
    return x.view(b, t * c)


def in_part(x):
    rows, columns = x.shape[:2]
    return x.view(rows * columns, -1)


def from_the_end(x):
    height, width = x.shape[-2:]
    return x.view(-1, height * width)


def one_by_one(x):
    rows = x.size(0)
    columns = x.size(1)
    return x.view(rows * columns, -1)


def without_the_middle(x):
    batch, _, width = x.shape
    return x.view(batch, -1, width)


def starred(x):
    first, *_rest = x.shape
    return x.view(first, -1)


def unnamed(x):
    return x.view(x.shape[0], -1)


@pytest.mark.parametrize(
    ("code", "names"),
    [
        (unpacked, ["batch", "length", "width"]),
        (by_size, ["b", "t", "c"]),
        (in_part, ["rows", "columns"]),
        (from_the_end, ["height", "width"]),
        (one_by_one, ["rows", "columns"]),
        (without_the_middle, ["batch", "width"]),
        (starred, []),
        (unnamed, []),
    ],
)
def test_the_code_names_its_sizes(code, names):
    graph = tracelab.trace(code, torch.ones(2, 3, 4)).graph
    assert [name for node in graph.nodes if (name := size_name(node))] == names


def test_a_box_says_the_names():
    from tracelab.render import view_document

    document = view_document(tracelab.trace(unpacked, torch.ones(2, 3, 4)).graph)
    texts = [document["strings"][text] for _, text in document["nodes"]["sizes"]]
    assert texts == ["batch", "length", "width", "length * width"]
