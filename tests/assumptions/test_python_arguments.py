"""Text, options and other values of Python's are arguments like tensors; a call with others is told."""

from __future__ import annotations

import enum
import io
import math
import pickle
import warnings
import weakref
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import tracelab


class Mode(enum.Enum):
    SUM = "sum"
    MEAN = "mean"


@pytest.fixture(autouse=True)
def nothing_is_told() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.AssumptionWarning)
        yield


def pooled(x: Tensor, k: int, mode: Mode = Mode.SUM, keep: bool = True, dtype: torch.dtype | None = None) -> Tensor:
    top = x.topk(k).values
    pooled = top.sum() if mode is Mode.SUM else top.mean()
    return (pooled if keep else x).to(dtype or x.dtype)


X = torch.tensor([3.0, 1.0, 2.0, 5.0])


def test_the_same_values_are_told_nothing():
    traced = tracelab.trace(pooled, (X, 2, Mode.MEAN, True, torch.float64))
    assert torch.equal(
        traced(X + 1, 2, Mode.MEAN, True, torch.float64), pooled(X + 1, 2, Mode.MEAN, True, torch.float64)
    )


def test_values_may_be_given_by_keyword():
    traced = tracelab.trace(pooled, (X,), example_kwarg_inputs={"k": 2, "mode": Mode.MEAN})
    assert torch.equal(traced(X, mode=Mode.MEAN, k=2), pooled(X, 2, Mode.MEAN))


@pytest.mark.parametrize(
    ("call", "sentence"),
    [
        ((X, 2, Mode.MEAN), "`mode` was <Mode.SUM: 'sum'> when"),
        ((X, 2, Mode.SUM, False), "`keep` was True when"),
        ((X, 2, Mode.SUM, 1), "`keep` was True when it was traced, and is 1"),
    ],
)
def test_another_value_is_told(call: tuple[Any, ...], sentence: str):
    traced = tracelab.trace(pooled, (X, 2, Mode.SUM, True))
    with pytest.warns(tracelab.AssumptionWarning) as told:
        traced(*call)
    assert sentence in str(told[0].message)


def test_under_raise_it_raises():
    with pytest.raises(tracelab.AssumptionError, match="`mode` was"):
        tracelab.trace(pooled, (X, 2, Mode.SUM), on_violation="raise")(X, 2, Mode.MEAN)


def test_under_ignore_the_recording_runs():
    assert tracelab.trace(pooled, (X, 2, Mode.SUM), on_violation="ignore")(X, 2, Mode.MEAN) == pooled(X, 2)


def test_what_is_left_out_is_the_default():
    traced = tracelab.trace(pooled, (X, 2, Mode.SUM, True))
    assert torch.equal(traced(X, 2), pooled(X, 2))


def test_a_default_that_is_another_value_is_told():
    traced = tracelab.trace(pooled, (X, 2, Mode.MEAN))
    with pytest.warns(tracelab.AssumptionWarning, match="`mode` was <Mode.MEAN"):
        traced(X, 2)


@settings(deadline=None, max_examples=40)
@given(st.lists(st.tuples(st.integers(1, 3), st.sampled_from(Mode), st.booleans()), min_size=1, max_size=6))
def test_under_retrace_each_call_is_right(calls: list[tuple[int, Mode, bool]]):
    traced = tracelab.trace(pooled, (X, 2, Mode.SUM, True), on_violation="retrace", max_traces=4)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.AssumptionWarning)
        for call in calls:
            assert torch.equal(traced(X, *call), pooled(X, *call))


def test_recordings_are_named_by_their_values():
    traced = tracelab.trace(lambda x, name: x * len(name), (X, "ab"), on_violation="retrace")
    traced(X, "abc")
    assert [case.label for case in traced.cases] == ["name = 'ab'", "name = 'abc'"]


def test_values_inside_of_containers():
    def code(options: dict[str, Any], sizes: list[int]) -> Tensor:
        return options["x"].view(sizes) * (3 if options["triple"] else 1)

    traced = tracelab.trace(code, ({"x": X, "triple": True}, [2, 2]))
    assert torch.equal(traced({"x": X, "triple": True}, [4, 1]), X.view(4, 1) * 3)
    with pytest.warns(tracelab.AssumptionWarning, match=r"`options\['triple'\]` was True"):
        traced({"x": X, "triple": False}, [2, 2])


def test_functions_are_compared_by_identity():
    traced = tracelab.trace(lambda x, f: f(x), (X, torch.sin))
    assert torch.equal(traced(X, torch.sin), X.sin())
    with pytest.warns(tracelab.AssumptionWarning):
        traced(X, torch.cos)


def test_nan_is_the_same_as_nan():
    traced = tracelab.trace(lambda x, fill: x.masked_fill(x > 2, fill), (X, math.nan))
    assert traced(X, math.nan).isnan().sum() == 2


def test_options_of_a_module():
    class Net(nn.Module):
        def forward(self, x: Tensor, double: bool = False) -> Tensor:
            return x * 2 if double else x + 1

    traced = tracelab.trace(Net(), (X,), example_kwarg_inputs={"double": True}, on_violation="retrace")
    assert torch.equal(traced(X, double=True), X * 2)
    assert torch.equal(traced(X, double=False), X + 1)


def test_they_are_in_the_table_of_assumptions():
    traced = tracelab.trace(pooled, (X, 2, Mode.SUM))
    assert [(item.kind, item.about, item.constant) for item in traced.assumptions if item.kind == "argument"] == [
        ("argument", "mode", Mode.SUM),
    ]


@pytest.mark.parametrize("value", [2, 2.5, True, "text", None, torch.float64, 1j], ids=str)
def test_files_and_pickles_compare_them(value: Any):
    def code(x: Tensor, value: Any) -> Tensor:
        return x * 2

    traced = tracelab.trace(code, (X, value))
    file = io.BytesIO()
    tracelab.save(traced, file)
    file.seek(0)
    for twin in (tracelab.load(file), pickle.loads(pickle.dumps(traced))):
        assert torch.equal(twin(X, value), X * 2)


def test_a_file_tells_of_another_value():
    file = io.BytesIO()
    tracelab.save(tracelab.trace(lambda x, keep: x if keep else -x, (X, True)), file)
    file.seek(0)
    with pytest.warns(tracelab.AssumptionWarning, match="`keep` was True"):
        tracelab.load(file)(X, False)


def test_an_object_is_refused_with_the_way_out():
    with pytest.raises(tracelab.InputError, match=r"input `x\[1\]` is of type object .* functools.partial"):
        tracelab.trace(lambda x: x[0], ((X, object()),))


def test_a_check_says_that_it_tried_no_other_value():
    report = tracelab.trace(lambda x, name: x * len(name), (X, "ab")).check(max_examples=4)
    (verdict,) = (item for item in report.assumptions if item.assumption.kind == "argument")
    assert str(verdict) == "name is 'ab'  → not tried: the same in every input"


class Store:
    def __init__(self, owner, x):
        self.owner, self.x = weakref.ref(owner), x


class Owner:
    def __init__(self, x):
        self.store = Store(self, x)


def test_an_object_that_its_parts_know_weakly_is_taken_again():
    traced = tracelab.trace(lambda owner: owner.store.x * 2, (Owner(torch.ones(2)),), check_trace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(Owner(torch.full((3,), 2.0))), torch.full((3,), 4.0))
