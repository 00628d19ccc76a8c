"""Sets, arrays and objects of registered classes that the code writes to are written to by the replay."""

from __future__ import annotations

import threading
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import pytest
import torch
from torch import Tensor

import tracelab

X = torch.ones(2)


@pytest.fixture(autouse=True)
def nothing_is_told() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


class Shared:
    def __init__(self, x: Tensor, count: int = 0) -> None:
        self.x, self.count, self.lock = x, count, threading.Lock()
        self.history: list[Tensor] = []


class Stack:
    def __init__(self, *layers: Tensor) -> None:
        self.layers = list(layers)


tracelab.register_structure(Shared, lambda item: ([item.x], None), lambda parts, _: Shared(*parts))
tracelab.register_structure(Stack, lambda item: (item.layers, None), lambda parts, _: Stack(*parts))


def double(item: Shared) -> Tensor:
    item.x = item.x * 2
    item.count = item.x.shape[0]
    return item.x.sum()


def test_a_field_of_an_object_of_a_registered_class():
    example = Shared(X)
    traced = tracelab.trace(double, example)
    assert torch.equal(example.x, X * 2)
    given = Shared(torch.arange(3.0), 7)
    lock = given.lock
    assert traced(given) == 6
    assert torch.equal(given.x, torch.arange(3.0) * 2)
    assert (given.count, type(given.count)) == (3, int)
    assert given.lock is lock


def test_a_field_that_is_no_part():
    def code(item: Shared) -> Tensor:
        item.history = [item.x + 1]
        return item.x

    traced = tracelab.trace(code, Shared(X))
    given = Shared(X * 3)
    traced(given)
    assert torch.equal(given.history[0], X * 4)


def test_parts_that_are_in_a_list_of_the_object_are_told():
    def code(item: Stack) -> Tensor:
        item.layers[0] = item.layers[0] * 2
        return item.layers[0].sum()

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        with pytest.raises(tracelab.TracingCheckError):
            tracelab.trace(code, Stack(X, X))
    with pytest.warns(tracelab.TracerWarning, match="`item` was written to"):
        tracelab.trace(code, Stack(X, X), check_trace=False)


def add(seen: set[Any]) -> None:
    seen.add("new")
    seen.discard("old")


@dataclass
class Holder:
    x: Tensor
    seen: set[Any]
    table: Any = None


def test_a_set():
    def code(x: Tensor, holder: Holder) -> Tensor:
        add(holder.seen)
        return x + len(holder.seen)

    example = Holder(X, {"old", 1})
    traced = tracelab.trace(code, X, example)
    assert example.seen == {"new", 1}
    given = Holder(X, {"old", 1})
    seen = given.seen
    assert torch.equal(traced(X, given), X + 2)
    assert given.seen is seen
    assert seen == {"new", 1}
    with pytest.warns(tracelab.AssumptionWarning, match=r"`holder.seen` was"):
        traced(X, Holder(X, {"other"}))


def test_a_set_that_comes_back_is_the_one_that_was_given():
    traced = tracelab.trace(lambda x, seen: (x * 2, seen), X, {"a"})
    given = {"a"}
    assert traced(X, given)[1] is given


def test_a_size_in_a_set_is_told_at_another_size():
    def code(x: Tensor, seen: set[Any]) -> Tensor:
        seen.add(x.shape[0])
        return x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(code, X, {"a"})
    given = {"a"}
    traced(X, given)
    assert given == {"a", 2}
    with pytest.warns(tracelab.AssumptionWarning):
        traced(torch.ones(3), {"a"})


ARRAYS: dict[str, Callable[[Any], Any]] = {
    "out": lambda a: numpy.add(a, 1, out=a),
    "sorted": lambda a: a.sort(),
    "masked": lambda a: a.__setitem__(a > 2, 0),
    "filled": lambda a: a.fill(3),
    "copyto": lambda a: numpy.copyto(a, 7),
}


@pytest.mark.parametrize("name", ARRAYS)
def test_an_array_that_numpy_writes_to(name: str):
    def code(a: Any) -> Tensor:
        ARRAYS[name](a)
        return torch.from_numpy(a) * 2

    def made() -> Any:
        return numpy.array([[3, 1, 2], [0, 5, 4]], numpy.float32)

    example, wanted = made(), made()
    traced = tracelab.trace(code, example)
    code(wanted)
    assert numpy.array_equal(example, wanted)
    mine, theirs = made(), made()
    assert torch.equal(traced(mine), code(theirs))
    assert numpy.array_equal(mine, theirs)
    with pytest.warns(tracelab.AssumptionWarning, match="`a` was array"):
        traced(made() + 1)


def test_an_array_of_text_that_is_written_to_is_told():
    def code(x: Tensor, names: Any) -> Tensor:
        names[0] = "z"
        return x

    with pytest.warns(tracelab.TracerWarning, match="`names` was written to"):
        tracelab.trace(code, X, numpy.array(["a", "b"]), check_trace=False)
