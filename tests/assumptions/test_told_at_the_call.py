"""What decided what was recorded is an assumption; a call for which it does not hold is told, with the line."""

from __future__ import annotations

import io
import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from support.told import told
from tracelab import AssumptionError, AssumptionWarning


def traced_on(function, *example):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, example, strict=False)


# Each kind of fact ------------------------------------------------------------------------------------------------


def branch_on_a_size(x):
    return x.sum(0) if x.shape[0] > 1 else x[0] * 2


def branch_on_a_size_inside(x):
    h = x[:, 1:]
    return h * 2 if h.size(1) > 2 else h


def branch_on_a_value(x):
    return x * 2 if x.sum() > 0 else x / 2


def number_of_a_value(x):
    return x * int(x[0])


def values_as_a_list(x):
    return x * sum(x.tolist())


def values_as_an_array(x):
    return x * float(np.sum(x.numpy()))


def rounds_of_a_size(x):
    total = 0
    for index in range(x.shape[0]):
        total = total + x[index]
    return total


def branch_on_a_dtype(x):
    return x.float() / 255 if x.dtype == torch.uint8 else x * 1


def branch_on_floating_point(x):
    return x * 2 if x.is_floating_point() else x.float()


def branch_on_dimensions(x):
    return x.unsqueeze(0) if x.dim() == 2 else x * 1


def dimensions_by_unpacking(x):
    batch, width = x.shape
    return x.reshape(width, batch)


def size_counted_from_the_end(x):
    return x / x.size(-1)


def arguments_of_the_dtype(x):
    return torch.zeros(2, **{"dtype": x.dtype}) + 1


def name_of_the_device(x):
    return torch.zeros(2, device=str(x.device))


def branch_on_gradients(x):
    y = x * 2
    return y * 3 if y.requires_grad else y


def branch_on_contiguity(x):
    return x * 2 if x.is_contiguous() else x


def named(item):
    return getattr(item, "__name__", "")


ONES = torch.ones(3, 4)
KINDS = [
    (branch_on_a_size, ONES, torch.ones(1, 4), "x.shape[0] > 1 was True", "is False"),
    (branch_on_a_size_inside, ONES, torch.ones(3, 3), "h.size(1) > 2 was True", "is False"),
    (branch_on_a_value, ONES, -ONES, "x.sum() > 0 was True", "is False"),
    (number_of_a_value, torch.ones(2), torch.full((2,), 3.0), "int(x[0]) was 1", "is 3"),
    (values_as_a_list, torch.ones(2), torch.zeros(2), "x.tolist() was [1.0, 1.0]", "is [0.0, 0.0]"),
    (values_as_an_array, torch.ones(2), torch.zeros(2), "x.numpy() was array([1., 1.], dtype=float32)", "is array([0."),
    (rounds_of_a_size, ONES, torch.ones(5, 4), "range(x.shape[0]) was 3", "is 5"),
    (branch_on_a_dtype, ONES, ONES.to(torch.uint8), "x.dtype was torch.float32", "is torch.uint8"),
    (branch_on_floating_point, ONES, ONES.int(), "x.is_floating_point() was True", "is False"),
    (branch_on_dimensions, ONES, torch.ones(2, 3, 4), "x.dim() was 2", "is 3"),
    (dimensions_by_unpacking, ONES, torch.ones(12, 1, 1), "x.dim() was 2", "is 3"),
    (size_counted_from_the_end, ONES, torch.ones(2, 3, 4), "x.dim() was 2", "is 3"),
    (arguments_of_the_dtype, ONES, ONES.double(), "x.dtype was torch.float32", "is torch.float64"),
    (name_of_the_device, ONES, ONES.to("meta"), "x.device was cpu", "is meta at this call"),
    (branch_on_gradients, ONES.clone().requires_grad_(), ONES, "y.requires_grad was True", "is False"),
    (branch_on_contiguity, ONES, ONES.t(), "x.is_contiguous() was True", "is False"),
]


@pytest.mark.parametrize(
    ("function", "example", "other", "was", "now"), KINDS, ids=lambda item: getattr(item, "__name__", "")
)
def test_a_call_that_differs_is_told(function, example, other, was, now):
    (sentence,) = told(traced_on(function, example), other)
    assert sentence.startswith(f"{was} when {function.__name__} was traced (test_told_at_the_call.py:")
    assert f" and {now}" in sentence


@pytest.mark.parametrize(
    ("function", "example", "other", "was", "now"), KINDS, ids=lambda item: getattr(item, "__name__", "")
)
def test_a_call_like_that_of_the_trace_is_told_nothing(function, example, other, was, now):
    assert told(traced_on(function, example), example.detach().clone().requires_grad_(example.requires_grad)) == []


@pytest.mark.parametrize(
    ("function", "other"),
    [
        (branch_on_a_size, torch.ones(7, 2)),
        (branch_on_a_size_inside, torch.ones(1, 9)),
        (branch_on_a_value, ONES * 3),
        (branch_on_a_dtype, torch.ones(5)),
        (lambda x: x.view(x.shape[0], -1), torch.ones(2, 3, 4)),
        (lambda x: x.view(x.size()[0], -1), torch.ones(2, 3, 4)),
    ],
    ids=lambda item: getattr(item, "__name__", ""),
)
def test_another_size_for_which_the_code_goes_the_same_way_is_told_nothing(function, other):
    traced = traced_on(function, ONES)
    assert told(traced, other) == []
    torch.testing.assert_close(traced(other), function(other))


# State outside ----------------------------------------------------------------------------------------------------


class OnTheFirstCall(nn.Module):
    def __init__(self):
        super().__init__()
        self.done = False

    def forward(self, x):
        if not self.done:
            self.done = True
            return x * 2
        return x


class Counts(nn.Module):
    """Keeps count of its calls, and asks for it nowhere."""

    def __init__(self):
        super().__init__()
        self.calls = 0

    def forward(self, x):
        self.calls += 1
        return x * 2


def test_an_attribute_that_the_code_reads_and_changes_is_told():
    (sentence,) = told(tracelab.trace(OnTheFirstCall(), ONES, check_trace=False), ONES)
    assert sentence.startswith("OnTheFirstCall.done was False when OnTheFirstCall.forward was traced and is True")


def test_a_counter_that_decides_nothing_is_told_nothing():
    assert told(traced_on(Counts(), ONES), ONES) == []


def test_a_variable_of_a_closure_is_told():
    rounds = 0

    def scaled(x):
        nonlocal rounds
        rounds += 1
        return x * rounds

    (sentence,) = told(tracelab.trace(scaled, ONES, check_trace=False), ONES)
    assert sentence.startswith("rounds was 0 when scaled was traced and is 1")


@pytest.mark.parametrize(("draw", "name"), [(random.random, "random"), (np.random.rand, "numpy.random")])
def test_numbers_of_other_generators_are_told(draw, name):
    (sentence,) = told(tracelab.trace(lambda x: x * draw(), ONES, check_trace=False), ONES)
    assert sentence.startswith(f"the code drew from `{name}` numbers when ")


def test_the_mode_of_a_module_is_told_as_it_is_changed():
    traced = tracelab.trace(nn.Sequential(nn.Linear(4, 2), nn.Dropout()), ONES, check_trace=False)
    with pytest.warns(AssumptionWarning, match="Sequential was traced in training mode, which"):
        traced.eval()


def test_a_module_without_a_mode_changes_it_in_silence(recwarn):
    tracelab.trace(nn.Linear(4, 2), ONES).eval()
    assert not recwarn.list


def test_the_mode_of_a_module_that_a_function_runs_is_told_at_the_call():
    dropout = nn.Dropout().eval()
    traced = traced_on(lambda x: dropout(x), ONES)
    dropout.train()
    (sentence,) = told(traced, ONES)
    assert sentence.startswith("dropout.training was False when <lambda> was traced and is True")


# What happens then ------------------------------------------------------------------------------------------------


def test_the_warning_is_at_the_line_of_the_call():
    with pytest.warns(AssumptionWarning) as found:
        traced_on(branch_on_a_size, ONES)(torch.ones(1, 4))
    assert found[0].filename == __file__


def test_it_raises_where_that_is_asked_for():
    traced = tracelab.trace(branch_on_a_dtype, ONES, on_violation="raise")
    with pytest.raises(AssumptionError, match=r"x\.dtype was torch\.float32"):
        traced(ONES.double())


def test_it_is_ignored_where_that_is_asked_for():
    traced = tracelab.trace(branch_on_a_dtype, ONES)
    traced.on_violation = "ignore"
    assert told(traced, ONES.double()) == []


def test_an_unknown_action_is_one_sentence():
    with pytest.raises(tracelab.InputError, match="on_violation='shout' is not an action: give 'warn'"):
        tracelab.trace(branch_on_a_dtype, ONES, on_violation="shout")


def test_an_error_that_it_leads_to_says_so():
    def hooked(x):
        y = x * 2
        if y.requires_grad:
            y.register_hook(lambda gradient: gradient * 3)
        return y

    traced = tracelab.trace(hooked, ONES.clone().requires_grad_())
    with (
        pytest.warns(AssumptionWarning),
        pytest.raises(AssumptionError, match=r"y\.requires_grad was.*RuntimeError"),
    ):
        traced(ONES)


def test_the_assumptions_are_listed_with_their_lines():
    assert [str(item).partition(": ")[2] for item in traced_on(branch_on_a_size, ONES).assumptions] == [
        "x.shape[0] > 1 is True"
    ]


def test_a_size_that_only_an_assumption_needs_is_not_in_the_graph():
    assert [node.name for node in traced_on(branch_on_a_size, ONES).graph.nodes] == ["sum"]


def test_a_copy_of_the_graph_and_passes_keep_what_is_asked():
    traced = traced_on(branch_on_a_size_inside, ONES)
    tracelab.passes.cse(tracelab.passes.dce(traced.graph))
    assert len(told(traced, torch.ones(3, 3))) == 1
    assert len(traced.graph.copy().assumptions) == 1


def test_a_check_tells_nothing_beside_its_report(recwarn):
    traced = traced_on(branch_on_a_value, ONES)
    traced.check()
    assert not [item for item in recwarn.list if item.category is AssumptionWarning]


def test_under_a_transform_nothing_is_asked():
    traced = traced_on(branch_on_a_value, torch.ones(4))
    assert torch.vmap(traced)(ONES).shape == ONES.shape


def test_strides_and_offsets_follow():
    def windows(x):
        return x.as_strided((x.size(0), x.size(1) - 1, 2), (x.stride(0), x.stride(1), x.stride(1)), x.storage_offset())

    traced = tracelab.trace(windows, ONES)
    other = torch.arange(20.0).view(2, 10)[:, 2:]
    torch.testing.assert_close(traced(other), windows(other))


@pytest.mark.parametrize(("function", "example", "other", "was", "now"), KINDS, ids=named)
def test_a_loaded_trace_tells_it_too(function, example, other, was, now):
    file = io.BytesIO()
    traced_on(function, example).save(file)
    file.seek(0)
    loaded = tracelab.load(file)
    assert len(told(loaded, other)) == 1
    assert told(loaded, example.detach().clone().requires_grad_(example.requires_grad)) == []


def test_a_number_that_is_none_is_as_it_was():
    traced = traced_on(lambda x: x * float(x[0]), torch.tensor([float("nan"), 1.0]))
    assert told(traced, torch.tensor([float("nan"), 2.0])) == []
    (sentence,) = told(traced, torch.ones(2))
    assert "was nan" in sentence


def test_a_default_device_leaves_the_calls_checked():
    traced = traced_on(branch_on_a_size, torch.ones(3, 2))
    torch.set_default_device("cpu")
    try:
        assert told(traced, torch.ones(1, 2))
        with torch.device("cpu"):
            assert told(traced, torch.ones(1, 2))
    finally:
        torch.set_default_device(None)


@pytest.mark.parametrize("parts", [lambda y: y.unbind(0), lambda y: y, lambda y: y.split(1)])
def test_the_rank_of_what_is_made_of_the_parts_of_an_input_is_the_input_s(parts):
    def made(y):
        return torch.zeros(torch.stack([part * 2 for part in parts(y)]).shape)

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(made, torch.ones(2, 3, 4))
    with pytest.warns(tracelab.AssumptionWarning, match=r"was 3|was 4"):
        traced(torch.ones(2, 3, 4, 5))


class WithItsRank(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x.dim()

    @staticmethod
    def backward(ctx, gradient, _):
        return gradient * 2


def test_the_rank_of_what_python_code_gave_is_not_known_from_the_inputs():
    def picked(x):
        return (WithItsRank.apply(x)[0] * 1)[..., torch.arange(2), None]

    traced = traced_on(picked, torch.ones(4, 4))
    assert told(traced, torch.ones(2, 4, 4))


def test_what_is_decided_by_a_tensor_that_the_code_writes_to_is_told():
    count = torch.zeros((), dtype=torch.int64)

    def counted(x):
        y = x * (2 if count > 0 else 3)
        count.add_(1)
        return y

    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(counted, torch.ones(2), check_trace=False)
    with pytest.warns(tracelab.AssumptionWarning, match="count > 0 was False"):
        traced(torch.ones(2))


def first_row_cleared(x):
    x[:] = 0
    return x + 1


@pytest.mark.parametrize(
    ("function", "rank"), [(lambda x: x[:] * 2, 1), (lambda x: x[:, :] * 2, 2), (first_row_cleared, 1)]
)
def test_a_slice_of_a_dimension_that_is_not_there_is_refused_as_in_python(function, rank):
    traced = traced_on(function, torch.ones(2, 3))
    few = torch.ones(()) if rank == 1 else torch.ones(2)
    with pytest.raises(IndexError):
        function(few.clone())
    with pytest.raises((IndexError, tracelab.TracelabError, RuntimeError)):
        traced(few.clone())


def scaled_by_class(x):
    return x * 3 if type(x) is torch.Tensor else x


def scaled_by_classes(x):
    return x * 3 if x.__class__ in (torch.Tensor,) else x + 1


@pytest.mark.parametrize("code", [scaled_by_class, scaled_by_classes])
def test_a_parameter_is_told_where_the_code_compares_classes(code):
    traced = traced_on(code, torch.ones(3))
    (sentence,) = told(traced, nn.Parameter(torch.ones(3)))
    assert "type(x).__name__ was 'Tensor'" in str(sentence)
    assert not told(traced, torch.zeros(3))


def test_a_size_that_is_looked_for_is_told_with_all_that_it_was_looked_for_in():
    traced = traced_on(lambda x: x * 2 if x.shape[0] in (2, 3) else x, torch.ones(2))
    assert told(traced, torch.ones(3)) == []
    (sentence,) = told(traced, torch.ones(4))
    assert "x.shape[0] in (2, 3) was True" in str(sentence)


def test_a_class_that_is_only_shown_is_no_assumption():
    def code(x):
        name = type(x).__name__
        return x * 2 if name else x

    assert len(traced_on(code, torch.ones(3)).assumptions) == 0
