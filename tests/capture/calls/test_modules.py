"""Modules: hooks, shared parameters, containers, modules as arguments, script code, methods."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn.utils import parametrizations

import tracelab
from support.printed_graphs import kinds
from support.replay import agrees, assert_same, replays


def names(values):
    return [value.path for value in values]


# Parameters --------------------------------------------------------------------------------------------------


def test_parameters_become_inputs_in_the_order_of_their_use():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.unused, self.second, self.first = (nn.Parameter(torch.ones(2)) for _ in range(3))

        def forward(self, x):
            return x * self.first + self.second

    graph = tracelab.trace(Net(), torch.ones(2)).graph
    assert names(graph.parameters) == ["first", "second"]


def test_a_parameter_under_two_names_is_one_input():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.b = self.a = nn.Parameter(torch.randn(2, 2))

        def forward(self, x):
            return x * self.a + self.b

    traced = replays(Tied(), torch.ones(2, 2))
    assert len(traced.graph.inputs) == 2


def test_tied_weights_of_two_modules_are_one_input():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.embed, self.head = nn.Embedding(5, 3), nn.Linear(3, 5, bias=False)
            self.head.weight = self.embed.weight

        def forward(self, ids):
            return self.head(self.embed(ids))

    net = Tied()
    traced = replays(net, torch.tensor([1, 2]), torch.tensor([3]))
    assert names(traced.graph.parameters) == ["embed.weight"]
    traced.to(torch.float64)
    assert traced.head.weight is traced.embed.weight


def test_one_module_in_two_places_is_traced_at_both():
    layer = nn.Linear(2, 2)
    traced = replays(nn.Sequential(layer, nn.ReLU(), layer), torch.ones(1, 2), torch.ones(3, 2))
    assert names(traced.graph.parameters) == ["0.weight", "0.bias"]


def test_an_input_that_is_a_parameter_is_an_input():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.w = nn.Parameter(torch.rand(2))

        def forward(self, x):
            return self.w + x

    net = Net()
    traced = tracelab.trace(net, net.w)
    agrees(traced, net, torch.ones(2))


def test_buffers_are_inputs_too():
    traced = tracelab.trace(nn.BatchNorm1d(2).eval(), torch.ones(3, 2))
    assert sorted(names(traced.graph.parameters)) == ["bias", "running_mean", "running_var", "weight"]


def test_buffers_updated_in_place_are_updated_by_each_replay():
    net = nn.BatchNorm1d(2)
    traced = tracelab.trace(net, torch.randn(4, 2), check_trace=False)
    net.reset_running_stats()
    traced(torch.ones(4, 2))
    assert net.num_batches_tracked.item() == 1
    assert net.running_mean.tolist() == pytest.approx([0.1, 0.1])


def test_a_buffer_that_forward_replaces_is_replaced_by_each_replay():
    class Counter(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("count", torch.zeros(()))

        def forward(self, x):
            self.count = self.count + 1
            return x * self.count

    net = Counter()
    traced = tracelab.trace(net, torch.ones(2), check_trace=False)
    before = traced.count.item()
    assert traced(torch.ones(1)).item() == before + 1
    assert traced(torch.ones(1)).item() == before + 2


def test_tracing_leaves_buffers_as_they_were():
    net = nn.BatchNorm1d(2)
    tracelab.trace(net, torch.randn(4, 2), check_trace=True)
    assert net.training


def test_a_tensor_that_belongs_to_no_module_is_a_constant():
    outside = torch.tensor([3.0, 4.0])
    traced = replays(lambda x: x * outside, torch.ones(2))
    assert kinds(traced.graph) == ["Constant", "mul"]
    outside.add_(1)
    assert traced(torch.ones(2)).tolist() == [4, 5]


# Containers and calls ----------------------------------------------------------------------------------------


def test_containers_of_modules():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.layers = nn.ModuleList([nn.Linear(2, 2) for _ in range(2)])
            self.heads = nn.ModuleDict({"a": nn.Linear(2, 1), "b": nn.Linear(2, 3)})
            self.scales = nn.ParameterList([nn.Parameter(torch.rand(2)) for _ in range(2)])

        def forward(self, x):
            for layer, scale in zip(self.layers, self.scales, strict=True):
                x = layer(x) * scale
            return self.heads["a"](x), self.heads["b"](x)

    traced = replays(Net(), torch.ones(1, 2), torch.randn(4, 2))
    assert {node.scope.path for node in traced.graph.nodes if node.name == "linear"} == {
        "layers.0", "layers.1", "heads.a", "heads.b",
    }  # fmt: skip


def test_a_module_passed_to_a_function_is_traced():
    def apply(module, x):
        return module(x) * 2

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return apply(self.fc, x)

    traced = replays(Net(), torch.ones(1, 2), torch.randn(3, 2))
    assert traced.graph.nodes[0].scope.path == "fc"


def test_keyword_calls_of_submodules_are_traced():
    class Inner(nn.Module):
        def forward(self, *, values, scale=2):
            return values["x"] * scale

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            return self.inner(values={"x": x}, scale=3)

    replays(Net(), torch.ones(2))


def test_submodules_may_return_dicts():
    class Inner(nn.Module):
        def forward(self, x):
            return {"a": x + 1}

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.inner = Inner()

        def forward(self, x):
            return self.inner(x)["a"]

    replays(Net(), torch.ones(2))


def test_forward_called_by_itself_has_no_scope_of_its_own():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def forward(self, x):
            return self.fc.forward(x)

    (node,) = replays(Net(), torch.ones(1, 2)).graph.nodes
    assert node.scope.path == ""


def test_a_bound_method_of_a_module_is_traced_with_its_parameters():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.fc = nn.Linear(2, 2)

        def encode(self, x):
            return self.fc(x).relu()

    net = Net()
    traced = tracelab.trace(net.encode, torch.ones(1, 2))
    x = torch.randn(3, 2)
    assert_same(traced.encode(x), net.encode(x))


def test_several_methods_are_traced_side_by_side():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.up, self.down = nn.Linear(2, 4), nn.Linear(4, 2)

        def forward(self, x):
            return self.decode(self.encode(x))

        def encode(self, x):
            return self.up(x)

        def decode(self, z):
            return self.down(z)

    net = Net()
    traced = tracelab.trace_module(net, {"forward": torch.ones(1, 2), "decode": torch.ones(1, 4)})
    x, z = torch.randn(3, 2), torch.randn(3, 4)
    assert_same(traced(x), net(x))
    assert_same(traced.decode(z), net.decode(z))
    assert traced.method_names() == ["forward", "decode"]


def test_a_traced_module_inside_a_traced_module_is_traced_through():
    inner = tracelab.trace(nn.Linear(2, 2), torch.ones(1, 2))
    traced = replays(nn.Sequential(inner, nn.ReLU()), torch.ones(1, 2), torch.randn(3, 2))
    assert kinds(traced.graph) == ["linear", "relu"]


def test_a_traced_function_inside_a_traced_function_is_traced_through():
    inner = tracelab.trace(lambda x: x * 2, torch.ones(1))
    traced = replays(lambda x: inner(x) + 1, torch.ones(1), torch.randn(3))
    assert kinds(traced.graph) == ["mul", "add"]


# Hooks -------------------------------------------------------------------------------------------------------


def test_hooks_are_traced_in_the_order_in_which_they_run():
    net = nn.Linear(2, 2)
    net.register_forward_pre_hook(lambda module, args: (args[0] * 2,))
    net.register_forward_hook(lambda module, args, result: result.relu())
    net.register_forward_hook(lambda module, args, result: result.neg())
    traced = replays(net, torch.ones(1, 2), torch.randn(3, 2))
    assert kinds(traced.graph) == ["mul", "linear", "relu", "neg"]


def test_hooks_of_submodules_run_inside_their_scope():
    net = nn.Sequential(nn.Linear(2, 2), nn.ReLU())
    net[0].register_forward_hook(lambda module, args, result: result + 1)
    traced = replays(net, torch.ones(1, 2))
    assert [(node.name, node.scope.path) for node in traced.graph.nodes] == [
        ("linear", "0"), ("add", "0"), ("relu", "1"),
    ]  # fmt: skip


def test_weight_norm_and_parametrizations_are_computed_in_the_graph():
    net = parametrizations.weight_norm(nn.Linear(2, 2))
    traced = replays(net, torch.ones(1, 2), torch.randn(3, 2))
    (loss,) = traced(torch.ones(1, 2)).sum(dim=1)
    loss.backward()
    assert all(parameter.grad is not None for parameter in net.parameters())


def test_functional_call_is_traced():
    net = nn.Linear(2, 2)

    def call(x, w):
        return torch.func.functional_call(net, {"weight": w}, (x,))

    replays(call, (torch.ones(1, 2), torch.ones(2, 2)), (torch.randn(3, 2), torch.randn(2, 2)))


def test_a_lazy_module_gets_its_parameters_before_the_trace():
    net = nn.Sequential(nn.LazyLinear(3), nn.LazyBatchNorm1d()).eval()
    traced = replays(net, torch.randn(2, 4), torch.randn(5, 4))
    assert kinds(traced.graph) == ["linear", "batch_norm"]


# Script code -------------------------------------------------------------------------------------------------


@torch.jit.script
def choose(x, flag):
    if bool(flag):
        return x * 2
    return torch.zeros_like(x)


def test_a_script_function_stays_a_call_with_its_branches_alive():
    def decide(x, flag):
        return choose(x, flag) + 1

    traced = replays(decide, (torch.ones(2), torch.tensor([True])), (torch.ones(3), torch.tensor([False])))
    assert [node.kind for node in traced.graph.nodes] == ["prim::CallFunction", "aten::add"]
    assert traced.graph.nodes[0].attributes["name"] == "choose"


@torch.jit.script
def both(x) -> dict[str, torch.Tensor]:
    return {"more": x + 1, "less": x - 1}


def test_the_results_of_a_script_function_may_be_in_a_dict():
    replays(lambda x: both(x)["more"] * 2, torch.ones(2), torch.zeros(3))


def test_a_script_function_is_traced_itself():
    traced = tracelab.trace(choose, (torch.ones(2), torch.tensor([True])))
    assert traced(torch.ones(2), torch.tensor([False])).tolist() == [0, 0]


def test_a_script_module_stays_a_call():
    class Sign(nn.Module):
        def forward(self, x):
            if bool(x.sum() > 0):
                return x
            return -x

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.sign = torch.jit.script(Sign())

        def forward(self, x):
            return self.sign(x) * 2

    traced = replays(Net(), torch.ones(2), -torch.ones(3))
    assert [node.kind for node in traced.graph.nodes] == ["prim::CallMethod", "aten::mul"]


def test_forked_work_is_waited_for():
    def parallel(x):
        future = torch.jit.fork(torch.sin, x)
        y = x * 2
        return torch.jit.wait(future) + y

    replays(parallel, torch.ones(2), torch.randn(3))


def test_exported_methods_come_along():
    class Net(nn.Module):
        @torch.jit.export
        def shifted(self, x):
            return x + 10

        def forward(self, x):
            return x * 2

    class Outer(nn.Module):
        def __init__(self):
            super().__init__()
            self.net = Net()

        def forward(self, x):
            return self.net(x)

    traced = tracelab.trace(Outer(), torch.ones(1))
    assert "shifted" in traced.net.method_names()
    assert traced.net.shifted(torch.ones(1)).item() == 11


# Regions that stay one node ----------------------------------------------------------------------------------


def scaled_by(x, w):
    return torch.vmap(lambda row: row * w)(x)


def derivative(x):
    return torch.func.grad(lambda y: y.pow(3).sum())(x)


def jacobian(x):
    return torch.func.jacrev(lambda y: y.pow(2))(x)


def checkpointed(x):
    from torch.utils.checkpoint import checkpoint

    return checkpoint(lambda y: y.sin().exp(), x, use_reentrant=False)


@pytest.mark.parametrize("function", [derivative, jacobian, checkpointed], ids=lambda function: function.__name__)
def test_transforms_replay(function):
    replays(function, torch.randn(3), torch.randn(5), tolerance={"rtol": 1e-6, "atol": 1e-6})


def test_vmap_over_a_closure_follows_its_tensors():
    replays(scaled_by, (torch.randn(3, 2), torch.randn(2)), (torch.randn(5, 4), torch.randn(4)))


def test_a_conditional_keeps_both_branches():
    def either(x):
        return torch.cond(x.sum() > 0, lambda x: x * 2, lambda x: -x, (x,))

    replays(either, torch.ones(2), -torch.ones(3))
