"""An `if` on ranks and lists of sizes assumes which way was taken, not which value was read."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor

import tracelab

RANKED: dict[str, Any] = {
    "dim() >= 2": lambda x: x * 2 if x.dim() >= 2 else x * 3,
    "ndim > 1 and ndim < 4": lambda x: x * 2 if x.ndim > 1 and x.ndim < 4 else x * 3,
    "not in": lambda x: x * 2 if x.dim() not in (0, 3) else x * 3,
    "chain": lambda x: x * 2 if 1 <= x.dim() <= 3 else x * 3,
    "not": lambda x: x * 2 if x.dim() != 0 else x * 3,
    "or": lambda x: x * 2 if x.dim() == 1 or x.dim() == 3 else x * 3,
}
OF_SIZES: dict[str, Any] = {
    "in a tuple": lambda x: x * 2 if x.shape[0] in (2, 3) else x * 3,
    "in a set": lambda x: x * 2 if x.shape[0] in {2, 3} else x * 3,
    "not in a set": lambda x: x * 2 if x.shape[0] not in {4, 5} else x * 3,
    "not in a list": lambda x: x * 2 if x.size(0) not in [4, 5] else x * 3,
    "or": lambda x: x * 2 if x.shape[0] == 2 or x.shape[0] == 4 else x * 3,
    "and": lambda x: x * 2 if x.shape[0] > 2 and x.shape[0] != 4 else x * 3,
    "chain": lambda x: x * 2 if 2 <= x.shape[0] < 5 else x * 3,
}


def as_statement(x: Tensor) -> Tensor:
    n = x.shape[0]
    if n in (1, 3):
        return x.sum(0)
    elif n not in (2, 5):
        x = x * 2
    return x + 1


def ranked_statement(x: Tensor) -> Tensor:
    if x.dim() == 1:
        x = x[None]
    if x.dim() >= 3:
        x = x.flatten(1)
    return x * 2


RANKED["statement"] = ranked_statement
OF_SIZES["statement"] = as_statement

RANKS = [torch.ones((2,) * rank) for rank in range(6)]
SIZES = [torch.ones(size, 2) for size in range(8)]
CASES = [(name, code, RANKS) for name, code in RANKED.items()]
CASES += [(name, code, SIZES) for name, code in OF_SIZES.items()]


def run(traced: Any, x: Tensor) -> tuple[Any, list[str]]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            result = traced(x)
        except (tracelab.AssumptionError, RuntimeError) as error:
            return None, [str(error)]
    return result, [str(item.message) for item in said if issubclass(item.category, tracelab.AssumptionWarning)]


@pytest.mark.parametrize(("name", "code", "inputs"), CASES, ids=[case[0] for case in CASES])
def test_each_call_is_right_or_told(name, code, inputs):
    for example in inputs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = tracelab.trace(code, example)
        for x in inputs:
            result, said = run(traced, x)
            assert said or (result.dtype is code(x).dtype and torch.equal(result, code(x)))


SIMPLE = [case for case in CASES if case[0] != "statement"]


def way(code: Any, x: Tensor) -> float:
    """By which number a code multiplies an input."""
    return float(code(x).sum() / x.sum())


@pytest.mark.parametrize(("name", "code", "inputs"), SIMPLE, ids=[case[0] for case in SIMPLE])
def test_a_call_that_goes_the_same_way_is_not_told(name, code, inputs):
    inputs = [x for x in inputs if x.numel()]
    for example in inputs:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = tracelab.trace(code, example)
        for x in inputs:
            if way(code, x) == way(code, example):
                result, said = run(traced, x)
                assert said == []
                assert torch.equal(result, code(x))


def test_the_sentence_tells_the_whole_test():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(OF_SIZES["in a tuple"], SIZES[2])
    _, (sentence,) = run(traced, SIZES[5])
    assert sentence.startswith("x.shape[0] in (2, 3) was True when <lambda> was traced")
    assert " and is False at this call" in sentence
