"""Training inside the traced code: what `backward` fills, what code does with it, and what optimizers write."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab
from support.printed_graphs import short
from support.replay import EXACT, replays

X = torch.randn(4, 3), torch.randn(5, 3)


def weight():
    return torch.ones(3, 2, requires_grad=True)


def the_keyword_as_an_attribute(x):
    w = torch.ones(3, 2)
    w.requires_grad = True
    (x @ w).sum().backward()
    return w.grad


def a_list_of_losses(x):
    w = weight()
    torch.autograd.backward([(x @ w).sum(), (x @ w * 2).sum()])
    return w.grad


def a_gradient_that_is_set(x):
    w = weight()
    w.grad = torch.ones_like(w) * x.sum()
    (x @ w * 2).sum().backward()
    return w.grad


def a_gradient_that_is_cleared(x):
    w = weight()
    (x @ w * 2).sum().backward()
    first = w.grad
    w.grad = None
    (x @ w).sum().backward()
    return first, w.grad


def a_gradient_that_is_deleted(x):
    w = weight()
    (x @ w * 2).sum().backward()
    del w.grad
    (x @ w).sum().backward()
    return w.grad


def a_retained_gradient(x):
    z = x @ weight()
    z.retain_grad()
    (z**2).sum().backward()
    return z.grad


def a_hook_after_accumulation(x):
    p = nn.Parameter(torch.ones(3, 2))

    def thrice(parameter):
        parameter.grad.mul_(3)

    p.register_post_accumulate_grad_hook(thrice)
    (x @ p).sum().backward()
    return p.grad


def clipped(x):
    w = weight()
    (x @ w * 2).pow(2).sum().backward()
    norm = nn.utils.clip_grad_norm_([w], 1.0)
    return w.grad, norm


@pytest.mark.parametrize(
    "function",
    [
        the_keyword_as_an_attribute,
        a_list_of_losses,
        a_gradient_that_is_set,
        a_gradient_that_is_cleared,
        a_gradient_that_is_deleted,
        a_retained_gradient,
        a_hook_after_accumulation,
        clipped,
    ],
    ids=lambda function: function.__name__,
)
def test_gradients_inside_the_function_replay(function):
    replays(function, *X, tolerance={"rtol": 1e-5, "atol": 1e-6})


@pytest.mark.parametrize("kind", ["SGD", "Adam", "AdamW", "RMSprop", "Adagrad", "Rprop", "NAdam"])
def test_an_optimizer_inside_the_function_replays(kind):
    def trained(x):
        w = weight()
        optimizer = getattr(torch.optim, kind)([w], lr=0.1)
        for _ in range(3):
            optimizer.zero_grad()
            (x @ w).pow(2).mean().backward()
            optimizer.step()
        return w.detach()

    replays(trained, *X, tolerance={"rtol": 1e-5, "atol": 1e-6})


@pytest.mark.parametrize(("kind", "options"), [("SGD", {"momentum": 0.9}), ("Adam", {}), ("RMSprop", {})])
def test_a_later_step_of_a_training_goes_on_as_the_training_would(kind, options):
    batches = [(torch.randn(4, 3), torch.randn(4, 2)) for _ in range(4)]

    def losses(traced_from):
        torch.manual_seed(3)
        model = nn.Linear(3, 2)
        optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.1, **options)

        def step(x, y):
            optimizer.zero_grad()
            loss = nn.functional.mse_loss(model(x), y)
            loss.backward()
            optimizer.step()
            return loss.detach()

        found = []
        for index, batch in enumerate(batches):
            if index == traced_from:
                step = tracelab.trace(step, batch, check_trace=False)
            else:
                found.append(step(*batch).item())
        return found

    eager, traced = losses(None), losses(1)
    assert traced == pytest.approx([eager[0], *eager[2:]])


def test_a_step_is_what_it_reads_as():
    def step(x):
        w = torch.ones(3, requires_grad=True)
        w.grad = None
        (x * w).sum().backward()
        return w.grad

    assert short(tracelab.trace(step, torch.ones(3)).graph) == (
        """\
graph(%x : Float(3)):
  %1 : int = prim::Constant[value=3]()
  %2 : int[] = prim::ListConstruct(%1)
  %3 : NoneType = prim::Constant()
  %4 : Device = prim::Constant[value="cpu"]()
  %5 : bool = prim::Constant[value=0]()
  %ones : Float(3) = aten::ones(%2, %3, %3, %4, %5)
  %w : Float(3) = aten::requires_grad_(%ones)
  prim::set_grad(%w, %3)
  %mul : Float(3) = aten::mul(%x, %w)
  %sum : Float() = aten::sum(%mul, %3)
  ^backward[inplace=0](%sum, %3, %3, %5, %3)
  %grad : Float(3) = prim::grad(%w)
  return (%grad)
"""
    )


# Parameters and modules that the traced code makes ------------------------------------------------------------


def a_parameter_of_what_was_computed(x):
    return x * nn.Parameter(x.mean(0))


def a_parameter_as_long_as_the_input(x):
    return x * nn.Parameter(torch.zeros(x.shape[0], 1) + 1)


def a_layer_that_is_initialised(x):
    layer = nn.Linear(3, 2)
    nn.init.constant_(layer.weight, 0.5)
    nn.init.zeros_(layer.bias)
    return layer(x)


def a_layer_of_random_weights(x):
    return nn.Linear(3, 2)(x)


def a_layer_that_is_trained(x):
    layer = nn.Linear(3, 2, bias=False)
    nn.init.ones_(layer.weight)
    optimizer = torch.optim.SGD(layer.parameters(), lr=0.1)
    layer(x).pow(2).mean().backward()
    optimizer.step()
    return layer(x)


@pytest.mark.filterwarnings("ignore:Converting a traced size")
@pytest.mark.parametrize(
    "function",
    [
        a_parameter_of_what_was_computed,
        a_parameter_as_long_as_the_input,
        a_layer_that_is_initialised,
        a_layer_of_random_weights,
        a_layer_that_is_trained,
    ],
    ids=lambda function: function.__name__,
)
def test_what_the_function_makes_is_made_anew(function):
    traced = tracelab.trace(function, X[0], check_trace=False)
    for x in X:
        torch.manual_seed(1)
        wanted = function(x)
        torch.manual_seed(1)
        torch.testing.assert_close(traced(x), wanted, rtol=1e-5, atol=1e-6)


def test_a_copy_of_a_layer_follows_the_layer():
    import copy

    layer = nn.Linear(3, 2)
    traced = tracelab.trace(lambda x: copy.deepcopy(layer)(x), X[0])
    with torch.no_grad():
        layer.weight.add_(1)
    torch.testing.assert_close(traced(X[1]), layer(X[1]), **EXACT)


def test_a_parameter_made_inside_is_a_node():
    traced = tracelab.trace(lambda x: x * nn.Parameter(torch.ones(2)), torch.ones(2))
    assert "%Parameter : Float(2) = prim::Parameter(%ones, %" in short(traced.graph)


def test_torch_s_parameter_is_as_it_was_after_a_trace():
    before = vars(nn.Parameter)["__new__"]
    tracelab.trace(lambda x: x * nn.Parameter(torch.ones(2)), torch.ones(2))
    assert vars(nn.Parameter)["__new__"] is before


# Names for the profiler ---------------------------------------------------------------------------------------


def named(x):
    with torch.profiler.record_function("doubling"):
        return x * 2


def test_a_name_for_the_profiler_is_a_region_of_the_graph():
    assert short(tracelab.trace(named, torch.ones(2)).graph) == (
        """\
graph(%x : Float(2)):
  %1 : str = prim::Constant[value="doubling"]()
  %2 : NoneType = prim::Constant()
  prim::EnterContext(%1, %2)
  %3 : int = prim::Constant[value=2]()
  %mul : Float(2) = aten::mul(%x, %3)
  prim::ExitContext()
  return (%mul)
"""
    )


def test_the_profiler_of_a_replay_shows_the_name():
    traced = tracelab.trace(named, torch.ones(2))
    with torch.profiler.profile() as profile:
        traced(torch.ones(3))
    assert "doubling" in {event.key for event in profile.key_averages()}


def test_a_trained_step_comes_back_from_a_file(tmp_path):
    def trained(x):
        w = weight()
        optimizer = torch.optim.SGD([w], lr=0.1)
        optimizer.zero_grad()
        (x @ w).pow(2).mean().backward()
        optimizer.step()
        return w.detach()

    tracelab.trace(trained, X[0]).save(tmp_path / "step.tlab")
    again = tracelab.load(tmp_path / "step.tlab")
    torch.testing.assert_close(again(X[1]), trained(X[1]), rtol=1e-5, atol=1e-6)


# Optimizers that were there before -----------------------------------------------------------------------------


def training(kind, **options):
    torch.manual_seed(3)
    model = nn.Linear(3, 2)
    optimizer = getattr(torch.optim, kind)(model.parameters(), lr=0.1, **options)

    def step(x):
        optimizer.zero_grad()
        loss = model(x).pow(2).mean()
        loss.backward()
        optimizer.step()
        return loss.detach()

    return model, optimizer, step


@pytest.mark.parametrize("steps_before", [0, 1])
@pytest.mark.filterwarnings("ignore:The Adam made its state")
def test_a_trace_and_its_check_are_one_step_of_the_training(steps_before):
    found = []
    for take in (lambda step: step(X[0]), lambda step: tracelab.trace(step, X[0])):
        model, optimizer, step = training("Adam")
        for _ in range(steps_before):
            step(X[1])
        take(step)
        kept = [item for state in optimizer.state.values() for item in state.values()]
        found.append([*model.parameters(), *kept])
    torch.testing.assert_close(*found)


def test_a_check_leaves_a_training_where_it_is():
    model, optimizer, step = training("Adam")
    step(X[1])
    traced = tracelab.trace(step, X[0], check_trace=False)
    before = [item.detach().clone() for item in (*model.parameters(), *optimizer.state[model.weight].values())]
    gradient = model.weight.grad.clone()
    traced.check()
    torch.testing.assert_close([*model.parameters(), *optimizer.state[model.weight].values()], before, **EXACT)
    assert torch.equal(model.weight.grad, gradient)


def test_an_optimizer_that_makes_its_state_in_the_trace_is_said():
    _, _, step = training("Adam")
    with pytest.warns(tracelab.TracerWarning, match="The Adam made its state while tracing"):
        traced = tracelab.trace(step, X[0])
    assert [item.kind for item in traced.graph.warnings] == ["state"]


@pytest.mark.parametrize(("kind", "steps_before"), [("SGD", 0), ("Adam", 1)])
def test_an_optimizer_without_news_is_not_said(kind, steps_before):
    _, _, step = training(kind)
    for _ in range(steps_before):
        step(X[1])
    replayed = tracelab.trace(step, X[0], check_trace=False)
    assert replayed.graph.warnings == []


def test_torch_s_hooks_on_optimizers_are_as_they_were_after_a_trace():
    from torch.optim.optimizer import _global_optimizer_post_hooks, _global_optimizer_pre_hooks

    _, _, step = training("SGD")
    tracelab.trace(step, X[0])
    assert (len(_global_optimizer_pre_hooks), len(_global_optimizer_post_hooks)) == (0, 0)
