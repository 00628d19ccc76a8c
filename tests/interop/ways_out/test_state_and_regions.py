"""What leaves starts from the state that the module has, leaves the module as it was, and keeps its regions."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import tracelab


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("n", torch.ones(1))
        self.register_buffer("odd", torch.tensor([float("nan")]))
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        self.n.add_(1)
        with torch.no_grad():
            self.scale.mul_(2)
        return self.norm(x) * self.n * self.scale + self.odd.nan_to_num()


def test_to_torchscript_leaves_the_module_as_it_was():
    module, x = Counting().train(), torch.randn(4, 3)
    traced = tracelab.trace(module, x)
    before = copy.deepcopy(module)
    made = traced.to_torchscript()
    for name, tensor in before.state_dict().items():
        assert torch.allclose(module.state_dict()[name], tensor, equal_nan=True), name
        assert torch.allclose(made.state_dict()[name], tensor, equal_nan=True), name
    assert torch.allclose(copy.deepcopy(made)(x), before(x))


class Regions(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            y = self.layer(x)
            with torch.autocast("cpu", enabled=False):
                z = self.layer(y.float())
            w = self.layer(z)
        return y.float(), z, w.float()


def test_an_autocast_region_is_exported():
    module, x = Regions(), torch.randn(4, 3)
    program = tracelab.trace(module, x).export()
    for size in (4, 7, 1):
        given = torch.randn(size, 3)
        for found, wanted in zip(program.module()(given), module(given), strict=True):
            assert torch.equal(found, wanted)
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("dims", [None, {"x": ("batch", None)}])
def test_what_an_autocast_region_makes_is_of_its_dtype(dims):
    def run(x, w):
        with torch.autocast("cpu", torch.bfloat16):
            return x @ w

    program = tracelab.trace(run, (torch.ones(2, 3), torch.ones(3, 3))).export(dims)
    assert program.module()(torch.ones(5, 3), torch.ones(3, 3)).dtype == torch.bfloat16
