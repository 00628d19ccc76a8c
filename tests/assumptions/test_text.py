"""The text of a number or a tensor decides like the number itself, unless people alone read it."""

from __future__ import annotations

import io
import logging
import sys
import warnings

import pytest
import torch

import tracelab
from tracelab import AssumptionWarning

WEIGHTS = {"3": 1.0, "5": 2.0}
log = logging.getLogger(__name__)


class Named:
    w3, w5 = 1.0, 2.0


def told(function, example, other):
    """What the trace says while it is made, and at a call on another input."""
    with warnings.catch_warnings(record=True) as made:
        warnings.simplefilter("always")
        traced = tracelab.trace(function, (example,))
    with warnings.catch_warnings(record=True) as called:
        warnings.simplefilter("always")
        traced(other)
    return [str(item.message) for item in made if issubclass(item.category, tracelab.TracerWarning)], [
        str(item.message) for item in called if item.category is AssumptionWarning
    ]


def key_by_f_string(x):
    return x * WEIGHTS[f"{x.size(0)}"]


def key_by_str(x):
    return x * WEIGHTS[str(x.size(0))]


def key_by_percent(x):
    return x * WEIGHTS["%s" % x.size(0)]  # noqa: UP031


def key_by_format(x):
    return x * WEIGHTS["{}".format(x.size(0))]  # noqa: UP032


def number_again(x):
    return x * int(str(x.shape[0]))


def compared(x):
    return x * 2 if str(x.shape[0]) == "3" else x


def attribute(x):
    return x * getattr(Named, f"w{x.shape[0]}")


def name_of(number):
    return f"w{number}"


def from_another_function(x):
    return x * getattr(Named, name_of(x.shape[0]))


def of_a_shape(x):
    return x * 2 if str(x.shape) == "torch.Size([3])" else x


def kept_in_a_variable(x):
    key = f"{x.shape[0]}"
    print(key, file=io.StringIO())
    return x * WEIGHTS[key]


def chosen_by(message):
    return WEIGHTS[message]


def given_to_a_function_that_uses_it(x):
    return x * chosen_by(f"{x.shape[0]}")


@pytest.mark.parametrize(
    "function",
    [
        given_to_a_function_that_uses_it,
        key_by_f_string,
        key_by_str,
        key_by_percent,
        key_by_format,
        number_again,
        compared,
        attribute,
        from_another_function,
        of_a_shape,
        kept_in_a_variable,
    ],
    ids=lambda item: item.__name__,
)
def test_text_of_a_size_that_decides_is_told_with_its_line(function):
    made, called = told(function, torch.ones(3), torch.ones(5))
    assert made == []
    assert len(called) == 1
    assert " was 3 when " in called[0]
    assert " is 5 " in called[0]
    assert "test_text.py:" in called[0]


def compared_text_of_a_tensor(x):
    return x * 2 if f"{x[0]}" == "1.0" else x


def test_text_of_a_tensor_that_decides_is_told():
    _, called = told(compared_text_of_a_tensor, torch.ones(2), torch.full((2,), 5.0))
    assert len(called) == 1
    assert "[0] was 1.0 when" in called[0].replace('f"{x[0]}"', "x[0]")


class Reports:
    def __init__(self, shape):
        self.shape = shape

    def __repr__(self):
        return f"Reports({self.shape[0]})"


def described(number):
    return f"{number} rows"


def only_printed(x):
    n = x.shape[0]
    print(n, x.shape, f"{n} rows", "%d rows" % n, "{} rows".format(n), str(n) + " rows", file=io.StringIO())  # noqa: UP031, UP032
    print(", ".join(str(size) for size in x.shape), described(n), Reports(x.shape), x, f"{x[0]}", file=io.StringIO())
    return x * 2


def only_logged(x):
    log.debug(f"{x.shape[0]} rows")
    log.warning("%d rows, %s, %r", x.shape[0], x.shape, x[0])
    logging.info(f"{x.shape}")
    return x * 2


def only_warned(x):
    warnings.warn(f"{x.shape[0]} rows", UserWarning, stacklevel=1)
    return x * 2


def only_in_errors(x):
    n = x.shape[0]
    if n > 100:
        raise ValueError(f"{n} is too many")
    try:
        raise KeyError(f"{n}")
    except KeyError:
        return x * 2


def a_variable_that_is_printed(x):
    message = f"{x.shape[0]}"
    if x.dtype.is_floating_point:
        message += f" by {x.shape[0]}"
    print(message, file=io.StringIO())
    sys.stderr.write(message)
    return x * 2


def the_name_of_a_region(x):
    with torch.autograd.profiler.record_function(f"layer of {x.shape[0]}"):
        return x * 2


def check(condition, message=None):
    if not condition:
        raise ValueError("wrong" if message is None else said(message))


def said(message):
    return message() if callable(message) else message


def only_given_to_checks(x):
    torch._assert(x.dim() == 1, f"one dimension, not {x.shape}")
    check(x.dim() == 1, f"one dimension, not {x.shape}")
    check(x.dim() == 1, message=f"{x.shape[0]} rows")
    return x * 2


@pytest.mark.parametrize(
    "function",
    [
        only_printed,
        only_logged,
        only_warned,
        only_in_errors,
        a_variable_that_is_printed,
        the_name_of_a_region,
        only_given_to_checks,
    ],
    ids=lambda item: item.__name__,
)
def test_text_that_people_alone_read_is_not_told(function):
    assert told(function, torch.ones(3), torch.full((5,), 2.0)) == ([], [])


NUMBERS = [torch.ones(12), torch.ones(12, dtype=torch.int64), torch.ones(12, dtype=torch.complex64)]


@pytest.mark.parametrize("example", NUMBERS, ids=lambda tensor: str(tensor.dtype))
@pytest.mark.parametrize("other", NUMBERS, ids=lambda tensor: str(tensor.dtype))
def test_the_text_of_an_equal_number_of_another_type_is_told(example, other):
    def code(x):
        return x * len(f"{x.sum().item()}")

    _, called = told(code, example, other)
    assert bool(called) == (example.dtype != other.dtype)


def test_a_complex_number_of_a_tensor_is_an_assumption():
    made, called = told(lambda x: x * x.sum().item(), NUMBERS[2], 2 * NUMBERS[2])
    assert len(made) == len(called) == 1
    assert "was (12+0j)" in called[0]


def test_a_real_number_where_it_was_complex_is_told():
    _, called = told(lambda x: x * x.sum().item(), NUMBERS[2], NUMBERS[0])
    assert len(called) == 1
