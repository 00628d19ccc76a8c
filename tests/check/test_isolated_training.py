"""Gradients, optimizers, random numbers and large tensors after a trace and a check are those of one call."""

from __future__ import annotations

import random

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from tracelab.check import memory
from tracelab.check.isolation import isolated

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")


net = nn.Linear(2, 1)


def step(x):
    loss = net(x).square().sum()
    loss.backward()
    return loss


def test_gradients_are_those_of_one_call_after_a_trace_and_stay_in_a_check():
    net.zero_grad()
    x = torch.randn(4, 2)
    step(x)
    once = net.weight.grad.clone()
    net.zero_grad()
    traced = tracelab.trace(step, x)
    assert torch.equal(net.weight.grad, once)
    gradient = net.weight.grad
    traced.check(max_examples=8, progress=False)
    assert net.weight.grad is gradient
    assert torch.equal(gradient, once)


def test_gradients_that_accumulate_are_those_of_one_call():
    net.zero_grad()
    x = torch.randn(4, 2)
    step(x)
    held = net.weight.grad
    once = held.clone()
    tracelab.trace(step, x)
    assert net.weight.grad is held
    assert torch.allclose(held, 2 * once)


def test_an_optimizer_in_a_closure_steps_once():
    def make():
        torch.manual_seed(0)
        model = nn.Linear(2, 1)
        optimizer = torch.optim.Adam(model.parameters(), 0.1)

        def train(x):
            optimizer.zero_grad()
            model(x).sum().backward()
            optimizer.step()
            return model(x)

        return model, optimizer, train

    model, optimizer, train = make()
    other, theirs, once = make()
    x = torch.ones(3, 2)
    once(x)
    tracelab.trace(train, x)
    assert torch.equal(model.weight, other.weight)
    assert str(optimizer.state_dict()) == str(theirs.state_dict())


GENERATORS = {
    "torch": (lambda: torch.rand(2).tolist(), None),
    "random": (random.random, None),
    "numpy": (lambda: np.random.rand(2).tolist(), None),
    "a generator of torch": (lambda made: torch.rand(2, generator=made).tolist(), lambda: torch.Generator()),
    "a generator of numpy": (lambda made: made.random(2).tolist(), lambda: np.random.default_rng(3)),
    "a state of numpy": (lambda made: made.rand(2).tolist(), lambda: np.random.RandomState(3)),
    "a generator of python": (lambda made: made.random(), lambda: random.Random(3)),
}


@pytest.mark.parametrize(("draw", "make"), GENERATORS.values(), ids=GENERATORS)
def test_random_numbers_go_on_as_after_one_call(draw, make):
    results = []
    for check in (False, True):
        torch.manual_seed(1)
        random.seed(1)
        np.random.seed(1)
        made = [] if make is None else [make()]

        def function(x, made=made):
            return x + torch.tensor(draw(*made)).sum() * 0

        traced = tracelab.trace(function, torch.ones(2), check_trace=check)
        if check:
            traced.check(max_examples=3, progress=False)
        results.append(draw(*made))
    assert results[0] == results[1]


def write(*tensors):
    with isolated([lambda: tensors]):
        for tensor in tensors:
            tensor.detach().add_(1)


def test_a_write_to_a_tensor_too_large_to_be_copied_is_told(monkeypatch):
    monkeypatch.setattr(memory, "MOST_BYTES", 8)
    kept, small = nn.Parameter(torch.zeros(40)), torch.zeros(2)
    with pytest.warns(tracelab.TracerWarning, match="a check ran code that writes to a tensor"):
        write(kept, small)
    assert small.tolist() == [0, 0]


def test_what_the_trace_writes_to_is_copied_however_large(monkeypatch):
    monkeypatch.setattr(memory, "MOST_BYTES", 0)
    module = nn.BatchNorm1d(2)
    traced = tracelab.trace(module, torch.randn(4, 2), check_trace=False)
    before = module.running_mean.clone()
    traced.check(max_examples=2, progress=False)
    assert torch.equal(module.running_mean, before)
