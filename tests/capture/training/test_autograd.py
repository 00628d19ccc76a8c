"""Gradients through a replay are those of eager, and the regions of autograd replay as they were."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab
from support.printed_graphs import kinds
from support.replay import agrees, assert_same, replays


class Double(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        return gradient * 20


class SumAndDifference(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x, y):
        return x + y, x - y

    @staticmethod
    def backward(ctx, one, other):
        return one + other, one - other


class AddOneInPlace(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.mark_dirty(x)
        return x.add_(1)

    @staticmethod
    def backward(ctx, gradient):
        return gradient


def gradients(function, *inputs):
    """First gradients, and the gradients of their squared sum."""
    leaves = [item.clone().requires_grad_() for item in inputs]
    result = function(*leaves)
    first = torch.autograd.grad(result.pow(2).sum(), leaves, create_graph=True)
    second = torch.autograd.grad(sum(item.pow(2).sum() for item in first), leaves)
    return (*first, *second)


FUNCTIONS = {
    "arithmetic": lambda a, b: a * b / (a - 2 * b) + b,
    "matrices": lambda a, b: torch.tanh(a @ b.t()).softmax(-1),
    "views and writes": lambda a, b: (a.clone().mul_(b)[:, 1:] + 1).reshape(-1).cumsum(0),
    "sizes": lambda a, b: a.view(b.shape[0], -1).exp() * b.numel() + b.sum(),
    "norms": lambda a, b: nn.functional.layer_norm(a * b, (a.shape[-1],)),
    "select and stack": lambda a, b: torch.stack([a[0], b[-1], a.mean(0)]).sin(),
}


@pytest.mark.parametrize("name", FUNCTIONS)
def test_first_and_second_gradients_equal_eager(name):
    function = FUNCTIONS[name]
    traced = tracelab.trace(function, (torch.rand(3, 4), torch.rand(3, 4) + 2))
    inputs = (torch.rand(2, 6), torch.rand(2, 6) + 2)
    for found, wanted in zip(gradients(traced, *inputs), gradients(function, *inputs), strict=True):
        torch.testing.assert_close(found, wanted)


def test_gradients_of_parameters_equal_eager():
    net = nn.Sequential(nn.Linear(3, 4), nn.Tanh(), nn.Linear(4, 1))
    traced = tracelab.trace(net, torch.ones(2, 3))
    x = torch.randn(5, 3)
    net(x).sum().backward()
    wanted = [parameter.grad.clone() for parameter in net.parameters()]
    net.zero_grad()
    traced(x).sum().backward()
    assert_same([parameter.grad for parameter in net.parameters()], wanted)


def test_tracing_leaves_no_gradient_on_parameters():
    net = nn.Linear(2, 2)
    tracelab.trace(net, torch.ones(1, 2))
    assert net.weight.grad is None


def test_indexing_by_a_constant_is_differentiable():
    traced = tracelab.trace(lambda x: x[0], torch.ones(2))
    x = torch.tensor([4.0, 5.0], requires_grad=True)
    traced(x).backward()
    assert x.grad.tolist() == [1, 0]


# autograd.Function -------------------------------------------------------------------------------------------


def test_a_function_runs_its_own_backward_at_replay():
    traced = tracelab.trace(lambda x: Double.apply(x) + 1, torch.ones(2))
    x = torch.ones(3, requires_grad=True)
    traced(x).sum().backward()
    assert x.grad.tolist() == [20, 20, 20]


def test_a_function_is_one_node_with_its_name():
    (node,) = tracelab.trace(lambda x: Double.apply(x), torch.ones(2)).graph.nodes
    assert (node.kind, node.attributes["name"], node.attributes["inplace"]) == ("prim::PythonOp", "Double", False)


def test_a_function_may_have_several_outputs():
    def both(x, y):
        total, difference = SumAndDifference.apply(x, y)
        return total * difference

    traced = tracelab.trace(both, (torch.ones(2), torch.ones(2)))
    agrees(traced, both, (torch.randn(3), torch.randn(3)))
    assert kinds(traced.graph) == ["PythonOp", "TupleUnpack", "mul"]


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x.shape[0], "rows"

    @staticmethod
    def backward(ctx, gradient, *_):
        return gradient * 2


def test_a_number_that_a_function_returns_follows_the_input():
    def scaled(x):
        y, rows, word = Scaled.apply(x)
        assert word == "rows"
        return y * rows

    agrees(tracelab.trace(scaled, torch.ones(3, 2)), scaled, torch.ones(5, 2))


def test_an_in_place_function_is_marked():
    def mixed(x):
        y = Double.apply(x)
        y = AddOneInPlace.apply(y)
        return Double.apply(y)

    traced = tracelab.trace(mixed, torch.ones(2))
    assert [node.attributes["inplace"] for node in traced.graph.nodes] == [False, True, False]
    agrees(traced, mixed, torch.randn(3))


def test_an_in_place_function_refuses_to_run_when_recorded_out_of_place():
    def bump(x):
        return AddOneInPlace.apply(x)

    traced = tracelab.trace(bump, torch.ones(2), force_outplace=True, check_trace=False)
    with pytest.raises(RuntimeError, match="inplace AddOneInPlace cannot run"):
        traced(torch.ones(2))


# Regions -----------------------------------------------------------------------------------------------------


def partly_without(x):
    with torch.no_grad():
        y = x * 2
    return x * y


@torch.no_grad()
def wholly_without(x):
    return x * 2


def enabled_inside(x):
    with torch.no_grad():
        y = x * 2
        with torch.enable_grad():
            z = x * 3
        y = y + 1
    return y * z


def set_by_hand(x):
    with torch.set_grad_enabled(False):
        y = x * 2
    return y + x


def switched_off(x):
    torch.set_grad_enabled(False)
    y = x * 2
    torch.set_grad_enabled(True)
    return y + x


def a_loop_of_regions(x):
    for _ in range(3):
        with torch.no_grad():
            shift = x.mean()
        x = x - shift
    return x


@pytest.mark.parametrize(
    "function", [partly_without, wholly_without, enabled_inside, set_by_hand, switched_off, a_loop_of_regions]
)
def test_a_region_without_gradients_has_none_at_replay(function):
    traced = tracelab.trace(function, torch.ones(2))
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    result, wanted = traced(x), function(x)
    assert_same(result, wanted)
    if wanted.requires_grad:
        (found,) = torch.autograd.grad(result.sum(), x)
        (expected,) = torch.autograd.grad(wanted.sum(), x)
        assert_same(found, expected)


@pytest.mark.parametrize("function", [partly_without, wholly_without, enabled_inside, a_loop_of_regions])
def test_a_trace_recorded_without_gradients_replays_with_them(function):
    with torch.no_grad():
        traced = tracelab.trace(function, torch.ones(2))
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    assert_same(traced(x), function(x))


@pytest.mark.parametrize("function", [partly_without, wholly_without, enabled_inside, a_loop_of_regions])
def test_a_replay_inside_no_grad_leaves_the_mode_as_it_was(function):
    traced = tracelab.trace(function, torch.ones(2))
    x = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        assert_same(traced(x), function(x))
        assert not torch.is_grad_enabled()
    traced(x)
    assert torch.is_grad_enabled()


def test_a_replay_that_raises_inside_a_region_leaves_the_mode_as_it_was():
    def multiply(x, y):
        with torch.no_grad():
            return x @ y

    traced = tracelab.trace(multiply, (torch.ones(2, 2), torch.ones(2, 2)))
    with pytest.raises(RuntimeError):
        traced(torch.ones(2, 2), torch.ones(3, 3))
    assert torch.is_grad_enabled()


def half(x, y):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        product = x @ y
    return product, x @ y


def half_with_an_island(x, y):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        first = x @ y
        with torch.autocast("cpu", enabled=False):
            second = x @ y
        return first, second, x @ y


@pytest.mark.parametrize("function", [half, half_with_an_island])
def test_an_autocast_region_replays(function):
    inputs = (torch.randn(2, 3), torch.randn(3, 2))
    traced = tracelab.trace(function, inputs)
    assert_same(traced(*inputs), function(*inputs))
    assert traced(*inputs)[0].dtype is torch.bfloat16
    assert not torch.is_autocast_enabled("cpu")


def test_autocast_around_the_replay_works_as_around_the_function():
    inputs = (torch.randn(2, 3), torch.randn(3, 2))
    traced = tracelab.trace(lambda x, y: x @ y, inputs)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert traced(*inputs).dtype is torch.bfloat16
    assert traced(*inputs).dtype is torch.float32


def test_a_trace_recorded_inside_autocast_replays_without_it_outside():
    with torch.autocast("cpu", dtype=torch.bfloat16):
        traced = tracelab.trace(lambda x, y: x @ y, (torch.randn(2, 3), torch.randn(3, 2)), check_trace=False)
    assert traced(torch.randn(2, 3), torch.randn(3, 2)).dtype is torch.float32


def test_backward_inside_the_function_replays():
    def step(x):
        w = torch.ones(2, requires_grad=True)
        (x * w).pow(2).sum().backward()
        return w - 0.1 * w.grad

    traced = tracelab.trace(step, torch.ones(2))
    for x in (torch.ones(2), torch.tensor([2.0, 3.0])):
        torch.testing.assert_close(traced(x), step(x))


@pytest.mark.parametrize(
    "make",
    [
        lambda: torch.ones(2, requires_grad=True),
        lambda: torch.tensor([1.0, 2.0], requires_grad=True),
        lambda: torch.zeros(2).requires_grad_(),
        lambda: nn.Parameter(torch.ones(2)),
    ],
    ids=["factory", "tensor", "requires_grad_", "Parameter"],
)
def test_a_tensor_made_to_require_a_gradient_requires_it_at_replay(make):
    traced = tracelab.trace(lambda x: x * make(), torch.ones(2))
    assert traced(torch.ones(2)).requires_grad


def test_a_hook_on_a_gradient_runs_at_replay():
    def hooked(x):
        y = x.clone().requires_grad_()
        z = y * 2
        z.register_hook(lambda gradient: gradient * x)
        z.sum().backward()
        return y.grad

    replays(hooked, torch.randn(3), torch.randn(4))


def test_autograd_grad_inside_the_function_replays():
    def force(x):
        x = x.detach().requires_grad_()
        (gradient,) = torch.autograd.grad(x.pow(3).sum(), x)
        return gradient

    agrees(tracelab.trace(force, torch.ones(2)), force, torch.tensor([2.0, 3.0, 4.0]))
