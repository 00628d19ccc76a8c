"""A step of training that is the first of its kind is told where a later call is none."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn, optim

import tracelab
from tracelab import AssumptionWarning

OPTIMIZERS = {
    "SGD": lambda parameters: optim.SGD(parameters, 0.1),
    "SGD with momentum": lambda parameters: optim.SGD(parameters, 0.1, momentum=0.9),
    "Adam": lambda parameters: optim.Adam(parameters, 0.1),
    "AdamW": lambda parameters: optim.AdamW(parameters, 0.1, foreach=False),
    "NAdam": lambda parameters: optim.NAdam(parameters, 0.1),
    "RMSprop": lambda parameters: optim.RMSprop(parameters, 0.01),
    "Adagrad": lambda parameters: optim.Adagrad(parameters, 0.1),
    "Rprop": lambda parameters: optim.Rprop(parameters, 0.1),
}


def training(make, clears="before", **options):
    torch.manual_seed(0)
    net = nn.Linear(3, 1)
    optimizer = make(net.parameters())

    def step(x):
        if clears == "before":
            optimizer.zero_grad(**options)
        loss = net(x).square().mean()
        loss.backward()
        optimizer.step()
        if clears == "after":
            optimizer.zero_grad(**options)
        return loss.detach()

    step.optimizer = optimizer
    return step


def traced_on(function, x):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, x, check_trace=False)


def losses(function):
    """The losses of three calls, and whether one was told."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        values = [float(function(torch.full((2, 3), 1 + step / 10))) for step in (1, 2, 3)]
    return values, [str(item.message) for item in found if item.category is AssumptionWarning]


@pytest.mark.parametrize("clears", ["before", "after", "never"])
@pytest.mark.parametrize("name", OPTIMIZERS)
def test_a_trace_of_the_first_step_is_right_or_told(name, clears):
    function, twin = (training(OPTIMIZERS[name], clears) for _ in range(2))
    twin(torch.ones(2, 3))
    traced = traced_on(function, torch.ones(2, 3))
    mine, told = losses(traced)
    assert told or mine == pytest.approx(losses(twin)[0])


@pytest.mark.parametrize("options", [{}, {"set_to_none": False}])
@pytest.mark.parametrize("name", ["SGD", "SGD with momentum", "Adam", "AdamW", "RMSprop", "Adagrad"])
def test_a_trace_of_a_later_step_is_right_and_not_told(name, options):
    function, twin = (training(OPTIMIZERS[name], "before", **options) for _ in range(2))
    for item in (function, twin):
        item(torch.ones(2, 3))
    twin(torch.ones(2, 3))
    traced = traced_on(function, torch.ones(2, 3))
    mine, told = losses(traced)
    assert told == []
    assert mine == pytest.approx(losses(twin)[0], rel=1e-4)


def test_the_line_that_asked_is_named_once_for_all_parameters():
    traced = traced_on(training(OPTIMIZERS["SGD"], set_to_none=False), torch.ones(2, 3))
    (told,) = set(losses(traced)[1])
    assert "gradients was False when" in told or "grad is None was True when" in told
    assert "optimizer.zero_grad" in told


@pytest.mark.parametrize("of", ["optimizer", "module"])
def test_plain_training_is_traced_at_its_first_step_and_right_at_each(of):
    def training_loop():
        torch.manual_seed(0)
        net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
        optimizer = optim.SGD(net.parameters(), 0.1)

        def step(x):
            (optimizer if of == "optimizer" else net).zero_grad()
            loss = net(x).square().mean()
            loss.backward()
            optimizer.step()
            return loss.detach()

        return net, step

    net, step = training_loop()
    _, twin = training_loop()
    twin(torch.ones(2, 3))
    traced = traced_on(step, torch.ones(2, 3))
    mine, told = losses(traced)
    assert told == []
    assert mine == pytest.approx(losses(twin)[0])
    # Between two calls somebody else cleared them, or filled them.
    for fill in (lambda parameter: None, torch.ones_like):
        for parameter in net.parameters():
            parameter.grad = fill(parameter)
        mine, told = losses(traced)
        assert told == []
        assert mine == pytest.approx(losses(twin)[0])


def test_a_learning_rate_that_was_changed_since_is_told():
    function = training(OPTIMIZERS["SGD"], "after")
    traced = traced_on(function, torch.ones(2, 3))
    assert losses(traced)[1] == []
    function.optimizer.param_groups[0]["lr"] = 0.05
    (told,) = set(losses(traced)[1])
    assert "SGD.param_groups[0]['lr'] was 0.1 when" in told
    assert "and is 0.05 at this call" in told


def test_a_branch_on_whether_there_is_a_gradient_is_told():
    net = nn.Linear(3, 1)

    def step(x):
        factor = 1.0 if net.weight.grad is None else 2.0
        loss = net(x).square().mean() * factor
        loss.backward()
        return loss.detach()

    traced = traced_on(step, torch.ones(2, 3))
    with pytest.warns(AssumptionWarning, match="net.weight.grad is None"):
        traced(torch.ones(2, 3))


def test_a_gradient_that_is_read_behind_backward_is_no_question():
    net = nn.Linear(3, 1)

    def step(x):
        net(x).sum().backward()
        gradient = net.weight.grad.clone()
        net.zero_grad()
        return gradient

    traced = traced_on(step, torch.ones(2, 3))
    assert traced.assumptions == []
    assert traced(torch.full((2, 3), 2.0)).tolist() == [[4, 4, 4]]


@pytest.mark.parametrize("given", [lambda net: net.parameters(), lambda net: iter([*net.parameters()])])
def test_parameters_may_be_given_to_grad_and_backward_as_an_iterator(given):
    net = nn.Linear(3, 1)

    def gradients(x):
        return torch.autograd.grad(net(x).sum(), given(net))[0]

    def fills(x):
        net(x).sum().backward(inputs=given(net))
        gradient, net.weight.grad, net.bias.grad = net.weight.grad.clone(), None, None
        return gradient

    for function in (gradients, fills):
        traced = tracelab.trace(function, torch.ones(2, 3))
        assert traced(torch.full((2, 3), 2.0)).tolist() == [[4, 4, 4]]
