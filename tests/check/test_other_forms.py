"""A check also tries inputs of another dtype, rank, layout and device, and says of each assumption what it found."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab.check import outputs
from tracelab.check.generate_inputs import recipes


def traced(function, *example, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, example, strict=False, check_trace=False, **options)


def descriptions(function, *example):
    graph = traced(function, *example).graph
    names = [value.name for value in graph.user_inputs]
    found = []
    for recipe in recipes(graph, list(example)):
        if recipe.values == "random":
            return found
        if recipe.form:
            found.append(recipe.description(names, list(example)))
    return found


def verdicts(report):
    return {item.assumption.about: item.verdict for item in report.assumptions}


def test_what_is_tried_of_an_image():
    assert descriptions(torch.relu, torch.rand(1, 3, 4, 5)) == [
        "input_0 as float64",
        "input_0 with one more dimension in front",
        "input_0 without its first dimension",
        "input_0 in the memory format channels_last",
        "input_0 not contiguous",
        "input_0 that requires a gradient",
        "input_0 on the device meta",
    ]


def test_what_is_tried_of_whole_numbers_and_of_leaves():
    assert descriptions(torch.neg, torch.tensor(3)) == [
        "input_0 as int32",
        "input_0 with one more dimension in front",
        "input_0 on the device meta",
    ]
    assert "input_0 that requires no gradient" in descriptions(torch.relu, torch.rand(2, requires_grad=True))


@pytest.mark.parametrize("form", ["float64", "deeper", "flatter", "transposed", "gradient", "meta", "channels_last"])
def test_an_example_stays_as_it_is(form):
    example = torch.rand(2, 3, 4, 5)
    kept = example.clone()
    (recipe,) = [
        item for item in _first(recipes(traced(torch.relu, example).graph, [example]), 60) if item.form == form
    ]
    (made,) = recipe.build([example])
    assert example.equal(kept)
    assert not example.requires_grad
    assert (made.dtype, made.dim(), made.stride(), made.requires_grad, made.device) != (
        example.dtype, example.dim(), example.stride(), example.requires_grad, example.device
    )  # fmt: skip


def _first(items, count):
    return [item for _, item in zip(range(count), items, strict=False)]


@pytest.mark.parametrize(
    ("function", "example", "about", "input_"),
    [
        (lambda x: x.float() if x.dtype == torch.uint8 else x * 2, torch.ones(3), "x.dtype", "x as uint8"),
        (lambda x: x.sum(0) if x.dim() == 2 else x * 2, torch.ones(3, 2), "x.dim()", "x with one more dimension"),
        (lambda x: x * 2 if x.is_contiguous() else x, torch.ones(3, 2), "x.is_contiguous()", "x not contiguous"),
        (lambda x: x * 2 if x.requires_grad else x, torch.ones(3), "x.requires_grad", "x that requires a gradient"),
        (lambda x: torch.ones(2, device=str(x.device)), torch.ones(3), "x.device", "x on the device meta"),
    ],
)
def test_a_difference_of_which_a_call_is_told_is_a_verdict_and_no_error(function, example, about, input_):
    report = traced(function, example).check()
    assert report.ok
    assert report.findings == []
    assert report.told > 0
    assert verdicts(report)[about].startswith(f"told at the call: wrong for {input_}")
    assert f"told at the call: wrong for {input_}" in str(report)
    assert f"told at the call: wrong for {input_}" in report._repr_mimebundle_()["text/html"]


def test_without_what_tells_it_a_difference_is_an_error():
    double = traced(lambda x: x.float() if x.dtype == torch.uint8 else x * 2, torch.ones(3), on_violation="ignore")
    report = double.check()
    assert not report.ok
    assert "for x as uint8" in report.errors[0].message


def test_an_assumption_that_holds_for_all_that_was_tried():
    report = traced(lambda x: x * 2 if x.shape[0] < 1000 else x, torch.ones(3)).check(max_examples=4)
    assert verdicts(report) == {"x.shape[0] < 1000": f"no counterexample in {report.tried} tries"}


def test_an_assumption_that_makes_no_difference():
    report = traced(lambda x: x * 2 if x.shape[0] > 1 else x + x, torch.ones(3)).check()
    assert report.ok
    assert verdicts(report)["x.shape[0] > 1"] == (
        "does not hold for x of shape [1] instead of [3], where the result is the same"
    )


def test_the_counterexample_of_an_assumption_can_be_built():
    report = traced(lambda x: x * 2 if x.sum() > 0 else x, torch.ones(3)).check()
    (item,) = report.assumptions
    assert item.differs
    assert item.input.build().args[0].sum() <= 0


class Upsampled(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(3))

    def forward(self, x):
        if x.dtype != torch.float32:
            raise TypeError("float32 alone")
        return x * self.weight


def test_what_the_function_itself_refuses_is_no_finding():
    report = traced(Upsampled(), torch.ones(2, 3)).check()
    assert report.ok
    assert report.findings == []
    assert report.rejected_inputs > 0


@pytest.mark.parametrize(
    ("wanted", "got", "words"),
    [
        (
            torch.ones(2),
            torch.ones(2, dtype=torch.float64),
            "its dtype is torch.float64 where the Python function's is",
        ),
        (torch.ones(2), torch.ones(2, device="meta"), "its device is meta where the Python function's is cpu"),
    ],
)
def test_outputs_of_another_dtype_or_device_differ(wanted, got, words):
    (row,) = outputs.mismatches(wanted, got, 1e-5)
    assert row.description.startswith(words)


def test_a_check_with_other_forms_changes_nothing():
    net = nn.BatchNorm1d(3)
    trace = traced(net, torch.rand(4, 3))
    before = {name: item.clone() for name, item in net.state_dict().items()}
    trace.check()
    assert all(torch.equal(before[name], item) for name, item in net.state_dict().items())
    assert net.weight.grad is None
