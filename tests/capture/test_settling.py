"""Numbers that code under trace keeps are plain afterwards."""

from __future__ import annotations

import torch
from torch import nn

import tracelab


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
