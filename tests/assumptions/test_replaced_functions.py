"""Code that puts functions of its own in the place of torch's or Python's is recorded as it runs."""

from __future__ import annotations

import math
from unittest import mock

import pytest
import torch
from torch.nn import functional as F

import tracelab


def a_method(x):
    before = torch.Tensor.mul
    torch.Tensor.mul = lambda a, b: before(a, b) + 1
    try:
        return x.mul(2)
    finally:
        torch.Tensor.mul = before


def an_operator_of_python(x):
    with mock.patch.object(torch.Tensor, "__matmul__", lambda a, b: a.add(b)):
        return x @ x


def the_size(x):
    before = torch.Tensor.size
    torch.Tensor.size = lambda tensor, *dim: before(tensor, *dim)
    try:
        return x.reshape(x.size(0), -1) * x.size(0)
    finally:
        torch.Tensor.size = before


def a_read_of_a_number(x):
    with mock.patch.object(torch.Tensor, "item", return_value=7):
        return x * x.sum().item()


def a_function_of_torch(x):
    with mock.patch("torch.relu", torch.tanh):
        return torch.relu(x)


def a_function_of_nn(x):
    with mock.patch.object(F, "relu", lambda v, inplace=False: F.gelu(v)):
        return torch.nn.ReLU()(x)


def a_function_of_math(x):
    before = math.sqrt
    math.sqrt = lambda number: before(number) + 1
    try:
        return x * math.sqrt(x.size(0))
    finally:
        math.sqrt = before


ALL = [a_method, the_size, a_read_of_a_number, a_function_of_torch, a_function_of_nn, a_function_of_math]


@pytest.mark.parametrize("function", [*ALL, an_operator_of_python], ids=lambda function: function.__name__)
def test_it_is_recorded_as_it_runs(function):
    traced = tracelab.trace(function, torch.randn(3, 3))
    sizes = (3, 5) if function is not an_operator_of_python else (3,)
    for size in sizes:
        x = torch.randn(size, 3)
        torch.testing.assert_close(traced(x), function(x))


def test_a_function_that_was_replaced_before_is_called_once():
    before = torch.Tensor.mul
    with mock.patch.object(torch.Tensor, "mul", lambda a, b: before(a, b) + 1):
        traced = tracelab.trace(lambda x: x.mul(2), torch.ones(2))
    assert torch.equal(traced(torch.ones(2)), torch.full((2,), 3.0))


@pytest.mark.parametrize("function", ALL, ids=lambda function: function.__name__)
def test_afterwards_all_is_as_it_was(function):
    def held():
        return math.sqrt, torch.relu, F.relu, torch.Tensor.mul, torch.Tensor.size, torch.Tensor.item

    before = held()
    tracelab.trace(function, torch.randn(3, 3))
    assert held() == before
    assert type(math.sqrt) is type(len)
