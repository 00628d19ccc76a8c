"""Iterators, generators and context variables that code changes are state: the next call finds them elsewhere."""

from __future__ import annotations

import itertools
from contextvars import ContextVar

import pytest
import torch

import tracelab
from support.told import told

X = torch.ones(2)
LEVEL: ContextVar[int] = ContextVar("LEVEL", default=0)


def counted():
    numbers = itertools.count()
    return lambda x: x * next(numbers)


def generated():
    def rising():
        at = 1.0
        while True:
            yield at
            at += 1

    numbers = rising()
    return lambda x: x * next(numbers)


def listed():
    numbers = iter([1.0, 2.0, 3.0, 4.0, 5.0])
    return lambda x: x * next(numbers)


def in_a_context():
    def code(x):
        LEVEL.set(LEVEL.get() + 1)
        return x * LEVEL.get()

    return code


@pytest.mark.parametrize("make", [counted, generated, listed, in_a_context])
def test_what_goes_on_at_each_call_is_told(make):
    traced = tracelab.trace(make(), X, check_trace=False)
    (sentence,) = told(traced, X)
    assert "as it stood when" in sentence
    assert "the code keeps state that the trace does not follow" in sentence


def test_a_context_variable_that_is_only_read_or_set_alike_is_not_told():
    def code(x):
        LEVEL.set(3)
        return x * 2

    LEVEL.set(3)
    traced = tracelab.trace(code, X, check_trace=False)
    assert told(traced, X) == []


def test_an_iterator_that_the_code_makes_is_not_told():
    traced = tracelab.trace(lambda x: x * next(itertools.count(2)), X)
    assert told(traced, X) == []
