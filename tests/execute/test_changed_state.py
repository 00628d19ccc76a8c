"""A replay uses the parameters that the traced module has at that moment, however they got there."""

import copy

import pytest
import torch
from torch import nn

import tracelab


def assign(module):
    module.weight = nn.Parameter(torch.full((1, 1), 3.0))


def load_in_place(module):
    module.load_state_dict({"weight": torch.full((1, 1), 3.0)})


def load_by_assignment(module):
    module.load_state_dict({"weight": torch.full((1, 1), 3.0)}, assign=True)


def write_to_the_table(module):
    module._parameters.update(weight=nn.Parameter(torch.full((1, 1), 3.0)))


def write_to_the_data(module):
    module.weight.data = torch.full((1, 1), 3.0)


@pytest.fixture
def traced():
    linear = nn.Linear(1, 1, bias=False)
    module = tracelab.trace(linear, torch.ones(1, 1))
    module(torch.ones(1, 1))
    return module


@pytest.mark.parametrize("change", [assign, load_in_place, load_by_assignment, write_to_the_table, write_to_the_data])
def test_the_next_call_uses_the_new_parameter(traced, change):
    change(traced)
    assert traced(torch.ones(1, 1)).item() == 3


def test_functional_call_uses_the_given_parameters_and_leaves_the_old(traced):
    old = traced(torch.ones(1, 1))
    new = torch.func.functional_call(traced, {"weight": torch.full((1, 1), 3.0)}, torch.ones(1, 1))
    assert new.item() == 3
    assert torch.equal(traced(torch.ones(1, 1)), old)


@pytest.mark.parametrize("duplicate", [copy.copy, copy.deepcopy])
def test_a_copy_changes_alone(traced, duplicate):
    twin = duplicate(traced)
    old = traced(torch.ones(1, 1))
    assign(twin)
    assert twin(torch.ones(1, 1)).item() == 3
    assert torch.equal(traced(torch.ones(1, 1)), old)


def test_a_loaded_module_follows_changes_too(traced, tmp_path):
    traced.save(tmp_path / "linear.tlab")
    loaded = tracelab.load(tmp_path / "linear.tlab")
    loaded(torch.ones(1, 1))
    assign(loaded)
    assert loaded(torch.ones(1, 1)).item() == 3


def test_it_compiles_with_dynamo(traced):
    compiled = torch.compile(traced, backend="eager", fullgraph=True)
    assert torch.equal(compiled(torch.ones(1, 1)), traced(torch.ones(1, 1)))
    assign(traced)
    assert compiled(torch.ones(1, 1)).item() == 3


class Counter(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x):
        self.steps = self.steps + 1
        return x * self.steps


def test_whoever_holds_the_table_of_buffers_holds_it_after_the_first_call_too():
    traced = tracelab.trace(Counter(), torch.ones(1), check_trace=False)
    table = traced._buffers
    traced(torch.ones(1))
    assert traced._buffers is table


def test_the_check_at_the_end_of_tracing_leaves_buffers_as_the_trace_left_them():
    traced = tracelab.trace(Counter(), torch.ones(1))
    assert [traced(torch.ones(1)).item() for _ in range(3)] == [2, 3, 4]
