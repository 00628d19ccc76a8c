"""A trace as a `torch.export.ExportedProgram`."""

from __future__ import annotations

import inspect
import warnings

import pytest
import torch
from torch import nn
from torch.fx.experimental.proxy_tensor import make_fx

import tracelab
from support.examples.refused_by_export import REFUSED
from tracelab.errors import AssumptionWarning, InputError
from tracelab.interop.ways_out.refusals import ExportError


class Branching(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(4, 4)
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x, mask=None):
        self.steps += 1
        y = self.fc(x)
        if y.sum() > 1e9:
            y = y * 0
        if x.shape[0] > 1:
            y = y + 1
        return {"y": y if mask is None else y * mask}


def traced_silently(function, *args, **kwargs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, *args, strict=False, **kwargs)


@pytest.fixture
def branching():
    torch.manual_seed(0)
    return traced_silently(Branching(), torch.randn(5, 4), mask=torch.ones(5, 4))


@pytest.fixture
def program(branching):
    with pytest.warns(AssumptionWarning):
        return branching.export()


def test_torch_refuses_the_module_that_exports_from_its_trace(program):
    with pytest.raises(Exception, match="data-dependent"):
        torch.export.export(Branching(), (torch.randn(5, 4),), strict=False)
    assert program.module()(torch.randn(9, 4), mask=torch.ones(9, 4))["y"].shape == (9, 4)


def test_the_branch_on_values_is_warned_of_with_its_line_and_noted(branching):
    line = inspect.getsourcelines(Branching.forward)[1] + 3
    with pytest.warns(AssumptionWarning, match=rf"goes one way for all values: test_export.py:{line}: .* is False"):
        program = branching.export()
    [note] = program.graph_module.meta["tracelab_assumptions"]
    assert note == f"test_export.py:{line}: y.sum() > 1000000000.0 is False"


def test_a_size_that_goes_the_other_way_is_refused_by_the_program(program):
    with pytest.raises(RuntimeError, match=r"x.shape\[0\] > 1 is True"):
        program.module()(torch.randn(1, 4), mask=torch.ones(1, 4))


def test_parameters_and_written_buffers_have_their_names(program):
    signature = program.graph_signature
    assert signature.inputs_to_parameters == {"p_fc_weight": "fc.weight", "p_fc_bias": "fc.bias"}
    assert list(program.run_decompositions().graph_signature.buffers_to_mutate.values()) == ["steps"]
    assert signature.user_inputs == ("x", "mask")


def test_exporting_leaves_the_buffers_alone(branching):
    before = branching.steps.item()
    with pytest.warns(AssumptionWarning):
        branching.export()
    assert branching.steps.item() == before


def test_each_node_has_its_modules_and_its_line(program):
    calls = [node for node in program.graph.nodes if node.op == "call_function"]
    assert all(node.meta.get("nn_module_stack") and node.meta.get("stack_trace") for node in calls)
    linear = next(node for node in calls if node.name == "linear")
    assert list(linear.meta["nn_module_stack"].values()) == [("", "Branching"), ("fc", "Linear")]


def test_named_sizes_are_the_only_dynamic_ones():
    traced = tracelab.trace(lambda x, y: x + y, torch.ones(4, 3), torch.ones(4, 3))
    program = traced.export({"x": ("batch", None), "y": ("batch",)})
    shapes = [str(tuple(node.meta["val"].shape)) for node in program.graph.nodes if node.op == "placeholder"]
    assert shapes == [shapes[0]] * 2
    assert shapes[0].endswith(", 3)")
    assert program.module()(torch.ones(6, 3), torch.ones(6, 3)).shape == (6, 3)


def test_sizes_of_an_argument_that_is_not_there_are_refused():
    traced = tracelab.trace(torch.relu, torch.ones(4))
    with pytest.raises(InputError, match=r"there is no tensor `z` among the arguments; there are input"):
        traced.export({"z": ("batch",)})


def test_a_number_that_decides_on_sizes_is_followed():
    traced = tracelab.trace(lambda x, k: x[:, :k] * x.shape[0], torch.ones(5, 7), 3)
    module = traced.export().module()
    assert torch.equal(module(torch.ones(4, 9), 5), torch.full((4, 5), 4.0))


@pytest.mark.parametrize("name", REFUSED)
def test_a_program_that_torch_may_refuse_is_equal_on_another_size(name):
    torch.manual_seed(0)
    case = REFUSED[name]()
    traced = traced_silently(case.model, case.inputs, check_trace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", AssumptionWarning)
        module = traced.export().module()
    x = torch.randn(3, 4)
    wanted = REFUSED[name]().model
    wanted.load_state_dict(case.model.state_dict())
    torch.testing.assert_close(module(x), wanted(x))


def test_gradients_in_the_graph_are_refused_with_their_line():
    traced = tracelab.trace(lambda x: x.sum().backward() or x, torch.ones(3, requires_grad=True), check_trace=False)
    with pytest.raises(ExportError, match=r"^backward computes gradients at test_export.py:\d+: an exported program"):
        traced.export()


def test_torch_exports_the_traced_module_under_the_names_of_its_code(branching):
    assert list(inspect.signature(branching.forward).parameters) == ["x", "mask"]
    exported = torch.export.export(branching, (torch.randn(3, 4),), {"mask": torch.ones(3, 4)}, strict=False)
    assert exported.graph_signature.user_inputs == ("x", "mask")


def test_make_fx_and_compile_take_a_traced_module():
    traced = tracelab.trace(nn.Linear(4, 3), torch.ones(2, 4))
    assert make_fx(traced)(torch.ones(2, 4))(torch.ones(2, 4)).shape == (2, 3)
    assert torch.compile(traced, backend="eager")(torch.ones(5, 4)).shape == (5, 3)
