"""A branch that does nothing where it need not be taken is right for all sizes, once it was taken."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor

import tracelab


def expands_first(x: Tensor, y: Tensor) -> Tensor:
    n = y.shape[0]
    if n != x.shape[0]:
        x = x.expand(n, -1)
    return x.cumsum(1)


def expands_last(x: Tensor, y: Tensor) -> Tensor:
    if x.size(1) != y.size(1):
        x = x.expand(-1, y.size(1))
    return x.relu() * 2


def crops(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[1] > y.shape[1]:
        x = x[:, : y.shape[1]]
    return x.cumsum(1)


def crops_first(x: Tensor, y: Tensor) -> Tensor:
    if y.size(0) < x.size(0):
        x = x[: y.size(0)]
    return x.sin()


SHAPES = {
    expands_first: [((1, 3), (4, 3)), ((1, 3), (1, 3)), ((1, 5), (2, 3)), ((2, 3), (2, 3))],
    expands_last: [((3, 1), (3, 4)), ((3, 1), (3, 1)), ((2, 6), (2, 6))],
    crops: [((2, 5), (2, 3)), ((2, 3), (2, 3)), ((2, 2), (2, 6)), ((2, 9), (2, 1))],
    crops_first: [((5, 2), (3, 2)), ((3, 2), (3, 2)), ((2, 2), (6, 2))],
}


@pytest.mark.parametrize("code", SHAPES, ids=lambda code: code.__name__)
def test_no_call_is_told_and_each_is_right(code: Callable[[Tensor, Tensor], Tensor]):
    shapes = SHAPES[code]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(code, tuple(torch.randn(shape) for shape in shapes[0]))
        for first, second in shapes:
            x, y = torch.randn(first), torch.randn(second)
            assert torch.equal(traced(x, y), code(x, y))


@pytest.mark.parametrize("code", SHAPES, ids=lambda code: code.__name__)
def test_a_branch_that_was_not_taken_is_told(code: Callable[[Tensor, Tensor], Tensor]):
    taken, skipped = SHAPES[code][:2]
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(code, tuple(torch.randn(shape) for shape in skipped))
    with pytest.warns(tracelab.AssumptionWarning):
        traced(*(torch.randn(shape) for shape in taken))


def expands_elsewhere(x: Tensor, y: Tensor) -> Tensor:
    if y.shape[0] != x.shape[0]:
        x = x.expand(y.shape[1], -1)
    return x * 1


def expands_another(x: Tensor, y: Tensor) -> Tensor:
    if y.shape[0] != x.shape[0]:
        y = x.expand(y.shape[0], -1)
    return y * 1


def crops_from_the_end(x: Tensor, y: Tensor) -> Tensor:
    if x.shape[0] > y.shape[0]:
        x = x[: y.shape[0], :1]
    return x * 1


def does_more(x: Tensor, y: Tensor) -> Tensor:
    if y.shape[0] != x.shape[0]:
        x = x.expand(y.shape[0], -1)
        y = y + 1
    return x * y


def has_another_way(x: Tensor, y: Tensor) -> Tensor:
    if y.shape[0] != x.shape[0]:
        x = x.expand(y.shape[0], -1)
    else:
        return x + 1
    return x * y


@pytest.mark.parametrize("code", [expands_elsewhere, expands_another, does_more, has_another_way])
def test_what_is_not_idle_is_told(code: Callable[[Tensor, Tensor], Tensor]):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(code, (torch.randn(1, 3), torch.randn(3, 3)), check_trace=False)
    with pytest.warns(tracelab.AssumptionWarning):
        traced(torch.randn(1, 3), torch.randn(1, 3))


def test_a_crop_of_more_than_one_size_is_told():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(crops_from_the_end, (torch.randn(5, 3), torch.randn(3, 3)))
    with pytest.warns(tracelab.AssumptionWarning):
        traced(torch.randn(3, 3), torch.randn(3, 3))
