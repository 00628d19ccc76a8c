"""Python values that the code reads and changes are told at a call that finds others."""

from __future__ import annotations

import copy
import random
import warnings

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionWarning

X = torch.ones(2)
COUNT, COUNTS, SEEN = 0, {"calls": 0}, []
PYTHON, NUMPY = random.Random(0), np.random.default_rng(0)


def told(function):
    """What the second call is told, after a trace of the first."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(function, X, check_trace=False)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        traced(X)
    return [str(item.message) for item in found if item.category is AssumptionWarning]


class Holder:
    def __init__(self):
        self.value = 1


class Base(nn.Module):
    scale = 2

    def __init__(self):
        super().__init__()
        self.table, self.items, self.holder, self.pair = {"a": 1}, [1], Holder(), (1, 2)


class InADict(Base):
    def forward(self, x):
        self.table["a"] += 1
        return x * self.table["a"]


class InAList(Base):
    def forward(self, x):
        self.items.append(1)
        return x * len(self.items)


class InATuple(Base):
    def forward(self, x):
        self.pair = (*self.pair, 3)
        return x * len(self.pair)


class InAnObject(Base):
    def forward(self, x):
        self.holder.value += 1
        return x * self.holder.value


class InTheClass(Base):
    def forward(self, x):
        Base.scale += 1
        return x * self.scale


class OnTheFirstCall(Base):
    def forward(self, x):
        if not hasattr(self, "done"):
            self.done = True
            return x * 5
        return x * 6


@pytest.mark.parametrize("module", [InADict, InAList, InATuple, InAnObject, InTheClass, OnTheFirstCall])
def test_state_of_a_module_is_told(module):
    (sentence,) = told(module())
    assert " was " in sentence
    assert " is " in sentence


def a_helper(x):
    global COUNT
    COUNT += 1
    return x * COUNT


def by_a_helper(x):
    return a_helper(x)


def in_a_global_dict(x):
    COUNTS["calls"] += 1
    return x * COUNTS["calls"]


def in_a_global_list(x):
    SEEN.append(1)
    return x * len(SEEN)


def in_a_default(x, seen=[]):  # noqa: B006
    seen.append(1)
    return x * len(seen)


def in_a_closure():
    seen = [1]

    def program(x):
        seen.append(1)
        return x * len(seen)

    return program


class Counts:
    def __init__(self):
        self.calls = 0

    def __call__(self, x):
        self.calls += 1
        return x * self.calls


COUNTER = Counts()


@pytest.mark.parametrize(
    "program",
    [
        by_a_helper,
        in_a_global_dict,
        in_a_global_list,
        in_a_default,
        in_a_closure(),
        Counts(),
        lambda x: COUNTER(x),
        lambda x: x * PYTHON.random(),
        lambda x: x * NUMPY.random(),
    ],
)
def test_state_around_a_function_is_told(program):
    assert len(told(program)) == 1


class OnlyCounts(Base):
    calls = 0

    def forward(self, x):
        self.calls += 1
        self.table["a"] += 1
        self.items.append(float(x.sum()))
        self.size = x.shape[0]
        return x * self.size

    def extra_repr(self):
        return f"calls={self.calls}, items={self.items}"


def test_what_is_only_counted_or_kept_is_not_told():
    assert told(OnlyCounts()) == []


def test_what_a_function_only_counts_is_not_told():
    seen, counts = [], {"calls": 0}

    def program(x):
        seen.append(1)
        counts["calls"] += 1
        return x * 2

    assert told(program) == []


def test_a_trace_with_such_an_assumption_can_be_saved(tmp_path):
    traced = tracelab.trace(InADict(), X, check_trace=False)
    tracelab.save(traced, tmp_path / "trace.tlab")
    (assumption,) = tracelab.load(tmp_path / "trace.tlab").assumptions
    assert assumption.constant == "a dict of 1"


class WritesAndBranches(nn.Module):
    def __init__(self):
        super().__init__()
        self.total = torch.zeros(2)

    def forward(self, x):
        self.total += x
        return self.total * (2 if x.shape[0] > 1 else 3)


def test_a_copy_of_a_trace_with_assumptions_has_state_of_its_own():
    traced = tracelab.trace(WritesAndBranches(), X, check_trace=False)
    assert traced.assumptions
    for _ in range(2):
        assert copy.deepcopy(traced)(X).tolist() == [4, 4]
