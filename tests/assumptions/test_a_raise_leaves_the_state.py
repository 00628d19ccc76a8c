"""`on_violation="raise"`: a call whose assumption fails in its middle leaves all that it wrote as it was before."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionError


def strict_trace(function, *example, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, example, strict=False, check_trace=False, on_violation="raise", **options)


def copied(module):
    return {name: tensor.clone() for name, tensor in module.state_dict().items()}


def same(before, after):
    return before.keys() == after.keys() and all(torch.equal(before[name], after[name]) for name in before)


class Normalised(nn.Module):
    """Batch norm that trains, and then a branch on what it gave."""

    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("largest", torch.zeros(3))

    def forward(self, x):
        h = self.norm(x)
        self.largest.copy_(torch.maximum(self.largest, x.amax(0)))
        return h * 2 if x.sum() + h.sum() > 0 else h


@pytest.mark.parametrize("gradients", [True, False])
def test_statistics_of_a_norm_stay(gradients):
    traced = strict_trace(Normalised(), torch.rand(4, 3) + 1)
    before = copied(traced)
    with torch.set_grad_enabled(gradients):
        with pytest.raises(AssumptionError, match=r"x\.sum"):
            traced(-torch.rand(4, 3) - 1)
        assert same(before, traced.state_dict())
        assert traced.norm.running_mean.is_leaf
        traced(torch.rand(4, 3) + 1)
    assert not same(before, traced.state_dict())


def test_a_written_argument_stays():
    def step(x, scale):
        x[1:].mul_(scale)
        x += 1
        return x * 2 if x.sum() > 0 else x

    traced = strict_trace(step, torch.ones(3), torch.ones(()))
    x = torch.ones(3)
    with pytest.raises(AssumptionError):
        traced(x, torch.tensor(-9.0))
    assert torch.equal(x, torch.ones(3))


def test_an_argument_that_took_part_in_a_gradient_is_a_leaf_again():
    weight = torch.ones(3, requires_grad=True)

    def step(x):
        x.mul_(weight)
        return x * 2 if x.sum() > 0 else x

    traced = strict_trace(step, torch.ones(3))
    x = -torch.ones(3)
    with pytest.raises(AssumptionError):
        traced(x)
    assert torch.equal(x, -torch.ones(3))
    assert x.is_leaf
    assert not x.requires_grad


@pytest.mark.filterwarnings("ignore:An output with one or more elements was resized")
def test_an_argument_of_another_size_has_its_size_again():
    def step(x, out):
        torch.add(x, 1, out=out)
        return out * 2 if out.sum() > 0 else out

    traced = strict_trace(step, torch.ones(3), torch.ones(3))
    out = torch.full((2,), 5.0)
    with pytest.raises(AssumptionError):
        traced(-9 * torch.ones(4), out)
    assert torch.equal(out, torch.full((2,), 5.0))


class Remembers(nn.Module):
    """An attribute that is another tensor after each call."""

    def __init__(self):
        super().__init__()
        self.register_buffer("last", torch.zeros(2))

    def forward(self, x):
        self.last = x + self.last
        return x * 2 if self.last.sum() > 0 else x


def test_a_buffer_that_was_replaced_is_the_old_one():
    traced = strict_trace(Remembers(), torch.ones(2))
    before = traced.last
    with pytest.raises(AssumptionError):
        traced(-torch.ones(2))
    assert traced.last is before
    assert torch.equal(before, torch.ones(2))


def test_a_step_of_an_optimizer_is_undone():
    torch.manual_seed(0)
    net = nn.Linear(2, 1)
    optimizer = torch.optim.Adam(net.parameters(), lr=0.1)
    net(torch.ones(1, 2)).sum().backward()
    optimizer.step()

    def train(x):
        optimizer.zero_grad()
        loss = net(x).square().sum()
        loss.backward()
        optimizer.step()
        return loss if net.weight.sum() + x.sum() * 100 > 0 else loss * 2

    before = copied(net)
    gradient = net.weight.grad.clone()
    moments = [item.clone() for state in optimizer.state.values() for item in state.values()]
    traced = strict_trace(train, torch.ones(1, 2))
    net.load_state_dict(before)
    held = [value for value in traced.graph.state.values() if value.requires_grad]
    assert any(value is net.weight for value in held)
    net.weight.grad = gradient.clone()
    now = [item.clone() for state in optimizer.state.values() for item in state.values()]
    assert not all(map(torch.equal, moments, now))
    with pytest.raises(AssumptionError):
        traced(-torch.ones(1, 2))
    assert same(before, net.state_dict())
    assert torch.equal(net.weight.grad, gradient)
    assert all(map(torch.equal, now, [item for state in optimizer.state.values() for item in state.values()]))


def test_random_numbers_that_were_drawn_come_again():
    def draw(x):
        h = nn.functional.dropout(x, 0.5) + torch.rand(3)
        return h * 2 if h.sum() + x.sum() > 0 else h

    traced = strict_trace(draw, torch.ones(3))
    torch.manual_seed(3)
    state = torch.get_rng_state()
    with pytest.raises(AssumptionError):
        traced(-9 * torch.ones(3))
    assert torch.equal(torch.get_rng_state(), state)


def test_what_is_inside_a_region_is_undone_and_left():
    total = torch.zeros(3)

    def inside(x):
        with torch.no_grad():
            total.add_(x)
            positive = total.sum() + x.sum() > 0
            return x * 2 if positive else x

    traced = strict_trace(inside, torch.ones(3))
    before = total.clone()
    with pytest.raises(AssumptionError):
        traced(-9 * torch.ones(3))
    assert torch.equal(total, before)
    assert torch.is_grad_enabled()


def code_that_runs(traced):
    """The code of a call without gradients."""
    return "".join(function.__code__.co_names.__repr__() for function in traced.replay._functions.values())


def test_only_code_that_checks_after_it_wrote_keeps_anything():
    def writes_last(x):
        y = x * 2 if x.sum() > 0 else x
        x.add_(1)
        return y

    def writes_what_it_made(x):
        h = x.clone().mul_(2)
        return h * 2 if h.sum() > 0 else h

    for function in (writes_last, writes_what_it_made):
        traced = strict_trace(function, torch.ones(3))
        traced(torch.ones(3))
        assert "guards" in code_that_runs(traced)
        assert "Undo" not in code_that_runs(traced)


def test_a_recording_that_does_not_fit_leaves_nothing_before_another_is_taken():
    total = torch.zeros(3)

    def adds(x):
        total.add_(x)
        return x * 2 if total.sum() + x.sum() > 0 else x

    traced = tracelab.trace(adds, torch.ones(3), strict=False, check_trace=False, on_violation="retrace")
    total.zero_()
    assert traced(-torch.ones(3)).equal(-torch.ones(3))
    assert total.equal(-torch.ones(3))
    assert len(traced.cases) == 2
    assert traced(-torch.ones(3)).equal(-torch.ones(3))
    assert total.equal(-2 * torch.ones(3))
