"""Inside of torch.func's transforms, assumptions are of what the Python function would see there."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from support.told import told
from tracelab import AssumptionError


def by_size(x):
    return x * 2 if x.shape[0] > 2 else x * 1


def by_dimensions(x):
    return x * 2 if x.dim() == 1 else x * 1


def by_dtype(x):
    return x * 2 if x.dtype == torch.float64 else x * 1


def by_value(x):
    return x * 2 if x.sum() > 0 else x * 1


def by_number(x):
    return x * float(x[0])


def by_item(x):
    return x * 2 if x.sum().item() > 0 else x * 1


def gradient(function):
    return torch.func.grad(lambda x: function(x).sum())


def mapped_gradient(function):
    return torch.vmap(gradient(function))


SMALL, LARGE = -torch.ones(2), torch.ones(3)
DIFFERENT = [
    (by_size, SMALL, LARGE),
    (by_dimensions, torch.ones(2, 3), LARGE),
    (by_dtype, SMALL, LARGE.double()),
    (by_value, SMALL, LARGE),
    (by_number, SMALL, LARGE),
]
SEEN_AS_THEY_ARE = [gradient, torch.func.jacfwd, torch.func.jacrev, torch.func.hessian]


def traced_on(function, example, policy="warn"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(function, example, check_trace=False, on_violation=policy)


def named(item):
    return getattr(item, "__name__", "")


@pytest.mark.parametrize("transform", SEEN_AS_THEY_ARE, ids=named)
@pytest.mark.parametrize(("function", "example", "other"), DIFFERENT, ids=named)
def test_what_differs_inside_of_a_transform_is_told(transform, function, example, other):
    assert told(transform(traced_on(function, example)), other)


@pytest.mark.parametrize("transform", [*SEEN_AS_THEY_ARE, torch.vmap, mapped_gradient], ids=named)
@pytest.mark.parametrize(("function", "example", "other"), DIFFERENT, ids=named)
def test_what_differs_inside_of_a_transform_raises_where_it_is_asked_to(transform, function, example, other):
    given = other[None] if transform in (torch.vmap, mapped_gradient) else other
    with pytest.raises(AssumptionError):
        transform(traced_on(function, example, "raise"))(given)


@pytest.mark.parametrize("transform", SEEN_AS_THEY_ARE, ids=named)
@pytest.mark.parametrize(("function", "other"), [(item[0], item[2]) for item in DIFFERENT], ids=named)
def test_what_is_the_same_inside_of_a_transform_is_told_nothing(transform, function, other):
    assert told(transform(traced_on(function, other)), other) == []


@pytest.mark.parametrize("function", [by_size, by_dimensions, by_dtype], ids=named)
def test_sizes_under_vmap_are_those_of_one_example(function):
    assert told(torch.vmap(traced_on(function, LARGE)), torch.ones(5, 3)) == []


def test_a_value_under_vmap_is_told_to_be_of_each_example():
    (sentence,) = told(torch.vmap(traced_on(by_value, LARGE)), torch.ones(5, 3))
    assert "is a tensor of shape [], of each example of a batch, at this call" in sentence


def test_an_item_under_vmap_raises_as_the_function_does():
    with pytest.raises(RuntimeError, match="vmap"):
        torch.vmap(traced_on(by_item, LARGE))(torch.ones(5, 3))


def test_a_module_inside_of_vmap_is_told():
    model = nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3, track_running_stats=False))
    traced = traced_on(model, torch.ones(4, 3), "raise")
    with pytest.raises(AssumptionError):
        torch.vmap(traced)(torch.rand(2, 1, 3))


def test_under_retrace_the_function_itself_runs_inside_of_a_transform():
    traced = traced_on(by_size, SMALL, "retrace")
    assert torch.equal(gradient(traced)(LARGE), gradient(by_size)(LARGE))
    assert len(traced.cases) == 1
