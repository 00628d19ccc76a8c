"""Functions that check what they are given, outside of test files: pytest writes the assertions of those anew."""

import warnings

import torch


def positive(x):
    if (x < 0).any():
        raise ValueError("negative")
    return x * 2


def positive_number(x):
    if x.min().item() < 0:
        raise ValueError("negative")
    return x * 2


def few_rows(x):
    assert x.shape[0] < 5
    return x * 2


def of_one_shape(x):
    if x.shape != (3, 2):
        raise ValueError("another shape")
    return x * 2


def few_and_narrow(x):
    if x.shape[0] > 4 or not x.shape[1] < 4:
        raise ValueError("many or wide")
    return x * 2


def not_of_these(x):
    if x.shape[0] in (5, 6):
        raise ValueError("five or six")
    return x * 2


def of_one_dtype(x):
    assert x.dtype == torch.float32
    return x * 2


def of_one_rank(x):
    assert x.dim() == 2
    return x * 2


def vector_or_matrix(x):
    if x.dim() not in (1, 2):
        raise ValueError("neither")
    return x * 2


def square_or_one(x):
    if x.shape[0] != x.shape[1] and x.shape[0] != 1:
        raise ValueError("neither square nor of one row")
    return x * 2


def warned(x):
    if x.shape[0] > 4:
        warnings.warn("many", stacklevel=2)
    return x * 2


def with_a_way_out(x):
    try:
        return positive(x)
    except ValueError:
        return x * 0
