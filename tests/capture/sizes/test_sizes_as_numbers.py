"""A size is a number to Python, NumPy and the standard library while code is traced."""

from __future__ import annotations

import copy
import json
import math
import numbers
import pickle
from fractions import Fraction

import numpy as np
import pytest
import torch

import tracelab

FOLLOWS = {
    "isinstance": lambda x: x * 2 if isinstance(x.shape[0], int) else x,
    "isinstance of an abstract number": lambda x: x * 2 if isinstance(x.shape[0], numbers.Integral) else x,
    "isinstance of a fraction": lambda x: x * 2 if isinstance(x.shape[0] / 2, float) else x,
    "a deep copy of a shape": lambda x: x.new_zeros(copy.deepcopy(x.shape)),
    "a deep copy of a container": lambda x: x.new_zeros(copy.deepcopy({"n": [x.shape[0]]})["n"][0]),
    "a copy of a size": lambda x: x.new_zeros(copy.copy(x.shape[0])),
    "np.prod": lambda x: x.reshape(np.prod(x.shape)),
    "np.sqrt": lambda x: x * np.sqrt(x.shape[0]) + np.float64(2.0) * x.shape[1] + np.ceil(x.shape[0] / 3),
    "np.maximum": lambda x: x * np.maximum(x.shape[0], 6) + np.minimum(4, x.shape[1]),
}


@pytest.mark.filterwarnings("error::tracelab.TracerWarning")
@pytest.mark.parametrize("program", FOLLOWS.values(), ids=FOLLOWS)
def test_it_follows(program):
    other = torch.randn(8, 5)
    traced = tracelab.trace(program, torch.randn(4, 3))
    assert torch.allclose(traced(other), program(other))


PLAIN = {
    "arange": lambda x: np.arange(x.shape[0]),
    "arange with a start": lambda x: np.arange(1, x.shape[0], 2),
    "array": lambda x: np.array(x.shape),
    "asarray of fractions": lambda x: np.asarray([x.shape[0] / 2]),
    "linspace": lambda x: np.linspace(0, x.shape[0], 4),
    "zeros": lambda x: np.zeros(x.shape),
    "full": lambda x: np.full(3, x.shape[0]),
    "times an array": lambda x: np.ones(3) * x.shape[0],
    "an array times": lambda x: x.shape[0] * np.ones(3),
    "compared with an array": lambda x: np.arange(4) < x.shape[0],
    "prod of an array": lambda x: np.array([np.prod(np.array(x.shape))]),
    "sum": lambda x: np.array([np.sum(x.shape)]),
    "clip": lambda x: np.array([np.clip(x.shape[0], 0, 2)]),
    "interp": lambda x: np.array([np.interp(x.shape[0], [0, 10], [0, 1])]),
}


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
@pytest.mark.parametrize("make", PLAIN.values(), ids=PLAIN)
def test_numpy_makes_a_plain_array_and_the_number_is_noted_at_its_line(make):
    kept = []

    def program(x):
        kept.append(make(x))
        return x.sum() + torch.from_numpy(kept[-1]).sum()

    traced = tracelab.trace(program, torch.ones(4, 3), check_trace=False)
    expected = make(torch.ones(4, 3))
    assert kept[0].dtype == expected.dtype
    assert np.array_equal(kept[0], expected)
    assert traced.graph.warnings
    line = make.__code__.co_firstlineno
    assert {(warning.source.short_file, warning.source.line) for warning in traced.graph.warnings} == {
        ("test_sizes_as_numbers.py", line)
    }


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
@pytest.mark.parametrize("options", [{}, {"indent": 1}], ids=["in one line", "indented"])
def test_json_writes_the_number_and_it_is_noted(options):
    kept = []

    def program(x):
        kept.append(json.dumps({"n": x.shape[0], "half": [x.shape[0] / 2]}, **options))
        return x * 2

    traced = tracelab.trace(program, torch.ones(3), check_trace=False)
    assert json.loads(kept[0]) == {"n": 3, "half": [1.5]}
    assert {warning.kind for warning in traced.graph.warnings} == {"int", "float"}


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
def test_pickle_writes_the_number():
    kept = []

    def program(x):
        kept.append(pickle.loads(pickle.dumps([x.shape[0], x.shape])))
        return x * 2

    tracelab.trace(program, torch.ones(3), check_trace=False)
    assert kept[0] == [3, (3,)]
    assert type(kept[0][0]) is int


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
def test_fractions_are_made_of_sizes():
    kept = []

    def program(x):
        kept.append(Fraction(x.shape[0], 6))
        return x * float(kept[-1])

    tracelab.trace(program, torch.ones(3))
    assert kept[0] == Fraction(1, 2)


def test_torch_tells_a_size_from_an_int():
    traced = tracelab.trace(lambda x: x * (x.shape[0] / 2 + x.shape[0] ** 2 - math.sqrt(x.shape[1])), torch.ones(4, 4))
    assert traced(torch.ones(2, 9))[0, 0] == 2 / 2 + 4 - 3


def test_nothing_of_it_is_left():
    before = dict(vars(torch.SymInt)), np.prod, np.arange, json.JSONEncoder.default
    tracelab.trace(lambda x: x * 2, torch.ones(2))
    assert (dict(vars(torch.SymInt)), np.prod, np.arange, json.JSONEncoder.default) == before
    assert torch.SymInt.__class__ is type


def test_symbolic_numbers_of_others_are_as_they_were():
    from torch.fx.experimental.symbolic_shapes import ShapeEnv

    theirs = ShapeEnv().create_unbacked_symint()
    seen = []

    def program(x):
        seen.append((isinstance(theirs, int), isinstance(theirs, torch.SymInt)))
        return x * 2

    tracelab.trace(program, torch.ones(2), check_trace=False)
    assert seen == [(False, True)]


@pytest.mark.parametrize("digits", [-1, -2, 0, 2])
def test_a_size_is_rounded_to_tens(digits):
    def rounded(x):
        return x[:1] * round(x.shape[0], digits)

    traced = tracelab.trace(rounded, torch.ones(14), on_violation="retrace")
    for length in (14, 27, 15, 25):
        assert torch.equal(traced(torch.ones(length)), rounded(torch.ones(length)))
