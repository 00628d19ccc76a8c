"""Which arguments are one object decides what a write to it reaches: a replay is as Python, or says so."""

from __future__ import annotations

import types
import warnings
from typing import Any

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tracelab
from tracelab.errors import AssumptionError, AssumptionWarning


def appended(first: list[Tensor], second: list[Tensor]) -> Tensor:
    first.append(second[0] * 2)
    return second[-1] + len(second)


def replaced(first: dict[str, Tensor], second: dict[str, Tensor]) -> Tensor:
    first["x"] = first["x"] + 1
    return second["x"] * 2


def test_a_list_that_is_given_twice_is_one_list():
    one = [torch.ones(2)]
    traced = tracelab.trace(appended, one, one)
    assert len(one) == 2
    two, plain = [torch.ones(3) * 5], [torch.ones(3) * 5]
    assert torch.equal(traced(two, two), appended(plain, plain))
    assert len(two) == len(plain) == 2


def test_a_dict_that_is_given_twice_is_one_dict():
    one = {"x": torch.ones(2)}
    traced = tracelab.trace(replaced, one, one)
    two = {"x": torch.ones(3) * 5}
    assert torch.equal(traced(two, two), torch.full((3,), 12.0))


@pytest.mark.parametrize("make", [lambda x: [x], lambda x: {"x": x}], ids=["list", "dict"])
def test_one_object_where_two_were_traced_is_told(make):
    function = appended if isinstance(make(1), list) else replaced
    traced = tracelab.trace(function, make(torch.ones(2)), make(torch.ones(2)))
    one = make(torch.ones(2))
    with pytest.warns(AssumptionWarning, match="`second` was another object than `first` when it was traced"):
        traced(one, one)


def test_two_objects_where_one_was_traced_are_told():
    one = [torch.ones(2)]
    traced = tracelab.trace(appended, one, one)
    with pytest.raises(AssumptionError, match="`second` was the object at `first` when it was traced"):
        traced([torch.ones(2)], [torch.ones(2)])


def test_one_object_that_is_only_read_is_not_told():
    def function(first: list[Tensor], second: list[Tensor]) -> Tensor:
        return first[0] - second[0]

    traced = tracelab.trace(function, [torch.ones(2)], [torch.ones(2)])
    one = [torch.ones(2)]
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(one, one), torch.zeros(2))


def test_a_list_that_is_given_twice_and_only_read_may_be_two():
    def function(first: list[Tensor], second: list[Tensor]) -> Tensor:
        return first[0] - second[0]

    one = [torch.ones(2)]
    traced = tracelab.trace(function, one, one)
    assert torch.equal(traced([torch.ones(3) * 3], [torch.ones(3)]), torch.full((3,), 2.0))


def test_state_is_as_after_one_call_where_a_list_that_is_given_twice_is_written_to():
    norm = torch.nn.BatchNorm1d(2)
    calls: list[int] = []

    def function(first: list[Tensor], second: list[Tensor]) -> Tensor:
        calls.append(1)
        first.append(norm(second[0]))
        return second[-1]

    one = [torch.ones(3, 2)]
    tracelab.trace(function, one, one)
    assert (int(norm.num_batches_tracked), len(calls), len(one)) == (1, 1, 2)


def test_a_file_tells_it_too(tmp_path):
    tracelab.trace(appended, [torch.ones(2)], [torch.ones(2)]).save(tmp_path / "net.tlab")
    one = [torch.ones(2)]
    with pytest.warns(AssumptionWarning, match="another object than `first`"):
        tracelab.load(tmp_path / "net.tlab")(one, one)


MAKERS = {
    "list": lambda x: [x],
    "dict": lambda x: {0: x},
    "object": lambda x: types.SimpleNamespace(content=[x]),
}
WRITES = st.lists(
    st.tuples(st.integers(0, 2), st.integers(0, 2), st.sampled_from(["put", "add", "in place"])), max_size=4
)


def container(item: Any) -> Any:
    return item.content if isinstance(item, types.SimpleNamespace) else item


@settings(deadline=None, max_examples=40)
@given(
    st.sampled_from(sorted(MAKERS)),
    st.lists(st.integers(0, 2), min_size=3, max_size=3),
    st.lists(st.integers(0, 2), min_size=3, max_size=3),
    WRITES,
)
def test_any_sharing_is_as_python_or_told(kind: str, then: list[int], now: list[int], writes: list[Any]):
    def code(*items: Any) -> Any:
        for to, of, how in writes:
            target, part = container(items[to]), container(items[of])[0]
            if how == "put":
                target[0] = part * 2
            elif how == "in place":
                target[0].add_(part.sum())
            elif isinstance(target, list):
                target.append(part + 1)
            else:
                target[len(target)] = part + 1
        return sum(container(item)[0].sum() * (at + 1) for at, item in enumerate(items))

    def arguments(sharing: list[int], offset: float) -> list[Any]:
        pool = [MAKERS[kind](torch.arange(3.0) + offset + at) for at in range(3)]
        return [pool[at] for at in sharing]

    traced = tracelab.trace(code, *arguments(then, 0.0))
    given_, plain = arguments(now, 7.0), arguments(now, 7.0)
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        try:
            found = traced(*given_)
        except AssumptionError:
            return
    if any(issubclass(item.category, AssumptionWarning) for item in told):
        return
    assert torch.equal(found, code(*plain))
    for mine, theirs in zip(given_, plain, strict=True):
        mine, theirs = container(mine), container(theirs)
        assert len(mine) == len(theirs)
        parts = zip(mine.values(), theirs.values(), strict=True) if kind == "dict" else zip(mine, theirs, strict=True)
        assert all(torch.equal(one, other) for one, other in parts)
