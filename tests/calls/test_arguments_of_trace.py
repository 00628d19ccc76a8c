"""`trace(model, x, mask, key=value)`: the arguments of a call, and the options of `trace` beside them."""

from __future__ import annotations

import functools
import re
import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F
from torch.nn.utils import prune

import tracelab
from tracelab import InputError

x, weight, bias = torch.randn(2, 3), torch.randn(4, 3), torch.randn(4)
other = torch.randn(5, 3)


def scaled(x, by, shift=0.0):
    return x * by + shift


class Scaler:
    def __init__(self):
        self.by = torch.randn(3)

    def scale(self, x, times=2):
        return x * self.by * times

    def __call__(self, x):
        return self.scale(x) + 1

    @classmethod
    def made(cls, x):
        return x + 1

    @staticmethod
    def halved(x):
        return x / 2


class Strict(nn.Module):
    def forward(self, x, strict=False):
        return x * 2 if strict else x


def names(traced):
    return [value.name for value in traced.graph.user_inputs]


# Arguments ------------------------------------------------------------------------------------------------------------


def test_several_arguments_are_those_of_the_call():
    traced = tracelab.trace(scaled, x, torch.ones(3))
    assert names(traced) == ["x", "by"]
    torch.testing.assert_close(traced(other, torch.full((3,), 2.0)), other * 2)


def test_keywords_are_arguments():
    traced = tracelab.trace(scaled, x, by=torch.ones(3), shift=torch.ones(3))
    assert names(traced) == ["x", "by", "shift"]
    torch.testing.assert_close(traced(other, by=torch.ones(3), shift=torch.ones(3)), other + 1)


def test_keywords_alone_make_a_call():
    assert names(tracelab.trace(scaled, **{"x": x, "by": torch.ones(3)})) == ["x", "by"]


def test_a_lone_tuple_is_the_positional_arguments():
    assert names(tracelab.trace(scaled, (x, torch.ones(3)))) == ["x", "by"]


def test_a_lone_tuple_in_a_tuple_is_one_argument():
    traced = tracelab.trace(lambda pair: pair[0] + pair[1], ((x, x),))
    torch.testing.assert_close(traced((other, other)), other + other)


def test_a_lone_list_that_does_not_fit_says_how_to_give_it_as_one_argument():
    def function(parts):
        return parts[0] + parts[1]

    with pytest.raises(tracelab.errors.InputError, match=r"for a list as one argument, give \(\[...\],\)"):
        tracelab.trace(function, [torch.ones(2), torch.ones(2)])


def test_a_number_is_an_argument_of_the_call():
    traced = tracelab.trace(lambda x, k: x.topk(k).values, x, 2)
    torch.testing.assert_close(traced(other, 2), other.topk(2).values)


def test_example_inputs_and_example_kwarg_inputs_stay():
    traced = tracelab.trace(scaled, example_inputs=(x,), example_kwarg_inputs={"by": torch.ones(3)})
    assert names(traced) == ["x", "by"]


@pytest.mark.parametrize(
    ("args", "kwargs", "message"),
    [
        ((), {}, "example_inputs are missing"),
        ((x,), {"example_inputs": x}, "the arguments are given twice"),
        ((x,), {"by": x, "example_kwarg_inputs": {"by": x}}, "the argument `by` is given twice"),
        ((x,), {"by": x, "chek_trace": False}, "chek_trace"),
    ],
)
def test_a_call_that_cannot_be_is_one_sentence(args, kwargs, message):
    with pytest.raises(InputError, match=re.escape(message)):
        tracelab.trace(scaled, *args, **kwargs)


# Options --------------------------------------------------------------------------------------------------------------


def test_a_keyword_with_the_name_of_an_option_is_the_option():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(lambda x: [x, x], x, strict=False)
    assert len(traced(other)) == 2


def test_an_option_that_is_an_argument_too_is_refused():
    with pytest.raises(InputError, match="`strict` is an option of trace and an argument of Strict: give the argument"):
        tracelab.trace(Strict(), x, strict=True)


def test_an_argument_with_the_name_of_an_option_is_given_beside_it():
    traced = tracelab.trace(Strict(), x, strict=True, example_kwarg_inputs={"strict": True})
    torch.testing.assert_close(traced(other, strict=True), other * 2)


def test_an_argument_with_the_name_of_an_option_is_given_by_its_place():
    traced = tracelab.trace(Strict(), x, True, strict=False)
    torch.testing.assert_close(traced(other, True), other * 2)


# What can be called ---------------------------------------------------------------------------------------------------

scaler, linear = Scaler(), nn.Linear(3, 4)
CALLABLES = {
    "bound method": scaler.scale,
    "object with __call__": scaler,
    "class method": Scaler.made,
    "static method": Scaler.halved,
    "lambda": lambda x: x.relu() + 1,
    "partial": functools.partial(F.linear, weight=weight, bias=bias),
    "nested partial": functools.partial(functools.partial(F.linear, weight=weight), bias=bias),
    "partial of a method": functools.partial(scaler.scale, times=3),
    "partial of a module": functools.partial(linear),
    "module's method": linear.forward,
}


@pytest.mark.parametrize("call", CALLABLES.values(), ids=CALLABLES)
def test_whatever_can_be_called_is_traced(call):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(call, x)
        torch.testing.assert_close(traced(other), call(other))


def test_what_hands_its_arguments_on_has_the_names_of_the_inner_module():
    for wrapper in (functools.partial(linear), nn.DataParallel(nn.Linear(3, 4)), torch.compile(linear)):
        assert names(tracelab.trace(wrapper, x)) == ["input"]


def test_a_generator_that_is_used_up_inside_is_traced():
    def rounds(x):
        yield x
        yield x * 2

    traced = tracelab.trace(lambda x: sum(rounds(x)), x)
    torch.testing.assert_close(traced(other), other * 3)


async def awaited(x):
    return x


class AwaitedModule(nn.Module):
    async def forward(self, x):
        return x


@pytest.mark.parametrize("function", [awaited, functools.partial(awaited), AwaitedModule()])
def test_a_coroutine_function_is_refused_with_the_way_out(function):
    with pytest.raises(InputError, match="a coroutine function, which runs in an event loop only: trace the function"):
        tracelab.trace(function, x)


# Modules as people change them ----------------------------------------------------------------------------------------


class Symmetric(nn.Module):
    def forward(self, weight):
        return weight.triu() + weight.triu(1).mT


def pruned():
    module = nn.Linear(3, 4)
    prune.l1_unstructured(module, "weight", 0.5)
    return module


def parametrized():
    module = nn.Linear(3, 3)
    nn.utils.parametrize.register_parametrization(module, "weight", Symmetric())
    return module


def hooked():
    module = nn.Linear(3, 4)
    module.register_forward_pre_hook(lambda module, args: (args[0] + 1,))
    module.register_forward_hook(lambda module, args, result: result * 2)
    return module


MODULES = {
    "DataParallel": lambda: nn.DataParallel(nn.Linear(3, 4)),
    "compiled": lambda: torch.compile(nn.Linear(3, 4)),
    "parametrized": parametrized,
    "weight_norm": lambda: nn.utils.parametrizations.weight_norm(nn.Linear(3, 4)),
    "spectral_norm": lambda: nn.utils.parametrizations.spectral_norm(nn.Linear(3, 4)).eval(),
    "spectral_norm by a hook": lambda: nn.utils.spectral_norm(nn.Linear(3, 4)).eval(),
    "pruned": pruned,
    "hooked": hooked,
    "lazy": lambda: nn.Sequential(nn.LazyLinear(4), nn.ReLU()),
}


@pytest.mark.parametrize("make", MODULES.values(), ids=MODULES)
def test_a_changed_module_is_right_at_another_size_and_warns_of_nothing(make):
    module = make()
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.TracerWarning)
        warnings.simplefilter("error", tracelab.AssumptionWarning)
        traced = tracelab.trace(module, x)
        torch.testing.assert_close(traced(other), module(other))


def test_an_adapter_of_peft_is_right_at_another_size():
    peft = pytest.importorskip("peft")

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.first, self.second = nn.Linear(3, 8), nn.Linear(8, 2)

        def forward(self, x):
            return self.second(self.first(x).relu())

    model = peft.get_peft_model(Net(), peft.LoraConfig(r=2, target_modules=["first"])).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.TracerWarning)
        warnings.simplefilter("error", tracelab.AssumptionWarning)
        traced = tracelab.trace(model, x)
        torch.testing.assert_close(traced(other), model(other))
