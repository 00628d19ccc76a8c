"""In-place operators, views, `out=`, `.data` and detached tensors replay with the aliasing that they ran with."""

from __future__ import annotations

import copy

import pytest
import torch
from torch.nn import functional as F

import tracelab
from support.printed_graphs import kinds
from support.replay import agrees, assert_same, replays


def through_a_view(x):
    y = x.clone()
    row = y[1]
    row.mul_(2)
    return y, row


def through_two_views(x):
    y = x.clone()
    y.t()[0].add_(1)
    return y


def base_after_view(x):
    y = x.clone()
    row = y[0]
    y.add_(1)
    return row * 2


def order_matters(x):
    y = x.clone()
    before = y.sum()
    y.zero_()
    return before, y.sum()


def augmented(x):
    x = x.clone()
    x += 1
    x *= 2
    x[0] -= 3
    x[:, 1] /= 2
    return x


def masked(x):
    x = x.clone()
    x[x > 0] = 0
    return x


def masked_by_values(x):
    x = x.clone()
    x[x > 0] = x[x > 0] * 10
    return x


def accumulated(x):
    total = torch.zeros(3)
    total.index_add_(0, torch.tensor([0, 2]), x[:2, 0])
    total.index_put_((torch.tensor([1, 1]),), x[0, :2], accumulate=True)
    return total


def filled(x):
    y = torch.empty_like(x)
    y.fill_(3)
    y[0].copy_(x[0])
    return y


def result_in_out(x):
    out = torch.empty(0)
    torch.add(x, 1, out=out)
    return out * 2


def two_results_in_out(x):
    values, indices = torch.empty(0), torch.empty(0, dtype=torch.int64)
    found = torch.cummax(x, 1, out=(values, indices))
    return found[0], found[1], values


def detached(x):
    y = x * 2
    return y.detach() + y


def detached_in_place(x):
    y = x * 2
    y.detach_()
    return y + 1


def data_read(x):
    y = x * 2
    return y.data + 1


def data_written(x):
    y = x.clone()
    y.data.add_(1)
    return y * 2


def data_replaced(x):
    y = x.clone()
    y.data = x * 3
    return y + 1


def split_written(x):
    y = x.clone()
    first, second = y.chunk(2)
    first.add_(second)
    return y


def unbound(x):
    y = x.clone()
    for row in y.unbind(0):
        row.clamp_(min=0)
    return y


def diagonal_written(x):
    y = x.clone()
    y.diagonal().fill_(1)
    return y


def resized(x):
    y = x.clone()
    y.resize_(2, 2)
    return y


def transposed_in_place(x):
    y = x.clone()
    y.t_().unsqueeze_(0)
    return y


def relu_in_place(x):
    y = x + 0
    F.relu(y, inplace=True)
    return F.threshold(y, 0.5, 0, inplace=True)


CASES = [
    through_a_view, through_two_views, base_after_view, order_matters, augmented, masked, masked_by_values, accumulated,
    filled, result_in_out, two_results_in_out, detached, detached_in_place, data_read, data_written, data_replaced,
    split_written, unbound, diagonal_written, resized, transposed_in_place, relu_in_place,
]  # fmt: skip


@pytest.mark.parametrize("function", CASES, ids=lambda function: function.__name__)
def test_a_replay_equals_eager(function):
    traced = tracelab.trace(function, torch.randn(4, 4), check_trace=False)
    agrees(traced, function, torch.randn(4, 4), torch.randn(4, 6) if function is unbound else torch.randn(6, 6))


def test_writing_into_an_input_writes_into_the_caller_s_tensor_at_replay():
    def bump(x):
        x.add_(1)
        return x * 2

    traced = tracelab.trace(bump, torch.zeros(2))
    x = torch.zeros(3)
    assert traced(x).tolist() == [2, 2, 2]
    assert x.tolist() == [1, 1, 1]


def test_tracing_leaves_the_example_as_it_was():
    def ruin(x, d):
        x.zero_()
        d["y"].add_(5)
        d["y"].t_()
        return x + d["y"].sum()

    x, y = torch.ones(2), torch.ones(2, 3)
    tracelab.trace(ruin, (x, {"y": y}))
    assert x.tolist() == [1, 1]
    assert torch.equal(y, torch.ones(2, 3))


def test_an_example_that_requires_grad_stays_a_leaf_without_gradient():
    x = torch.ones(2, requires_grad=True)
    tracelab.trace(lambda x: (x * 2).sum(), x)
    assert x.is_leaf
    assert x.grad is None


def test_what_an_in_place_operator_returns_is_the_tensor_itself():
    def same(x):
        y = x.clone()
        return y, y.add_(1)

    first, second = tracelab.trace(same, torch.ones(2))(torch.ones(2))
    assert first is second


def test_a_view_that_comes_back_shares_memory_with_its_base():
    def parts(x):
        y = x * 2
        return y, y[0]

    base, row = tracelab.trace(parts, torch.ones(2, 2))(torch.ones(2, 2))
    row.zero_()
    assert base[0].tolist() == [0, 0]


def test_detach_cuts_the_gradient_at_replay():
    traced = tracelab.trace(lambda x: (x * 2).detach(), torch.ones(2))
    result = traced(torch.ones(2, requires_grad=True))
    assert not result.requires_grad
    assert result.grad_fn is None


def test_a_result_that_is_detached_in_place_before_its_first_use_is_recorded_as_detach():
    traced = tracelab.trace(detached_in_place, torch.ones(2))
    assert kinds(traced.graph) == ["mul", "detach", "add"]


def test_a_result_that_was_used_is_detached_in_place():
    def used(x):
        y = x * 2
        z = y + 1
        y.detach_()
        return y * z

    traced = tracelab.trace(used, torch.ones(2))
    assert kinds(traced.graph) == ["mul", "add", "detach_", "mul"]
    agrees(traced, used, torch.tensor([2.0, 3.0], requires_grad=True))


def test_data_cuts_the_gradient_at_replay():
    traced = tracelab.trace(lambda x: x.data * x, torch.ones(2))
    x = torch.tensor([2.0, 3.0], requires_grad=True)
    traced(x).sum().backward()
    assert x.grad.tolist() == [2, 3]


def test_detached_tensors_are_seen_detached_while_tracing():
    def check(x, w):
        y = torch.matmul(x, w)
        assert y.requires_grad
        y.detach_()
        assert not y.requires_grad
        return y

    tracelab.trace(check, (torch.rand(3, 4), torch.rand(4, 5, requires_grad=True)), check_trace=False)


# force_outplace ----------------------------------------------------------------------------------------------


def test_force_outplace_writes_functional_forms():
    def bump(x):
        y = x.clone()
        y.add_(2).mul_(3)
        return y.relu_()

    traced = tracelab.trace(bump, torch.zeros(2), force_outplace=True, check_trace=False)
    assert kinds(traced.graph) == ["clone", "add", "mul", "relu"]
    assert_same(traced(torch.ones(2)), torch.full((2,), 9.0))


def test_force_outplace_writes_copy_as_expand_and_to():
    def copied(x):
        out = torch.zeros(x.size())
        out.copy_(x)
        return out

    traced = tracelab.trace(copied, torch.ones(2, 2), force_outplace=True)
    assert "expand_as" in kinds(traced.graph)
    assert_same(traced(torch.full((2, 2), 7.0)), torch.full((2, 2), 7.0))


def test_force_outplace_leaves_the_caller_s_tensor_alone_at_replay():
    traced = tracelab.trace(lambda x: x.add_(1), torch.zeros(2), force_outplace=True, check_trace=False)
    x = torch.zeros(2)
    assert traced(x).tolist() == [1, 1]
    assert x.tolist() == [0, 0]


@pytest.mark.parametrize("fill", ["fill_", "zero_"])
def test_force_outplace_of_a_fresh_tensor(fill):
    def fresh(x):
        empty = torch.empty(x.shape)
        return empty.fill_(7) if fill == "fill_" else empty.zero_()

    replays(fresh, torch.randn(2, 3), torch.randn(4, 1), force_outplace=True)


def test_a_deep_copy_follows_the_input_and_is_written_to_alone():
    def copied(x):
        first = copy.deepcopy({"a": x, "again": [x]})
        first["a"].add_(1)
        return first["again"][0], x * 2

    replays(copied, torch.ones(2), torch.zeros(3))


def test_a_storage_is_noted():
    def set_to(x):
        return torch.empty(0).set_(x.untyped_storage(), 0, (2,)) * 2

    with pytest.warns(tracelab.TracerWarning, match="the storage of this run is used in every run"):
        tracelab.trace(set_to, torch.ones(2), check_trace=False)
