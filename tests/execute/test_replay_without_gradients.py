"""Replays under `no_grad` run in inference mode where nobody can tell; what they return is ordinary tensors."""

import copy

import torch
from torch import nn

import tracelab
from tracelab.execute.codegen.inference import inference_region


def region_of(function, *inputs):
    graph = tracelab.trace_graph(function, inputs)[0]
    return [node.kind for node in graph.nodes[: inference_region(graph)]]


def test_what_makes_the_output_runs_outside_of_it():
    assert region_of(lambda x: torch.relu(torch.sin(x) + 1), torch.ones(2)) == ["aten::sin", "aten::add"]


def test_the_maker_of_a_viewed_output_runs_outside_of_it():
    assert region_of(lambda x: torch.sin(x).exp().view(-1).t(), torch.ones(2)) == ["aten::sin"]


def test_what_torch_composes_of_others_may_hand_on_its_input():
    assert region_of(lambda x: torch.sin(x).exp().reshape(2, 1).contiguous(), torch.ones(2)) == ["aten::sin"]


def test_sizes_do_not_end_it():
    def function(x):
        rows = x.shape[0]
        return torch.sin(x).exp().relu().view(rows, 1)

    assert region_of(function, torch.ones(2)) == ["aten::size", "aten::sin", "aten::exp"]


def test_a_write_in_place_after_it_rules_it_out():
    def function(x):
        scale = x.sin()
        out = torch.zeros(2)
        out += scale
        return out

    assert region_of(lambda x: function(x) * 1, torch.ones(2))
    assert region_of(function, torch.ones(2)) == []


def test_gradient_modes_in_the_graph_rule_it_out():
    def function(x):
        with torch.enable_grad():
            y = x.sin().exp()
        return y.relu()

    assert region_of(function, torch.ones(2)) == []


def test_python_functions_rule_it_out():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    assert region_of(lambda x: Double.apply(x.sin()).exp(), torch.ones(2)) == []


def test_outputs_serve_autograd_afterwards():
    traced = tracelab.trace(lambda x: x.sin().exp().view(-1), torch.ones(2))
    with torch.no_grad():
        features = traced(torch.ones(2))
    assert not features.is_inference()
    weight = torch.ones(2, requires_grad=True)
    (features * weight).sum().backward()
    assert torch.equal(weight.grad, features)


def test_an_output_that_is_a_view_of_the_input_still_shares_its_version():
    traced = tracelab.trace(lambda x: (x.sin().exp(), x.view(-1)), torch.ones(2))
    given = torch.ones(2)
    with torch.no_grad():
        _, view = traced(given)
    view.add_(1)
    assert view._base is given
    assert given._version == 1


def test_buffers_are_updated_as_in_eager():
    module = nn.Sequential(nn.Conv2d(1, 2, 1), nn.BatchNorm2d(2), nn.ReLU(), nn.Conv2d(2, 1, 1)).train()
    twin = copy.deepcopy(module)
    traced = tracelab.trace(module, torch.randn(2, 1, 3, 3), check_trace=False)
    module.load_state_dict(twin.state_dict())
    given = torch.randn(2, 1, 3, 3)
    with torch.no_grad():
        assert torch.allclose(traced(given), twin(given))
    assert torch.allclose(module[1].running_mean, twin[1].running_mean)
    assert not module[1].running_mean.is_inference()


def test_gradients_come_back_with_the_mode():
    traced = tracelab.trace(lambda x: x.sin().exp().relu(), torch.ones(2))
    given = torch.ones(2, requires_grad=True)
    with torch.no_grad():
        assert not traced(given).requires_grad
    assert traced(given).requires_grad


def test_autocast_leaves_nothing_in_its_cache_that_autograd_refuses():
    module = nn.Sequential(nn.Linear(2, 2), nn.ReLU(), nn.Linear(2, 2))
    traced = tracelab.trace(module, torch.ones(1, 2))
    with torch.autocast("cpu"):
        with torch.no_grad():
            traced(torch.ones(1, 2))
        with torch.enable_grad():
            module(torch.ones(1, 2)).sum()


def test_a_transform_of_a_replay_without_gradients():
    traced = tracelab.trace(lambda x: x.sin().exp().relu(), torch.ones(2))
    given = torch.randn(3, 2)
    with torch.no_grad():
        assert torch.equal(torch.vmap(traced)(given), given.sin().exp().relu())
