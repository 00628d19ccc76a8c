"""Modules, optimizers and schedulers as arguments: the code runs the user's own, and a replay is for the same ones."""

from __future__ import annotations

import copy
import logging
import types
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tracelab
from tracelab.errors import AssumptionWarning


def network() -> nn.Module:
    torch.manual_seed(0)
    return nn.Sequential(nn.Linear(4, 5), nn.BatchNorm1d(5), nn.Linear(5, 3))


def state(*modules: nn.Module) -> list[Tensor]:
    return [tensor.clone() for module in modules for tensor in module.state_dict().values()]


def same(mine: list[Tensor], theirs: list[Tensor]) -> bool:
    return all(torch.allclose(one, other) for one, other in zip(mine, theirs, strict=True))


def apply(model: nn.Module, x: Tensor) -> Tensor:
    return model(x)


def step(model: nn.Module, optimizer: torch.optim.Optimizer, x: Tensor) -> Tensor:
    optimizer.zero_grad()
    loss = model(x).square().mean()
    loss.backward()
    optimizer.step()
    return loss.detach()


def test_a_model_that_is_given_runs_on_other_sizes():
    model, plain = network(), network()
    traced = tracelab.trace(apply, model, torch.ones(3, 4))
    plain(torch.ones(3, 4))
    x = torch.randn(5, 4)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.allclose(traced(model, x), plain(x))


def test_the_trace_changes_it_as_one_call_does():
    model, plain = network(), network()
    tracelab.trace(apply, model, torch.ones(3, 4))
    plain(torch.ones(3, 4))
    assert same(state(model), state(plain))


def test_its_parameters_are_named_by_the_argument():
    traced = tracelab.trace(apply, nn.Linear(2, 2), torch.ones(1, 2))
    assert [value.path for value in traced.graph.parameters] == ["model.weight", "model.bias"]


def test_training_steps_are_those_of_python():
    model, plain = network(), network()
    optimizer, other = torch.optim.SGD(model.parameters(), 0.1), torch.optim.SGD(plain.parameters(), 0.1)
    x = torch.randn(6, 4)
    step(model, optimizer, x)
    step(plain, other, x)
    traced = tracelab.trace(step, model, optimizer, x)
    step(plain, other, x)
    for size in (5, 7):
        x = torch.randn(size, 4)
        assert torch.allclose(traced(model, optimizer, x), step(plain, other, x))
        assert same(state(model), state(plain))


def test_another_one_is_told():
    traced = tracelab.trace(apply, network().eval(), torch.ones(3, 4))
    with pytest.warns(AssumptionWarning, match="`model` was one Sequential"):
        traced(network().eval(), torch.ones(3, 4))


def test_under_retrace_each_is_recorded():
    first, second = network().eval(), network().eval()
    with torch.no_grad():
        second[0].weight.mul_(2)
    traced = tracelab.trace(apply, first, torch.ones(3, 4), on_violation="retrace")
    x = torch.randn(5, 4)
    for model in (second, first, second):
        assert torch.allclose(traced(model, x), model(x))


def test_another_mode_is_told():
    model = network()
    traced = tracelab.trace(apply, model, torch.ones(3, 4))
    with pytest.warns(AssumptionWarning, match="training was True"):
        traced(model.eval(), torch.ones(3, 4))


def test_in_an_object_and_in_a_list():
    def function(trainer: Any, models: list[nn.Module], x: Tensor) -> Tensor:
        for model in models:
            x = model(x)
        return trainer.head(x) * trainer.scale

    models = [nn.Linear(4, 4), nn.Linear(4, 4)]
    trainer = types.SimpleNamespace(head=nn.Linear(4, 2), scale=2.0)
    traced = tracelab.trace(function, trainer, models, torch.ones(3, 4))
    x = torch.randn(5, 4)
    assert torch.allclose(traced(trainer, models, x), function(trainer, models, x))


def test_a_check_leaves_it_as_it_is():
    model = network()
    traced = tracelab.trace(apply, model, torch.ones(3, 4))
    before = copy.deepcopy(model)
    traced.check()
    assert same(state(model), state(before))


def test_loggers_are_used_as_they_are():
    def function(x: Tensor, owner: Any) -> Tensor:
        owner.log.debug("called")
        return x * 2

    owner = types.SimpleNamespace(log=logging.getLogger("net"))
    assert torch.equal(tracelab.trace(function, torch.ones(2), owner)(torch.ones(3), owner), torch.full((3,), 2.0))


def hooked():
    module = nn.ReLU()
    module.register_forward_hook(lambda module, args, result: result + 1)
    return module


def activated(x, act):
    return act(x) * 2


@pytest.mark.parametrize(
    "make",
    [nn.ReLU, lambda: nn.LeakyReLU(0.1), lambda: nn.Dropout(0.5).eval(), lambda: nn.Sequential(nn.ReLU(), nn.Tanh())],
)
def test_another_module_that_holds_no_tensors_and_does_the_same_is_the_same(make):
    traced = tracelab.trace(activated, torch.ones(3), make())
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced(torch.ones(3), make())


@pytest.mark.parametrize(
    ("first", "second"),
    [
        (nn.ReLU(), nn.Tanh()),
        (nn.LeakyReLU(0.1), nn.LeakyReLU(0.2)),
        (nn.Dropout(0.5).eval(), nn.Dropout(0.5)),
        (nn.Sequential(nn.ReLU(), nn.Tanh()), nn.Sequential(nn.ReLU(), nn.ReLU())),
        (nn.Sequential(nn.ReLU()), nn.Sequential(nn.ReLU(), nn.ReLU())),
        (nn.ReLU(), hooked()),
        (nn.PReLU(), nn.PReLU()),
        (nn.Linear(3, 3), nn.Linear(3, 3)),
    ],
)
def test_one_that_does_something_else_or_has_weights_is_told_in_one_line(first, second):
    traced = tracelab.trace(activated, torch.ones(3), first)
    with pytest.warns(AssumptionWarning, match="`act` was ") as told:
        traced(torch.ones(3), second)
    assert "\n" not in str(told[0].message)
