"""Passes leave gradients as they were: those that a caller takes, and those that the graph itself takes."""

from __future__ import annotations

import pytest
import torch

import tracelab
from support.observed_calls import changed_by
from tracelab.graph import passes


def one_of_two_marked(x):
    one, other = x.detach(), x.detach()
    one.requires_grad_()
    return one * 2, other * 2


def one_of_two_new_tensors_marked(x):
    one, other = torch.zeros(2), torch.zeros(2)
    one.requires_grad_()
    return one + x.detach(), other + x.detach()


def marked_between(x):
    y = x.detach() * 1
    before = y.exp()
    y.requires_grad_()
    return before * 2, y.exp() * 2


def one_of_two_with_a_hook(x):
    one, other = x.exp(), x.exp()
    one.register_hook(lambda gradient: gradient * 10)
    return one + other


def gradient_of_one_of_two(x):
    one, other = x.exp(), x.exp()
    (gradient,) = torch.autograd.grad((one * other).sum(), one, retain_graph=True)
    return gradient + 0


def gradient_of_one_view_of_two(x):
    y = x.exp()
    one, other = y.view(-1), y.view(-1)
    (gradient,) = torch.autograd.grad((one * other).sum(), one, retain_graph=True)
    return gradient + 0


def two_losses(x):
    one, other = (x * x).sum(), (x * x).sum()
    one.backward()
    other.backward()
    return x.grad + 0


def two_losses_of_one_function(x):
    one, other = x.exp().sum(), x.exp().sum()
    first = torch.autograd.grad(one, x)
    second = torch.autograd.grad(other, x)
    return first[0] + second[0]


def a_loss_beside_the_result(x):
    loss, result = x.exp().sum(), x.exp().sum()
    torch.autograd.backward([loss])
    return result * 2


def kept_gradients(x):
    one, other = x.exp(), x.exp()
    one.retain_grad()
    (one * 2 + other).sum().backward()
    return one.grad + 0


def data_written_after_the_last_use(x):
    y = x.exp()
    total = y.sum()
    y.data.zero_()
    return total


def data_written_before_a_backward_pass(x):
    y = x.exp()
    total = y.sum()
    y.data.zero_()
    total.backward()
    return x.grad + 0


def written_without_gradients_before_a_backward_pass(x):
    y = x * 1
    total = (y * y).sum()
    with torch.no_grad():
        y.view(-1).data.mul_(3)
    total.backward()
    return x.grad + 0


def an_output_written_that_is_kept_for_the_backward_pass(x):
    largest, place = x.view(1, 2).max(1)
    place.zero_()
    return largest


def gradients_read_and_written(x):
    x.sum().backward()
    gradient = x.grad
    gradient.mul_(3)
    (x * 2).sum().backward()
    return gradient + 0


def a_gradient_that_is_added_to(x):
    x.sum().backward()
    before = x.grad.clone()
    (x * x).sum().backward()
    return before, x.grad.clone()


def a_gradient_that_is_set(x):
    one, other = torch.ones(2), torch.ones(2)
    x.grad = one
    (x * 2).sum().backward()
    return other + 1


FUNCTIONS = [
    one_of_two_marked,
    one_of_two_new_tensors_marked,
    marked_between,
    one_of_two_with_a_hook,
    gradient_of_one_of_two,
    gradient_of_one_view_of_two,
    two_losses,
    two_losses_of_one_function,
    a_loss_beside_the_result,
    kept_gradients,
    data_written_after_the_last_use,
    data_written_before_a_backward_pass,
    written_without_gradients_before_a_backward_pass,
    an_output_written_that_is_kept_for_the_backward_pass,
    gradients_read_and_written,
    a_gradient_that_is_added_to,
    a_gradient_that_is_set,
]
PASSES = {
    "dce": passes.dce,
    "cse": passes.cse,
    "both": lambda graph: passes.dce(passes.cse(passes.dce(graph))),
}


@pytest.mark.parametrize("name", PASSES)
@pytest.mark.parametrize("function", FUNCTIONS)
def test_gradients_are_those_of_python(function, name):
    assert changed_by(PASSES[name], function, torch.tensor([1.0, 2.0], requires_grad=True)) == ""


def test_a_write_that_autograd_would_refuse_is_refused_after_a_pass():
    def squared(x):
        y = x.exp()
        total = y.sum()
        y.add_(1)
        return total

    graph = passes.dce(tracelab.trace_graph(squared, torch.ones(2))[0])
    total = graph.to_callable()(torch.ones(2, requires_grad=True))
    with pytest.raises(RuntimeError, match="has been modified by an inplace operation"):
        total.backward()


def test_what_is_merged_has_the_gradients_of_both():
    def twice(x):
        return x.exp() * 2 + x.exp() * 3

    graph = passes.cse(tracelab.trace_graph(twice, torch.ones(2))[0])
    assert len(graph.find_nodes("exp")) == 1
    x = torch.ones(2, requires_grad=True)
    found = torch.autograd.grad(graph.to_callable()(x).sum(), x)
    wanted = torch.autograd.grad(twice(x).sum(), x)
    torch.testing.assert_close(found, wanted)


def test_a_tensor_that_is_detached_in_place_stays_the_tensor_that_it_was():
    def detached(x):
        x[x > 1] = 0
        x.detach_()
        return x

    graph = tracelab.trace_graph(detached, torch.ones(2))[0]
    x = torch.ones(2)
    assert graph.to_callable()(x) is x


def test_detaching_in_place_what_autograd_needs_is_refused_as_in_python():
    def detached(x):
        y = x * 1
        z = y.sin()
        y.detach_()
        return z

    assert changed_by(lambda graph: graph, detached, torch.ones(2, requires_grad=True)) == ""
