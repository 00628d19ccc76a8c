"""A trace as a `torch.fx.GraphModule`."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import tracelab
from tracelab.interop.ways_out.refusals import ExportError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 3)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x, options):
        y = self.fc(x).view(x.shape[0], -1)
        self.steps += 1
        with torch.no_grad():
            scale = y.norm()
        first, second = y.split(2, dim=1)
        return {"y": y / scale + options["bias"], "parts": (first, second)}


@pytest.fixture
def net():
    torch.manual_seed(0)
    return tracelab.trace(Net(), torch.randn(5, 4), {"bias": torch.randn(3)}, strict=False)


def test_the_graph_module_has_a_node_for_each_of_the_trace(net):
    assert str(net.to_fx().graph).strip() == (
        "graph():\n"
        "    %x : [num_users=2] = placeholder[target=x]\n"
        "    %options_bias : [num_users=1] = placeholder[target=options_bias]\n"
        "    %fc_weight : [num_users=1] = get_attr[target=fc.weight]\n"
        "    %fc_bias : [num_users=1] = get_attr[target=fc.bias]\n"
        "    %steps : [num_users=1] = get_attr[target=steps]\n"
        "    %linear : torch.Tensor [num_users=1] = call_function[target=torch.ops.aten.linear.default]"
        "(args = (%x, %fc_weight, %fc_bias), kwargs = {})\n"
        "    %size : int [num_users=1] = call_function[target=torch.ops.aten.sym_size.int]"
        "(args = (%x, 0), kwargs = {})\n"
        "    %y : torch.Tensor [num_users=3] = call_function[target=torch.ops.aten.view.default]"
        "(args = (%linear, [%size, -1]), kwargs = {})\n"
        "    %add : torch.Tensor [num_users=0] = call_function[target=torch.ops.aten.add_.Tensor]"
        "(args = (%steps, 1), kwargs = {})\n"
        "    %is_grad_enabled : [num_users=1] = call_function[target=torch.is_grad_enabled]"
        "(args = (), kwargs = {})\n"
        "    %_set_grad_enabled : [num_users=0] = call_function[target=torch._C._set_grad_enabled]"
        "(args = (False,), kwargs = {})\n"
        "    %scale : torch.Tensor [num_users=1] = call_function[target=torch.ops.aten.linalg_vector_norm.default]"
        "(args = (%y,), kwargs = {})\n"
        "    %_set_grad_enabled_1 : [num_users=0] = call_function[target=torch._C._set_grad_enabled]"
        "(args = (%is_grad_enabled,), kwargs = {})\n"
        "    %split : [num_users=2] = call_function[target=torch.ops.aten.split.Tensor]"
        "(args = (%y, 2, 1), kwargs = {})\n"
        "    %first : torch.Tensor [num_users=1] = call_function[target=operator.getitem]"
        "(args = (%split, 0), kwargs = {})\n"
        "    %second : torch.Tensor [num_users=1] = call_function[target=operator.getitem]"
        "(args = (%split, 1), kwargs = {})\n"
        "    %div : torch.Tensor [num_users=1] = call_function[target=torch.ops.aten.div.Tensor]"
        "(args = (%y, %scale), kwargs = {})\n"
        "    %add_1 : torch.Tensor [num_users=1] = call_function[target=torch.ops.aten.add.Tensor]"
        "(args = (%div, %options_bias), kwargs = {})\n"
        "    return [add_1, first, second]"
    )


def test_it_gives_what_the_trace_gives_on_other_sizes(net):
    x, options = torch.randn(7, 4), {"bias": torch.randn(3)}
    module = net.to_fx()
    torch.testing.assert_close(module(x, options), copy.deepcopy(net)(x, options))


def test_gradients_reach_the_parameters_that_it_shares(net):
    net.to_fx()(torch.randn(2, 4), {"bias": torch.randn(3)})["y"].sum().backward()
    assert net.fc.weight.grad is not None


def test_read_again_it_is_the_trace(net):
    assert not tracelab.diff(net, tracelab.from_fx(net.to_fx()))


def test_a_node_knows_its_value_its_module_and_its_line(net):
    linear = next(node for node in net.to_fx().graph.nodes if node.name == "linear")
    assert (tuple(linear.meta["val"].shape), type(linear.meta["val"]).__name__) == ((5, 3), "FakeTensor")
    assert list(linear.meta["nn_module_stack"].values()) == [("", "Net"), ("fc", "Linear")]
    assert "y = self.fc(x).view(x.shape[0], -1)" in linear.meta["stack_trace"]


def test_an_autocast_region_is_read_again():
    def halved(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return x @ x

    traced = tracelab.trace(halved, torch.ones(3, 3))
    module = traced.to_fx()
    assert module(torch.ones(3, 3)).dtype == torch.bfloat16
    assert not tracelab.diff(traced, tracelab.from_fx(module))


def test_a_number_among_the_arguments_stays_one():
    traced = tracelab.trace(lambda x, k: x * k, torch.ones(3), 2)
    assert traced.to_fx()(torch.ones(3), 5).tolist() == [5.0, 5.0, 5.0]


def test_results_of_a_class_that_pytrees_do_not_know_are_refused_by_name():
    class Result:
        def __init__(self, value):
            self.value = value

    traced = tracelab.trace(lambda x: Result(x + 1), torch.ones(2), strict=False)
    with pytest.raises(ExportError, match=r"it returns a Result, which torch's pytrees do not take apart"):
        traced.to_fx()


def test_a_write_to_an_argument_that_is_no_tensor_is_refused_by_its_name():
    def keep(x, cache):
        cache["last"] = x + 1
        return x

    with pytest.raises(ExportError, match=r"the trace writes to the argument `cache`: "):
        tracelab.trace(keep, torch.ones(2), {"last": torch.ones(2)}).to_fx()
