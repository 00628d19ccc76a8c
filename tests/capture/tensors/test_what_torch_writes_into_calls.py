"""Calls into which torch writes the dtype and the device of the tensor that it is given: they follow, or are told."""

from __future__ import annotations

import copy
import pickle
import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionWarning

pytestmark = [
    pytest.mark.filterwarnings("ignore::tracelab.TracerWarning"),
    pytest.mark.filterwarnings("ignore:To copy construct"),
]
WHOLE, HALVES = torch.ones(2, dtype=torch.long), torch.tensor([1.5, 2.5])
FOLLOW = {
    "as_tensor": lambda x: torch.as_tensor(x),
    "as_tensor of a dtype": lambda x: torch.as_tensor(x, dtype=torch.long),
    "tensor": lambda x: torch.tensor(x),
    "asarray": lambda x: torch.asarray(x),
    "asarray of a dtype": lambda x: torch.asarray(x, dtype=torch.long),
    "a copy by asarray": lambda x: torch.asarray(x, copy=True),
    "memory_format": lambda x: x.to(memory_format=torch.preserve_format),
    "copy": lambda x: x.to(copy=True),
    "a copy that does not wait": lambda x: x.to(non_blocking=True, copy=True),
}
TOLD = {"new of a size": lambda x: x.new(2).zero_(), "new of data": lambda x: x.new([1, 2])}


@pytest.mark.parametrize("name", FOLLOW)
@pytest.mark.parametrize(("first", "then"), [(WHOLE, HALVES), (HALVES, WHOLE), (HALVES, HALVES.double())])
def test_another_dtype_follows(name, first, then):
    traced = tracelab.trace(FOLLOW[name], first.clone())
    expected = FOLLOW[name](then)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        found = traced(then)
    assert found.dtype is expected.dtype
    assert torch.equal(found, expected)


@pytest.mark.parametrize("name", ["as_tensor", "asarray"])
def test_what_is_given_back_itself_can_be_written_to(name):
    def written(x):
        FOLLOW[name](x).add_(1)
        return x * 1

    traced = tracelab.trace(written, torch.ones(2))
    x = torch.ones(3)
    traced(x)
    assert torch.equal(x, torch.full((3,), 2.0))


@pytest.mark.parametrize("name", ["tensor", "copy", "a copy by asarray"])
def test_a_copy_is_none(name):
    def written(x):
        FOLLOW[name](x).add_(1)
        return x * 1

    x = torch.ones(3)
    tracelab.trace(written, torch.ones(2))(x)
    assert torch.equal(x, torch.ones(3))


@pytest.mark.parametrize("name", TOLD)
def test_another_dtype_is_told(name):
    traced = tracelab.trace(TOLD[name], WHOLE)
    with pytest.warns(AssumptionWarning, match=r"x\.dtype was torch\.int64"):
        traced(HALVES)


def test_the_conjugate_of_a_real_tensor_is_told_for_a_complex_one():
    traced = tracelab.trace(lambda x: (x * x.conj()).sum(), torch.ones(2))
    assert traced(torch.full((3,), 2.0)) == 12
    with pytest.warns(AssumptionWarning, match=r"x\.is_complex\(\) was False"):
        traced(torch.ones(2, dtype=torch.complex64))


def test_a_deep_copy_of_a_leaf_is_told():
    traced = tracelab.trace(copy.deepcopy, torch.ones(2))
    with pytest.warns(AssumptionWarning, match=r"requires_grad was False"):
        traced(nn.Parameter(torch.ones(2)))


COPIES = [
    lambda x: copy.copy(x) * 2,
    lambda x: pickle.loads(pickle.dumps(x)) * 2,
]


@pytest.mark.parametrize("function", COPIES)
def test_copies_by_other_ways_than_torch_s_are_told_for_other_values(function):
    traced = tracelab.trace(function, torch.ones(2), check_trace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        traced(torch.ones(2))
    with pytest.warns(AssumptionWarning, match=r"was \[1\.0, 1\.0\]"):
        traced(HALVES)


def test_gradients_are_asked_for_parameters_in_a_view_of_a_dict():
    layer = nn.Linear(3, 1)

    def slope(x):
        weights = {name: item * 2 for name, item in layer.named_parameters()}
        loss = torch.func.functional_call(layer, weights, x).pow(2).mean()
        return torch.autograd.grad(loss, weights.values())[0].sum()

    traced = tracelab.trace(slope, torch.ones(2, 3))
    x = torch.rand(4, 3)
    assert torch.allclose(traced(x), slope(x))
