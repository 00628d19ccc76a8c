"""What is handed on by DLPack follows where torch takes it, and is told where something else does."""

from __future__ import annotations

import warnings
from functools import partial

import numpy as np
import pytest
import torch
from torch.utils import dlpack
from torch.utils.dlpack import from_dlpack, to_dlpack

import tracelab
from tracelab import AssumptionWarning


def by_torch(x):
    return torch.from_dlpack(x * 2) + 1


def of_the_input(x):
    return torch.from_dlpack(x) + 1


def by_a_name_imported_before(x):
    return from_dlpack(x * 2) + 1


COPIED = partial(from_dlpack, copy=True)


def by_a_partial(x):
    return COPIED(x * 2) + 1


def by_a_capsule(x):
    return dlpack.from_dlpack(dlpack.to_dlpack(x * 2)) + 1


def by_the_method(x):
    return torch.from_dlpack((x * 2).__dlpack__()) + 1


def its_size(x):
    alias = torch.from_dlpack(x.relu())
    return alias.reshape(-1) * alias.shape[0]


def to_a_device(x):
    return torch.from_dlpack(x * 2, device="cpu") + 1


def written_to(x):
    y = x * 2
    torch.from_dlpack(y).add_(1)
    return y


def a_copy_written_to(x):
    y = x * 2
    torch.from_dlpack(y, copy=True).add_(1)
    return y


FOLLOW = [
    by_torch,
    of_the_input,
    by_a_name_imported_before,
    by_a_partial,
    by_a_capsule,
    by_the_method,
    its_size,
    to_a_device,
    written_to,
    a_copy_written_to,
]


def told(traced, x):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        result = traced(x)
    return result, [str(item.message) for item in found if item.category is AssumptionWarning]


def traced_at_ones(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, torch.ones(2, 3))


@pytest.mark.parametrize("function", FOLLOW, ids=lambda function: function.__name__)
def test_it_follows_values_and_sizes(function):
    traced = traced_at_ones(function)
    for x in (torch.randn(2, 3), torch.randn(5, 3)):
        result, said = told(traced, x.clone())
        torch.testing.assert_close(result, function(x.clone()))
        assert not said


def test_the_error_of_a_tensor_with_gradient_is_the_code_s_own():
    with pytest.raises(BufferError, match="require gradient"):
        tracelab.trace(by_torch, torch.ones(2, requires_grad=True))


def by_numpy(x):
    return x + torch.from_numpy(np.from_dlpack(x * 2).copy())


def by_a_capsule_of_others(x, take=torch._C._from_dlpack):
    return take(to_dlpack(x * 2)) + x


def of_a_storage(x):
    return torch.empty(0).set_((x * 2).untyped_storage()) + 1


def of_an_old_storage(x):
    return torch.FloatTensor((x * 2).storage()) + 1


@pytest.mark.parametrize("function", [by_numpy, by_a_capsule_of_others, of_a_storage, of_an_old_storage])
def test_what_something_else_reads_is_told_at_the_call(function):
    traced = traced_at_ones(function)
    x = torch.full((2, 3), 7.0)
    result, said = told(traced, x)
    assert not torch.equal(result, function(x))
    assert said
