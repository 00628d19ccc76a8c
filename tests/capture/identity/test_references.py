"""A function that a recording must see is seen by each reference to it, also by one that was taken before."""

from __future__ import annotations

import functools
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from torch import nn

import tracelab
from support.printed_graphs import kinds


class Cube(torch.autograd.Function):
    """Its backward is not the derivative of its forward, so that losing it shows."""

    @staticmethod
    def forward(ctx: Any, x: torch.Tensor) -> torch.Tensor:
        return x**3

    @staticmethod
    def backward(ctx: Any, gradient: torch.Tensor) -> torch.Tensor:
        return gradient * 100


LINEAR = nn.Linear(3, 3)


def square(x):
    return (x * x).sum()


def differentiated(grad, x):
    y = (x * 1).detach().requires_grad_()
    (found,) = grad(y.pow(3).sum(), y)
    return found * x


def run_backward(backward, x):
    leaf = x.detach().clone().requires_grad_()
    backward((leaf * leaf).sum())
    return x + leaf.grad


def seeded(manual_seed, x):
    manual_seed(7)
    return x + torch.rand(3)


def reseeded(generator, x):
    generator.manual_seed(7)
    return x + torch.rand(3)


def restored(set_rng_state, x):
    state = torch.get_rng_state()
    first = torch.rand(3)
    set_rng_state(state)
    return x + first - torch.rand(3)


def saved(get_rng_state, x):
    state = get_rng_state()
    first = torch.rand(3)
    torch.set_rng_state(state)
    return x + first - torch.rand(3)


def in_double(set_default_dtype, x):
    set_default_dtype(torch.float64)
    made = torch.ones(3)
    set_default_dtype(torch.float32)
    return x + made


def made_generator(make, x):
    return x + torch.rand(3, generator=make())


def made_and_seeded(make, x):
    return x + torch.rand(3, generator=make().manual_seed(5))


def cast(enter, x):
    region = torch.autocast("cpu", dtype=torch.bfloat16)
    enter(region)
    y = x @ torch.ones(3, 3)
    region.__exit__(None, None, None)
    return y.float()


def iterated(iterate, x):
    return sum(iterate(x))


def as_parameter(make, x):
    return make(nn.Parameter, x) * 2


def names_of_calls(graph):
    """The names of the Python functions that the graph calls."""
    return [node.attributes["name"] for node in graph.nodes if node.attributes and "name" in node.attributes]


@dataclass
class Case:
    """A function, code that calls it, and what the graph must hold."""

    function: Callable[..., Any]
    use: Callable[..., Any]
    node: str
    gradients: bool = True


CASES = {
    "Function.apply": Case(Cube.apply, lambda op, x: op(x).sum(), "Cube"),
    "Module.__call__": Case(nn.Module.__call__, lambda call, x: call(LINEAR, x), "linear"),
    "a module's __call__": Case(LINEAR.__call__, lambda call, x: call(x), "linear"),
    "autograd.grad": Case(torch.autograd.grad, differentiated, "autograd.grad"),
    "autograd.backward": Case(torch.autograd.backward, run_backward, "autograd.backward"),
    "manual_seed": Case(torch.manual_seed, seeded, "manual_seed"),
    "set_rng_state": Case(torch.set_rng_state, restored, "set_rng_state"),
    "get_rng_state": Case(torch.get_rng_state, saved, "get_rng_state"),
    "random.manual_seed": Case(torch.random.manual_seed, seeded, "manual_seed"),
    "set_default_dtype": Case(torch.set_default_dtype, in_double, "set_default_dtype"),
    "Generator": Case(torch.Generator, made_generator, "Generator"),
    "Generator, seeded": Case(torch.Generator, made_and_seeded, "Generator"),
    "default_generator": Case(torch.default_generator, reseeded, "manual_seed"),
    "vmap": Case(torch.vmap, lambda vmap, x: vmap(lambda row: row * row)(x), "vmap"),
    "func.vmap": Case(torch.func.vmap, lambda vmap, x: vmap(lambda row: row * row)(x), "vmap"),
    "func.grad": Case(torch.func.grad, lambda grad, x: grad(square)(x), "grad"),
    "func.grad_and_value": Case(torch.func.grad_and_value, lambda grad, x: grad(square)(x)[0], "grad_and_value"),
    "func.jvp": Case(torch.func.jvp, lambda jvp, x: jvp(square, (x,), (x,))[1], "jvp"),
    "func.jacrev": Case(torch.func.jacrev, lambda jacrev, x: jacrev(torch.sin)(x), "jacrev"),
    "func.jacfwd": Case(torch.func.jacfwd, lambda jacfwd, x: jacfwd(torch.sin)(x), "jacfwd"),
    "func.hessian": Case(torch.func.hessian, lambda hessian, x: hessian(square)(x), "hessian"),
    "cond": Case(
        torch.cond, lambda cond, x: cond(x.sum() > 0, lambda x: x.sin(), lambda x: x.cos(), (x,)), "cond", False
    ),
    "autocast": Case(torch.autocast.__enter__, cast, "EnterContext"),
    "iteration": Case(torch.Tensor.__iter__, iterated, "unbind"),
    "Parameter": Case(nn.Parameter.__new__, as_parameter, "Parameter", False),
}


def by_name(case):
    return lambda x: case.use(case.function, x)


def by_partial(case):
    if not callable(case.function):
        return by_name(case)
    held = functools.partial(case.function)
    return lambda x: case.use(held, x)


def by_default(case):
    def call(x, *, held=case.function):
        return case.use(held, x)

    return lambda x: call(x)


def by_closure(case):
    held = case.function

    def inner(x):
        return case.use(held, x)

    return inner


def by_table(case):
    held = {"op": [case.function]}
    return lambda x: case.use(held["op"][0], x)


def gradients(function, x):
    x = x.clone().requires_grad_()
    y = function(x)
    if y.requires_grad:
        y.sum().backward()
    return x.grad


@pytest.mark.parametrize("held", [by_name, by_partial, by_default, by_closure, by_table])
@pytest.mark.parametrize("name", CASES)
def test_it_is_seen(name, held):
    case = CASES[name]
    function = held(case)
    traced = tracelab.trace(function, torch.randn(3, 3).requires_grad_(case.gradients), check_trace=False)
    found = [*kinds(traced.graph), *names_of_calls(traced.graph)]
    assert case.node in found, found
    for _ in range(2):
        x = torch.randn(3, 3)
        torch.manual_seed(0)
        expected = function(x)
        torch.manual_seed(0)
        assert torch.equal(traced(x), expected)
        if case.gradients:
            torch.manual_seed(0)
            wanted = gradients(function, x)
            torch.manual_seed(0)
            replayed = gradients(traced, x)
            assert (wanted is None) == (replayed is None)
            assert wanted is None or torch.allclose(replayed, wanted)


@pytest.mark.parametrize("name", ["vjp", "linearize"])
def test_what_returns_a_function_is_refused_by_each_reference(name):
    held = getattr(torch.func, name)
    with pytest.raises(RuntimeError, match=f"torch.func.{name} returns a function, which a graph cannot hold"):
        tracelab.trace(lambda x: held(torch.sin, x)[0], torch.ones(2))


def test_a_derivative_that_was_made_before_is_refused_with_the_way_out():
    held = torch.func.jacrev(square)
    with pytest.raises(RuntimeError, match=r"call torch\.func\.jacrev inside the traced code"):
        tracelab.trace(lambda x: held(x), torch.ones(2))


@pytest.mark.parametrize("transform", [torch.func.jacfwd, torch.func.hessian, torch.func.grad, torch.vmap])
def test_one_of_these_that_was_made_before_is_seen(transform):
    held = transform(square)
    traced = tracelab.trace(lambda x: held(x), torch.ones(2, 2), check_trace=False)
    assert len(names_of_calls(traced.graph)) == 1
    x = torch.randn(2, 2)
    assert torch.equal(traced(x), held(x))


def test_a_function_of_math_that_was_fetched_before_is_told():
    held = math.sqrt
    with pytest.warns(tracelab.TracerWarning, match="Converting a traced size to a Python"):
        tracelab.trace(lambda x: x / held(x.shape[0]), torch.ones(4), check_trace=False)


def test_a_generator_that_comes_from_outside_goes_on():
    generator = torch.Generator()

    def draws(x):
        return x + torch.rand(3, generator=generator)

    traced = tracelab.trace(draws, torch.zeros(3), check_trace=False)
    assert not torch.equal(traced(torch.zeros(3)), traced(torch.zeros(3)))


def test_a_generator_from_outside_is_seeded_as_the_code_seeds_it():
    generator = torch.Generator()

    def draws(x):
        generator.manual_seed(3)
        return x + torch.rand(3, generator=generator)

    traced = tracelab.trace(draws, torch.zeros(3), check_trace=False)
    generator.manual_seed(8)
    assert torch.equal(traced(torch.zeros(3)), draws(torch.zeros(3)))
    assert "manual_seed" in names_of_calls(traced.graph)
