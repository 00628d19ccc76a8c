"""Numbers as arguments are followed: a replay takes others; what decides a branch is told with its line."""

from __future__ import annotations

import copy
import io
import pickle
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tracelab

X = torch.arange(12.0).view(3, 4)


@pytest.fixture(autouse=True)
def nothing_is_told() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


FOLLOWED: dict[str, tuple[Callable[..., Any], list[Any]]] = {
    "topk": (lambda x, k: x.topk(k).values, [2, 3, 1, 4]),
    "slice": (lambda x, n: x[:n], [2, 1, 0, 3]),
    "middle": (lambda x, n: x[n : n + 1], [1, 0, 2]),
    "scale": (lambda x, s: x * s, [2.0, 0.5, -1.0]),
    "whole scale": (lambda x, s: x * s, [2, 3, -1]),
    "whole tensor": (lambda x, s: x.long() * s, [2.0, 0.5]),
    "zeros": (lambda x, n: torch.zeros(n) + x.sum(), [2, 3, 0]),
    "full": (lambda x, value: torch.full((2,), value), [2, 3]),
    "view": (lambda x, n: x.view(n, -1), [2, 6, 12]),
    "clamp": (lambda x, low: x.clamp(min=low), [2, 5]),
    "power": (lambda x, k: x**k, [2, 3]),
    "compare": (lambda x, k: x > k, [2, 3]),
    "arange": (lambda x, k: torch.arange(k), [2, 4]),
    "alpha": (lambda x, k: torch.add(x, x, alpha=k), [2.0, 3.5]),
    "roll": (lambda x, k: x.roll(k, 0), [1, 2]),
    "masked_fill": (lambda x, k: x.masked_fill(x > 2, k), [float("-inf"), 1.0]),
    "number": (lambda x, k: k * 2 + x.shape[0], [2, 5]),
    "greatest": (lambda x, k: x * max(k, 3), [2, 3, 4]),
    "unused": (lambda x, k: x + 1, [2, 3]),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_another_number_is_followed(name: str):
    function, values = FOLLOWED[name]
    traced = tracelab.trace(function, (X, values[0]))
    for value in values:
        found, wanted = traced(X, value), function(X, value)
        assert type(found) is type(wanted)
        if isinstance(wanted, Tensor):
            assert found.dtype == wanted.dtype
            assert torch.equal(found, wanted)
        else:
            assert found == wanted


def test_the_printed_graph():
    graph = tracelab.trace(lambda x, k: x * k, (X, 2)).graph
    assert [str(node) for node in graph.nodes] == ["%k = prim::Argument()", "%mul = aten::mul(%x, %k)"]


@pytest.mark.parametrize(
    ("function", "then", "now", "sentence"),
    [
        (lambda x, k: x * 2 if k > 1 else x, 2, 1, "k > 1 was True when .* is False at this call"),
        (lambda x, d: x.sum(d), 1, 0, "was 1 when .* is 0 at this call"),
        (lambda x, k: sum([x] * k), 2, 3, r"\[x\] \* k was 2 when .* is 3 at this call"),
        (lambda x, k: x + (1, 2, 3)[k], 1, 0, "was 1 when .* is 0 at this call"),
        (lambda x, k: x + (1 if type(k) is int else 2), 1, 3, "`k` was 1 when it was traced, and is 3 at this call"),
        (lambda x, k: x * k, 2, 2.0, "`k` was 2 when it was traced, and is 2.0 at this call"),
        (lambda x, k: x * k, 2, True, "`k` was 2 when it was traced, and is True at this call"),
    ],
)
def test_what_a_number_decides_is_told(function: Callable[..., Any], then: Any, now: Any, sentence: str):
    traced = tracelab.trace(function, (X, then))
    assert torch.equal(traced(X, then), function(X, then))
    with pytest.warns(tracelab.AssumptionWarning, match=sentence):
        traced(X, now)


@settings(deadline=None, max_examples=30)
@given(st.lists(st.integers(0, 4), min_size=1, max_size=6))
def test_under_retrace_each_call_is_right(values: list[int]):
    def code(x: Tensor, k: int) -> Tensor:
        for _ in range(k):
            x = x + k
        return x if k > 2 else x * k

    traced = tracelab.trace(code, (X, 2), on_violation="retrace")
    for value in values:
        assert torch.equal(traced(X, value), code(X, value))


def test_a_number_is_an_int_for_the_code():
    def code(x: Tensor, k: int) -> Tensor:
        return x * k if isinstance(k, int) and isinstance(x.shape[0], int) and {k: 1} else x

    assert torch.equal(tracelab.trace(code, (X, 2), check_trace=False)(X, 2), X * 2)


def test_numbers_in_objects():
    @dataclass
    class Options:
        x: Tensor
        scale: float
        steps: int = 0

    def code(options: Options) -> Tensor:
        options.steps += 1
        return options.x * options.scale

    traced = tracelab.trace(code, Options(X, 2.0))
    given = Options(X, 3.0, 7)
    assert torch.equal(traced(given), X * 3)
    assert (given.steps, type(given.steps)) == (8, int)


def test_a_number_that_was_left_out_is_the_default():
    def code(x: Tensor, k: int = 3) -> Tensor:
        return x * k

    traced = tracelab.trace(code, (X, 2))
    assert torch.equal(traced(X), X * 3)


def test_gradients_flow():
    traced = tracelab.trace(lambda x, s: (x * s).sum(), (torch.ones(2, requires_grad=True), 2.0))
    x = torch.ones(2, requires_grad=True)
    traced(x, 3.0).backward()
    assert torch.equal(x.grad, torch.full((2,), 3.0))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_copies_and_pickles_follow(copied: Callable[[Any], Any]):
    assert torch.equal(copied(tracelab.trace(lambda x, k: x * k, (X, 2)))(X, 5), X * 5)


def test_files_follow():
    stored = io.BytesIO()
    tracelab.save(tracelab.trace(lambda x, k: x * k if k > 1 else x, (X, 2)), stored)
    stored.seek(0)
    loaded = tracelab.load(stored)
    assert torch.equal(loaded(X, 5), X * 5)
    with pytest.warns(tracelab.AssumptionWarning, match="k > 1 was True"):
        loaded(X, 1)


def test_a_run_follows():
    assert torch.equal(tracelab.trace(lambda x, k: x * k, (X, 2)).run(X, 5).outputs, X * 5)


def test_the_number_is_plain_after_the_trace():
    kept: list[Any] = []

    def code(x: Tensor, k: int) -> Tensor:
        kept.append(k)
        return x * k

    tracelab.trace(code, (X, 2), check_trace=False)
    assert [type(item) for item in kept] == [int]


def test_a_trace_in_a_trace_follows():
    inner = tracelab.trace(lambda x, k: x * k, (X, 2))
    outer = tracelab.trace(lambda x, k: inner(x, k + 1), (X, 2))
    assert torch.equal(outer(X, 4), X * 5)


def _kind(k: object) -> int:
    return {int: 2, float: 3}[type(k)]


@pytest.mark.parametrize(
    "code",
    [
        lambda x, k: x * (2 if type(k) is int else 3),
        lambda x, k: x * (2 if type(k).__name__ == "int" else 3),
        lambda x, k: x * (2 if issubclass(k.__class__, int) else 3),
        lambda x, k: x * _kind(k),
        lambda x, k: x * k.bit_count(),
    ],
)
@pytest.mark.parametrize("check_trace", [True, False])
def test_code_that_asks_for_the_class_of_a_number_is_given_an_int(code: Callable[..., Tensor], check_trace: bool):
    assert torch.equal(tracelab.trace(code, (X, 3), check_trace=check_trace)(X, 3), code(X, 3))
