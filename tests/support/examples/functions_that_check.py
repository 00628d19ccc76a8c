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


def of_two_dtypes(x):
    if x.dtype not in (torch.float32, torch.float64):
        raise TypeError("another dtype")
    return x * 2


def of_a_floating_dtype(x):
    assert x.dtype == torch.float32 or x.dtype.is_floating_point, "no floating point"
    return x * 2


def of_no_whole_numbers(x):
    message = "whole numbers"
    if x.dtype == torch.int64:
        raise TypeError(message)
    return x * 2


def of_some_ranks(x):
    assert x.dim() in (1, 2)
    return x * 2


def of_any_rank_but_one(x):
    if not x.ndim != 1:
        raise ValueError("a vector")
    return x * 2


def of_many_ranks(x):
    least = 2
    if x.dim() < least or x.dim() > 4:
        raise ValueError("too few or many")
    return x * 2


def one_or_three_rows(x):
    assert x.shape[0] == 3 or x.shape[0] == 1
    return x * 2


def some_rows(x):
    assert x.shape[0] in (3, 5)
    return x * 2


def some_rows_in_a_variable(x):
    rows = x.size(0)
    if rows != 3 and not rows > 6:
        raise ValueError("neither three nor many")
    return x * 2


def few_more_rows(x):
    more = x.shape[0] - 2
    assert more == 1 or more > 3
    return x * 2


def value_of_the_sum(x):
    total = x.sum().item()
    assert total > 6 or total == 6
    return x * 2


def of_one_rank_where_the_error_is_caught(x):
    try:
        if x.dim() in (1, 3):
            raise ValueError
    except ValueError:
        return x * 3
    return x * 2


def of_few_rows_where_the_error_is_caught(x):
    try:
        assert x.shape[0] == 3 or x.shape[0] == 5
    except AssertionError:
        return x * 3
    return x * 2
