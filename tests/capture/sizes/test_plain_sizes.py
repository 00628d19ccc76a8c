"""Code that takes no traced sizes: it is written in C, or asks for their class. Sizes are plain then, and assumed."""

from __future__ import annotations

import collections
import datetime
import decimal
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionWarning

X = torch.ones(3, 4)


PROGRAMS = {
    "bits": lambda x: x * x.shape[0].bit_count(),
    "bytes": lambda x: x * x.shape[0].to_bytes(2, "big")[1],
    "decimal": lambda x: x * float(decimal.Decimal(x.shape[0])),
    "days": lambda x: x * datetime.timedelta(x.shape[0]).days,
    "a bounded deque": lambda x: x * len(collections.deque(range(9), maxlen=x.shape[0])),
    "the seed of a generator": lambda x: x * float(np.random.default_rng(len(x)).random()),
    "a method of int": lambda x: x * int.__add__(x.shape[0], 1),
    "numel": lambda x: x * x.numel().bit_length(),
}


@pytest.mark.parametrize("name", PROGRAMS)
def test_it_is_right_at_the_same_size_and_told_at_another(name):
    function = PROGRAMS[name]
    traced = tracelab.trace(function, X)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        assert torch.equal(traced(X + 1), function(X + 1))
    with pytest.warns(AssumptionWarning):
        traced(torch.ones(7, 4))


@pytest.mark.parametrize("name", PROGRAMS)
def test_retrace_follows(name):
    function = PROGRAMS[name]
    traced = tracelab.trace(function, X, on_violation="retrace")
    for rows in (3, 7, 2):
        assert torch.equal(traced(torch.ones(rows, 4)), function(torch.ones(rows, 4)))


def test_a_layer_that_wants_an_int_is_built():
    def built(x):
        torch.manual_seed(0)
        return nn.LSTM(x.shape[-1], 2)(x)[0]

    traced = tracelab.trace(built, X)
    assert torch.allclose(traced(X), built(X))


def test_python_state_is_as_one_plain_call_leaves_it():
    log, counts = [], {"n": 0}

    def counted(x):
        log.append(1)
        counts["n"] += 1
        return x * x.shape[0].bit_count()

    tracelab.trace(counted, X, check_trace=False)
    assert (len(log), counts["n"]) == (1, 1)


def test_an_error_of_the_code_s_own_is_not_tried_again():
    log = []

    def broken(x):
        log.append(1)
        return x + "text"

    with pytest.raises(TypeError):
        tracelab.trace(broken, X, check_trace=False)
    assert len(log) == 1
