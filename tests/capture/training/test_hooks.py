"""Hooks of the backward pass act in each run of a trace as they do in Python."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn
from torch.nn.modules import module as modules
from torch.utils.checkpoint import checkpoint

import tracelab
from tracelab import AssumptionWarning, TracelabError


def gradients(function, x):
    """The gradient of the sum of squares, in the input and in the parameters that there are."""
    x = x.detach().clone().requires_grad_()
    held = list(function.parameters()) if isinstance(function, nn.Module) else []
    result = function(x)
    return torch.autograd.grad(result.square().sum(), [x, *held])


def trains_alike(function, shape=(3,)):
    """A trace gives the gradients that Python gives."""
    example, other = torch.ones(shape, requires_grad=True), torch.arange(1.0, 1 + torch.Size(shape).numel()).view(shape)
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.TracerWarning)
        traced = tracelab.trace(function, example)
    for x in (example, other, other):
        for mine, wanted in zip(gradients(traced, x), gradients(function, x), strict=True):
            torch.testing.assert_close(mine, wanted)
    return traced


# On nodes of autograd's --------------------------------------------------------------------------------------


def on_a_grad_fn(x):
    y = x * 1
    y.grad_fn.register_hook(lambda inner, outer: (inner[0] * 10, *inner[1:]))
    return y


def before_a_grad_fn(x):
    y = x * 1
    node = y.grad_fn
    node.register_prehook(lambda outer: (outer[0] * 10,))
    return y


def further_back(x):
    y = (x * 2).sin() * 3
    y.grad_fn.next_functions[0][0].register_hook(lambda inner, outer: tuple(item * 10 for item in inner))
    return y


def with_a_traced_tensor(x):
    y = x * 2
    scale = y.detach() + 1
    y.grad_fn.register_hook(lambda inner, outer: (inner[0] * scale, *inner[1:]))
    return y


def removed(x):
    y = x * 1
    handle = y.register_hook(lambda gradient: gradient * 10)
    handle.remove()
    return y


def removed_from_a_grad_fn(x):
    y = x * 1
    handle = y.grad_fn.register_hook(lambda inner, outer: (inner[0] * 10, *inner[1:]))
    handle.remove()
    return y


def removed_by_a_region(x):
    y = x * 1
    with y.register_hook(lambda gradient: gradient * 10):
        z = y * 2
    return z


def one_of_two_removed(x):
    y = x * 1
    first = y.register_hook(lambda gradient: gradient * 10)
    y.register_hook(lambda gradient: gradient + 1)
    first.remove()
    return y


def packed(x):
    with torch.autograd.graph.saved_tensors_hooks(lambda item: item * 2, lambda item: item + 1):
        y = x * x
    return y * x


def saved_on_the_cpu(x):
    with torch.autograd.graph.save_on_cpu():
        return x * x


def checkpointed(x):
    return checkpoint(lambda item: (item * 2).sin() * item, x, use_reentrant=False)


def a_global_hook(x):
    layer = nn.Tanh()
    handle = modules.register_module_full_backward_hook(lambda module, inner, outer: (inner[0] * 10,))
    try:
        return layer(x * 1)
    finally:
        handle.remove()


def a_global_forward_hook(x):
    layer = nn.Identity()
    handle = modules.register_module_forward_hook(lambda module, given, result: result * 3)
    try:
        return layer(x * 1)
    finally:
        handle.remove()


@pytest.mark.parametrize(
    "function",
    [
        on_a_grad_fn,
        before_a_grad_fn,
        further_back,
        with_a_traced_tensor,
        removed,
        removed_from_a_grad_fn,
        removed_by_a_region,
        one_of_two_removed,
        packed,
        saved_on_the_cpu,
        checkpointed,
        a_global_hook,
        a_global_forward_hook,
    ],
    ids=lambda item: item.__name__,
)
def test_hooks_act_in_each_run(function):
    trains_alike(function)


def test_what_a_grad_fn_says_of_itself_can_be_read():
    def reads(x):
        y = (x * 2).sin()
        node = y.grad_fn
        assert isinstance(node, torch.autograd.graph.Node)
        assert node == y.grad_fn
        assert {node: 1}[y.grad_fn] == 1
        assert node.next_functions[0][0].name() == "MulBackward0"
        assert y.detach().grad_fn is None
        return y

    trains_alike(reads)


def test_a_hook_on_the_grad_fn_of_what_was_written_to_since_is_refused():
    def writes(x):
        y = x * 2
        node = y.grad_fn
        y.mul_(3)
        node.register_hook(lambda inner, outer: None)
        return y

    with pytest.raises(TracelabError, match="register the hook before the write"):
        tracelab.trace(writes, torch.ones(2, requires_grad=True))


def test_a_call_without_the_gradients_that_a_hook_needs_says_so():
    traced = tracelab.trace(on_a_grad_fn, torch.ones(2, requires_grad=True))
    with (
        pytest.warns(AssumptionWarning, match="requires_grad was True"),
        pytest.raises(TracelabError, match=r"registers a hook on `grad_fn`|requires_grad was True"),
    ):
        traced(torch.ones(2))


@pytest.mark.parametrize("read", [lambda y: y.grad_fn is None, lambda y: y.is_leaf, lambda y: y.grad_fn != None])  # noqa: E711
def test_a_branch_on_whether_there_is_a_backward_pass_is_told(read):
    traced = tracelab.trace(lambda x: x * 2 if read(x * 1) else x * 3, torch.ones(2, requires_grad=True))
    with pytest.warns(AssumptionWarning, match="was (True|False) when"):
        traced(torch.ones(2))


# On modules --------------------------------------------------------------------------------------------------


class Inner(nn.Module):
    def __init__(self, method, hook):
        super().__init__()
        torch.manual_seed(0)
        self.layer = nn.Linear(2, 2)
        getattr(self.layer, method)(hook)

    def forward(self, x):
        return self.layer(x * 2).tanh()


MODULE_HOOKS = {
    "register_full_backward_hook": lambda module, inner, outer: tuple(item * 10 for item in inner),
    "register_full_backward_pre_hook": lambda module, outer: tuple(item * 10 for item in outer),
    "register_backward_hook": lambda module, inner, outer: tuple(None if item is None else item * 10 for item in inner),
}


@pytest.mark.parametrize("method", MODULE_HOOKS)
@pytest.mark.filterwarnings("ignore:Using a non-full backward hook")
def test_backward_hooks_of_a_module_act_in_each_run(method):
    trains_alike(Inner(method, MODULE_HOOKS[method]), (4, 2))


def test_both_kinds_on_the_traced_module_itself():
    class Both(nn.Module):
        def forward(self, x, factor=3):
            return x * factor, x.sin()

    model = Both()
    model.register_full_backward_hook(lambda module, inner, outer: (inner[0] * 10,))
    model.register_full_backward_pre_hook(lambda module, outer: (outer[0] * 2, outer[1] * 5))
    traced = tracelab.trace(model, torch.ones(2, requires_grad=True))
    for function in (traced, model):
        x = torch.full((2,), 3.0, requires_grad=True)
        first, second = function(x)
        (gradient,) = torch.autograd.grad((first + second).sum(), x)
        torch.testing.assert_close(gradient, (2 * 3 + 5 * x.cos()).detach() * 10)


def test_a_backward_hook_is_given_the_gradients_of_arguments_that_are_no_tensors_as_none():
    given = []

    class Scaled(nn.Module):
        def forward(self, x, factor):
            return x * factor

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Scaled()
            self.inner.register_full_backward_hook(lambda module, inner, outer: given.append(len(inner)))

        def forward(self, x):
            return self.inner(x * 1, 3)

    traced = tracelab.trace(Outer(), torch.ones(2, requires_grad=True))
    given.clear()
    traced(torch.ones(2, requires_grad=True)).sum().backward()
    assert given == [2]


# On parameters -----------------------------------------------------------------------------------------------


class HookOnAParameter(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x):
        self.weight.register_hook(lambda gradient: gradient * 10)
        return self.weight * x


def test_each_run_registers_a_hook_on_a_parameter_as_python_does():
    traced, model = tracelab.trace(HookOnAParameter(), torch.ones(2)), HookOnAParameter()
    model(torch.ones(2))
    for _ in range(2):
        wanted, mine = ([*torch.autograd.grad(item(torch.ones(2)).sum(), item.weight)] for item in (model, traced))
        torch.testing.assert_close(mine, wanted)


def test_tracing_and_checking_leave_no_hooks_but_those_of_one_call():
    model = HookOnAParameter()
    traced = tracelab.trace(model, torch.ones(2))
    assert traced.check().ok
    (gradient,) = torch.autograd.grad((model.weight * 1).sum(), model.weight)
    assert gradient.tolist() == [10, 10]


class StepsByAHook(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    def forward(self, x):
        def halve(parameter):
            parameter.grad.mul_(0.5)

        handle = self.weight.register_post_accumulate_grad_hook(halve)
        (self.weight * x).sum().backward()
        handle.remove()
        gradient = self.weight.grad.clone()
        self.weight.grad = None
        return gradient


def test_a_hook_after_accumulation_acts_in_each_run_and_is_removed():
    traced = tracelab.trace(StepsByAHook(), torch.ones(2))
    assert traced(torch.full((2,), 4.0)).tolist() == [2, 2]
    assert traced(torch.full((2,), 6.0)).tolist() == [3, 3]
