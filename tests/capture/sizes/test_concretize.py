"""Numbers that code under trace keeps are plain afterwards."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")


class Remembers(nn.Module):
    def forward(self, x):
        self.length = x.shape[0]
        self.shape = x.shape
        return x * self.length


def test_a_size_kept_by_a_module_is_an_int_afterwards():
    module = Remembers()
    tracelab.trace(module, torch.ones(3, 2), check_trace=False)
    assert type(module.length) is int


def test_a_shape_kept_by_a_module_makes_tensors_afterwards():
    module = Remembers()
    tracelab.trace(module, torch.ones(3, 2), check_trace=False)
    assert torch.zeros(module.shape).shape == (3, 2)


def test_a_returned_size_is_an_int():
    _, size = tracelab.trace_graph(lambda x: x.shape[0], torch.ones(3, 2))
    assert type(size) is int


class Caches(nn.Module):
    def __init__(self):
        super().__init__()
        self.tables = {}
        self.lengths = set()
        self.shapes = {}

    def forward(self, x):
        length = x.shape[0]
        self.lengths.add(length)
        self.shapes[x.shape] = length
        if length not in self.tables:
            self.tables[length] = torch.arange(length)
        return x * self.tables[length][:, None]


def test_a_size_that_is_a_key_is_an_int_afterwards():
    module = Caches()
    tracelab.trace(module, torch.ones(3, 2), check_trace=False)
    assert list(module.tables) == [3]
    assert module.tables[3].tolist() == [0, 1, 2]
    assert module.lengths == {3}
    assert module.shapes == {(3, 2): 3}


def test_a_module_that_caches_by_size_can_be_checked():
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(Caches(), torch.ones(3, 2), check_trace=False)
    assert traced.check(progress=False).tried > 1


memo = {}


def test_what_a_function_keeps_outside_is_plain_afterwards():
    kept = []
    last = None

    def function(x):
        nonlocal last
        last = x.shape[0]
        kept.append(x.shape[1])
        memo[last] = kept
        return x * last

    tracelab.trace(function, torch.ones(3, 2), check_trace=False)
    assert (type(last), list(map(type, kept)), memo) == (int, [int], {3: [2]})


class Counts:
    def call(self, x):
        self.rows = x.shape[0]
        return x * 2


def test_what_a_method_keeps_is_plain_afterwards():
    counts = Counts()
    tracelab.trace(counts.call, torch.ones(3, 2), check_trace=False)
    assert type(counts.rows) is int
