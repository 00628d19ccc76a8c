"""Options of `run`, `profile` and `compare` never swallow an argument that the traced code has of the same name."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import tracelab

x = torch.tensor([1.0, 2.0])


class Takes(nn.Module):
    """A forward whose arguments are called like options."""

    def forward(self, x, device=None, method=None, progress=None, until=None, record=None):
        for item in (device, method, progress, until, record):
            if item is not None:
                x = x * 2 + item
        return x


NAMES = ["device", "method", "progress", "until", "record"]


@pytest.fixture(params=NAMES)
def name(request):
    return request.param


@pytest.fixture
def traced(name):
    return tracelab.trace(Takes(), (x,), example_kwarg_inputs={name: x})


def test_a_keyword_that_the_code_takes_is_its_argument(traced, name):
    assert torch.equal(traced.run(x, **{name: x}).outputs, Takes()(x, **{name: x}))


def test_a_bound_call_keeps_arguments_and_options_apart(traced, name):
    run = traced.bind(x, **{name: x}).run(device="meta", record=True)
    assert run.outputs.device.type == "meta"


def test_a_function_is_profiled_with_its_own_arguments():
    def scaled(x, repeat, device):
        return x * repeat + device

    traced = tracelab.trace(scaled, (x, x, x))
    assert len(traced.profile(x, repeat=x, device=x).nodes) == 2
    assert len(traced.bind(x, repeat=x, device=x).profile(repeat=1).nodes) == 2


def test_two_runs_are_compared_on_arguments_that_are_called_like_options(traced, name):
    inputs = tracelab.CallInputs((x,), {name: x})
    assert tracelab.compare(traced, Takes(), inputs)


def test_an_option_stays_an_option_where_the_code_has_no_such_argument():
    traced = tracelab.trace(torch.relu, x)
    assert traced.run(x, device="meta").outputs.device.type == "meta"


def test_nn_module_compile_keeps_its_contract():
    net = nn.Sequential(nn.Linear(2, 3), nn.ReLU())
    traced = tracelab.trace(net, x)
    assert traced.compile(backend="eager") is None
    assert torch.equal(traced(x), net(x))


@pytest.mark.parametrize(
    ("call", "message"),
    [
        (lambda bound: bound.run(untill="relu"), "run has no option `untill`: do you mean `until`?"),
        (lambda bound: bound.profile(repeet=1), "profile has no option `repeet`: do you mean `repeat`?"),
        (lambda bound: bound.run(xyz=1), "run has no option `xyz`: it has until, start, device, "),
    ],
)
def test_a_misspelt_option_of_a_bound_call_is_said(call, message):
    bound = tracelab.trace(torch.relu, torch.ones(2)).bind(torch.ones(2))
    with pytest.raises(tracelab.InputError, match=re.escape(message)):
        call(bound)
