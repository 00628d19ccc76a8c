"""Script modules inside traced code: one node, whose parameters and buffers are those of the traced module."""

from __future__ import annotations

import copy
import io
import warnings

import pytest
import torch
from torch import nn

import tracelab


class Scripted(nn.Module):
    def __init__(self, make=lambda: nn.Sequential(nn.Linear(3, 3), nn.ReLU())):
        super().__init__()
        torch.manual_seed(0)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            self.inner = torch.jit.script(make())
        self.outer = nn.Linear(3, 2)

    def forward(self, x):
        return self.outer(self.inner(x))


def norm():
    return nn.BatchNorm1d(3)


@pytest.fixture
def x():
    return torch.randn(4, 3, generator=torch.Generator().manual_seed(1))


@pytest.mark.parametrize("make", [norm, lambda: norm().eval(), lambda: nn.Linear(3, 3)])
def test_a_trace_gives_what_the_module_gives(make, x):
    traced = tracelab.trace(Scripted(make), torch.ones(2, 3))
    twin = Scripted(make)
    twin(torch.ones(2, 3))
    assert torch.allclose(traced(x), twin(x))
    assert torch.allclose(traced(x), twin(x))


def test_buffers_that_it_writes_to_are_written_to_at_each_call(x):
    model = Scripted(norm)
    traced = tracelab.trace(model, torch.ones(2, 3))
    before = model.inner.num_batches_tracked.item()
    traced(x)
    assert model.inner.num_batches_tracked.item() == before + 1


def test_a_copy_runs_on_its_own_parameters(x):
    traced = tracelab.trace(Scripted(), torch.ones(2, 3))
    twin = copy.deepcopy(traced)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.fill_(1)
    assert torch.allclose(twin(x), ((x.sum(1) + 1).relu() * 3 + 1).unsqueeze(1).expand(4, 2))
    assert not torch.allclose(twin(x), traced(x))


def test_gradients_reach_the_parameters_of_a_copy(x):
    traced = copy.deepcopy(tracelab.trace(Scripted(), torch.ones(2, 3)))
    traced(x).sum().backward()
    assert all(parameter.grad is not None for parameter in traced.parameters())


def test_it_moves_with_the_traced_module(x):
    traced = tracelab.trace(Scripted(norm), torch.ones(2, 3)).double()
    assert traced(x.double()).dtype is torch.float64


def test_weights_that_are_loaded_are_used(x):
    traced, other = (tracelab.trace(Scripted(), torch.ones(2, 3)) for _ in range(2))
    with torch.no_grad():
        for parameter in other.parameters():
            parameter.fill_(0.5)
    traced = copy.deepcopy(traced)
    traced.load_state_dict(other.state_dict())
    assert torch.allclose(traced(x), other(x))


def test_a_file_gives_a_trace_that_runs_on_its_own_parameters(x):
    traced = tracelab.trace(Scripted(norm), torch.ones(2, 3))
    file = io.BytesIO()
    tracelab.save(traced, file)
    loaded = tracelab.load(io.BytesIO(file.getvalue()), allow={"torchscript"})
    assert torch.allclose(loaded(x), copy.deepcopy(traced)(x))
    with torch.no_grad():
        for parameter in loaded.parameters():
            parameter.zero_()
    assert loaded(x).abs().max() == 0


def test_a_file_that_is_not_trusted_shows_and_can_be_saved_again():
    traced = tracelab.trace(Scripted(), torch.ones(2, 3))
    first, second = io.BytesIO(), io.BytesIO()
    tracelab.save(traced, first)
    loaded = tracelab.load(io.BytesIO(first.getvalue()))
    assert "prim::CallMethod" in str(loaded.graph)
    tracelab.save(loaded, second)
    again = tracelab.load(io.BytesIO(second.getvalue()), allow={"torchscript"})
    assert torch.allclose(again(torch.ones(2, 3)), traced(torch.ones(2, 3)))


def test_it_is_checked_run_and_drawn(x):
    traced = tracelab.trace(Scripted(norm), torch.ones(2, 3))
    assert traced.check().ok
    assert torch.allclose(traced.run(x).outputs, copy.deepcopy(traced)(x))
    assert "inner" in traced.to_dot()
