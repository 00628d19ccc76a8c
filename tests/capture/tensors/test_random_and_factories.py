"""Random operators draw as eager does, and factories keep their options."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab
from support.printed_graphs import kinds
from support.replay import replays

RANDOM = {
    "rand": lambda x: x + torch.rand(x.shape),
    "randn_like": lambda x: x + torch.randn_like(x),
    "normal": lambda x: torch.normal(x, x.abs() + 1),
    "bernoulli": lambda x: torch.bernoulli(x.sigmoid()),
    "multinomial": lambda x: torch.multinomial(x.softmax(-1), 2),
    "randint": lambda x: torch.randint(0, 9, x.shape),
    "randperm": lambda x: torch.randperm(x.size(0)),
    "in place": lambda x: torch.empty_like(x).uniform_(0, 1).add_(torch.zeros_like(x).normal_()),
    "dropout": lambda x: F.dropout(x, 0.5, training=True),
    "dropout twice": lambda x: F.dropout(F.dropout(x, 0.3), 0.3) + torch.rand(1),
    "rrelu": lambda x: F.rrelu(x, training=True),
    "a distribution": lambda x: torch.distributions.Normal(x, x.exp(), validate_args=False).rsample(),
}


@pytest.mark.parametrize("name", RANDOM)
def test_a_replay_draws_what_eager_draws(name):
    replays(RANDOM[name], torch.randn(3, 4), torch.randn(5, 2))


def test_a_replay_draws_anew_each_time():
    traced = tracelab.trace(lambda x: x + torch.rand(4), torch.zeros(4), check_trace=False)
    assert not torch.equal(traced(torch.zeros(4)), traced(torch.zeros(4)))


def test_a_replay_leaves_the_generator_where_eager_leaves_it():
    net = nn.Sequential(nn.Dropout(0.5), nn.RReLU())
    traced = tracelab.trace(net, torch.ones(8))
    states = []
    for run in (net, traced):
        torch.manual_seed(3)
        run(torch.ones(8))
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_a_generator_of_the_function_s_own_is_used():
    generator = torch.Generator()
    traced = tracelab.trace(lambda x: x + torch.rand(3, generator=generator), torch.zeros(3), check_trace=False)
    generator.manual_seed(7)
    first = traced(torch.zeros(3))
    generator.manual_seed(7)
    assert torch.equal(traced(torch.zeros(3)), first)


def test_seeding_inside_the_function_seeds_at_each_replay():
    def seeded(x):
        torch.manual_seed(5)
        return x + torch.rand(2)

    traced = tracelab.trace(seeded, torch.zeros(2))
    assert torch.equal(traced(torch.zeros(2)), traced(torch.zeros(2)))


def test_a_generator_that_the_function_makes_begins_anew_in_each_run():
    def noisy(x):
        generator = torch.Generator().manual_seed(3)
        return x + torch.rand(x.shape, generator=generator) * torch.randperm(x.shape[0], generator=generator)

    replays(noisy, torch.zeros(2, 2), torch.zeros(3, 3))


def test_a_generator_that_is_seeded_again_is_seeded_again_in_each_run():
    def noisy(x):
        generator = torch.Generator()
        first = torch.rand(2, generator=generator)
        generator.manual_seed(7)
        return x + first + torch.rand(2, generator=generator)

    replays(noisy, torch.zeros(2), torch.ones(2))


def test_a_generator_gets_back_the_state_that_it_had():
    def noisy(x):
        generator = torch.Generator()
        state = generator.get_state()
        first = torch.rand(2, generator=generator)
        generator.set_state(state)
        return x + first - torch.rand(2, generator=generator)

    replays(noisy, torch.zeros(2), torch.ones(2))


def test_a_generator_from_outside_goes_on():
    generator = torch.Generator().manual_seed(1)
    traced = tracelab.trace(lambda x: x + torch.rand(2, generator=generator), torch.zeros(2), check_trace=False)
    assert not torch.equal(traced(torch.zeros(2)), traced(torch.zeros(2)))


def test_the_class_of_generators_is_as_it_was_after_a_trace():
    before = torch.Generator
    made = []
    tracelab.trace(lambda x: made.append(torch.Generator()) or x * 1, torch.ones(2), check_trace=False)
    assert torch.Generator is before
    assert isinstance(made[0], torch.Generator)
    made[0].manual_seed(4)
    assert torch.equal(torch.rand(3, generator=made[0]), torch.rand(3, generator=torch.Generator().manual_seed(4)))


def test_a_default_dtype_that_the_function_sets_holds_at_replay():
    def doubled(x):
        torch.set_default_dtype(torch.float64)
        made = torch.ones(2)
        torch.set_default_dtype(torch.float32)
        return x + made

    replays(doubled, torch.zeros(2), torch.ones(2))


FACTORIES = {
    "dtype": lambda x: torch.ones(2, 3, dtype=torch.int32) + torch.zeros(3, dtype=torch.float64),
    "device": lambda x: torch.arange(3, device=x.device) + torch.ones(3, device="cpu"),
    "out": lambda x: torch.ones(2, 3, out=torch.empty(0)),
    "like": lambda x: torch.full_like(x, 3, dtype=torch.int64),
    "new": lambda x: x.new_tensor([1.0, 2.0]),
    "legacy": lambda x: torch.FloatTensor([1, 2]) + torch.Tensor([3.0]),
    "tensor": lambda x: torch.tensor([[1, 2], [3, 4]]) * 2,
    "scalar": lambda x: torch.tensor(2.0) * x,
    "as_tensor": lambda x: torch.as_tensor([1.0, 2.0]),
    "eye": lambda x: torch.eye(3),
    "default dtype": lambda x: torch.arange(3),
    "channels last": lambda x: torch.ones(1, 2, 3, 4).to(memory_format=torch.channels_last),
}


@pytest.mark.parametrize("name", FACTORIES)
def test_a_factory_replays_with_its_options(name):
    replays(FACTORIES[name], torch.randn(2, 3), torch.randn(4, 3))


def test_a_factory_is_recorded_as_an_operator_and_not_as_its_result():
    traced = tracelab.trace(lambda x: x + torch.ones(2, 3), torch.ones(2, 3))
    assert kinds(traced.graph) == ["ones", "add"]


def test_a_tensor_of_python_data_is_a_constant_whatever_was_made_before_it():
    def made(x):
        return torch.empty(2).fill_(1) + torch.tensor([1.0, 2.0]).to(torch.float64) + torch.tensor([3.0, 4.0]) * x

    replays(made, torch.ones(2), torch.zeros(2))


def test_a_list_of_traced_tensors_becomes_a_tensor_that_follows_them():
    def listed(x):
        return torch.tensor([x[0].item(), 2])

    replays(listed, torch.tensor([5, 6]), torch.tensor([8, 1]))


CASTS = [
    lambda x: x.byte(),
    lambda x: x.float(),
    lambda x: x.double(),
    lambda x: x.cpu(),
    lambda x: x.to(device="cpu"),
    lambda x: x.to(dtype=torch.int64),
    lambda x: x.to("cpu", torch.float64),
    lambda x: x.to(x),
    lambda x: x.type(torch.float16),
]


@pytest.mark.parametrize("index", range(len(CASTS)))
def test_a_cast_is_recorded_even_where_it_does_nothing(index):
    traced = replays(CASTS[index], torch.randn(2, 2), torch.randn(3, 1).double())
    assert kinds(traced.graph) == ["to"]


def test_contiguous_of_what_is_contiguous_is_recorded():
    traced = replays(lambda x: x.contiguous().view(-1), torch.ones(2, 2), torch.ones(2, 3).t())
    assert "contiguous" in kinds(traced.graph)
