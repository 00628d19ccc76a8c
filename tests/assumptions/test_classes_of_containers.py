"""A container of another class than at the trace is told: code may ask for its class, and what it can do differs."""

from __future__ import annotations

import warnings
from collections import deque, namedtuple
from typing import Any

import pytest
import torch
from torch import Tensor

import tracelab

Pair = namedtuple("Pair", "left right")
X = torch.tensor([1.0, 2.0])


def by_class(pair: Any) -> Tensor:
    left, right = pair
    if isinstance(pair, Pair):
        return left + right
    return left * right if isinstance(pair, tuple) else left - right


@pytest.mark.parametrize(
    ("then", "now", "sentence"),
    [
        (Pair(X, X), (X, X), "`pair` was of the class Pair when it was traced, and is of tuple at this call"),
        ((X, X), Pair(X, X), "`pair` was of the class tuple when it was traced, and is of Pair at this call"),
        ((X, X), [X, X], "`pair` was of the class tuple when it was traced, and is of list at this call"),
        ([X, X], deque([X, X]), "`pair` was of the class list when it was traced, and is of deque at this call"),
    ],
)
def test_another_class_is_told(then: Any, now: Any, sentence: str):
    traced = tracelab.trace(by_class, (then,))
    with pytest.warns(tracelab.AssumptionWarning, match=sentence):
        traced(now)


@pytest.mark.parametrize("pair", [Pair(X, X), (X, X), [X, X]])
def test_the_same_class_is_told_nothing(pair: Any):
    traced = tracelab.trace(by_class, (pair,))
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(pair), by_class(pair))


def test_each_class_is_right_under_retrace():
    traced = tracelab.trace(by_class, ((X, X),), on_violation="retrace")
    for pair in ([X, X], Pair(X, X), (X, X), [X, X]):
        assert torch.equal(traced(pair), by_class(pair))


def test_a_class_inside_of_an_argument_is_told_with_its_place():
    traced = tracelab.trace(lambda batch: batch["pair"][0] * 2, ({"pair": (X, X)},))
    with pytest.warns(tracelab.AssumptionWarning, match=r"`batch\['pair'\]` was of the class tuple"):
        traced({"pair": [X, X]})
