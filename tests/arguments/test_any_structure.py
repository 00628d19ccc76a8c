"""Of any nesting: a replay on other sizes and values is as Python, and leaves the argument as Python does."""

from __future__ import annotations

import collections
import copy
import dataclasses
import warnings
from collections.abc import Callable
from typing import Any, NamedTuple

import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor

import tracelab


@dataclasses.dataclass
class Box:
    content: Any
    note: str = "box"
    count: int = 1


@dataclasses.dataclass(frozen=True)
class Sealed:
    left: Any
    right: Any = None


class Own:
    def __init__(self, **parts: Any) -> None:
        self.__dict__.update(parts)


class Slotted:
    __slots__ = ("one", "two")

    def __init__(self, one: Any, two: Any) -> None:
        self.one, self.two = one, two


class Pair(NamedTuple):
    first: Any
    second: Any


class Listed(list[Any]):
    pass


LEAVES = st.sampled_from(["tensor", "tensor", "tensor", "none", "number", "text"])
NAMES = st.sampled_from("abc")


def nested(inner: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    two = st.tuples(inner, inner)
    named = st.dictionaries(NAMES, inner, min_size=1, max_size=3)
    return st.one_of(
        st.tuples(st.just("list"), st.lists(inner, max_size=3)),
        st.tuples(st.just("tuple"), st.lists(inner, max_size=3)),
        st.tuples(st.just("Listed"), st.lists(inner, max_size=2)),
        st.tuples(st.just("deque"), st.lists(inner, max_size=2)),
        st.tuples(st.just("dict"), named),
        st.tuples(st.just("OrderedDict"), named),
        st.tuples(st.just("Own"), named),
        st.tuples(st.just("Box"), inner),
        st.tuples(st.just("Sealed"), two),
        st.tuples(st.just("Slotted"), two),
        st.tuples(st.just("Pair"), two),
    )


# What is written to is not the argument itself, of which plain lists and dicts have rules of their own.
PLANS = st.tuples(st.just("Own"), st.dictionaries(NAMES, st.recursive(LEAVES, nested, max_leaves=8), min_size=1))


class Filling:
    """Makes one argument of a plan: tensors of one size, numbers of one offset."""

    def __init__(self, size: int, offset: int) -> None:
        self.size, self.number = size, offset

    def of(self, plan: Any) -> Any:
        self.number += 1
        if plan == "tensor":
            return torch.arange(self.size) * 0.5 + self.number
        if isinstance(plan, str):
            return {"none": None, "number": self.number, "text": "text"}[plan]
        kind, parts = plan
        if kind == "Box":
            return Box(self.of(parts), count=self.number)
        if isinstance(parts, dict):
            made = {name: self.of(part) for name, part in parts.items()}
            return Own(**made) if kind == "Own" else collections.OrderedDict(made) if kind == "OrderedDict" else made
        items = [self.of(part) for part in parts]
        if kind in ("Sealed", "Slotted", "Pair"):
            return {"Sealed": Sealed, "Slotted": Slotted, "Pair": Pair}[kind](*items)
        makers: dict[str, Callable[..., Any]] = {"list": list, "tuple": tuple, "deque": collections.deque}
        return makers.get(kind, Listed)(items)


def parts_of(item: Any) -> list[tuple[Any, Any]]:
    if isinstance(item, dict):
        return list(item.items())
    if isinstance(item, (list, tuple, collections.deque)):
        return list(enumerate(item))
    if isinstance(item, Slotted):
        return [("one", item.one), ("two", item.two)]
    return list(vars(item).items()) if isinstance(item, (Own, Box, Sealed)) else []


def changed(item: Any, writes: list[int], total: list[Tensor]) -> None:
    """Goes through a structure; what it does at each place is one of `writes`, in turn."""
    for key, part in parts_of(item):
        if isinstance(part, Tensor):
            total.append(part.sum())
            write = writes.pop() if writes else 0
            if write == 1 and not isinstance(item, (tuple, Sealed)):
                put(item, key, part * 2)
            elif write == 2:
                part.add_(1)
            elif write == 3 and isinstance(item, (list, collections.deque)):
                item.append(part + 1)
            elif write == 4 and isinstance(item, (Own, dict)):
                put(item, "made", [part, Box(part - 1)])
            elif write == 5 and isinstance(item, (Own, dict)):
                vars(item).pop(key) if isinstance(item, Own) else item.pop(key)
        elif type(part) is int or isinstance(part, torch.SymInt):
            if writes and writes.pop() and not isinstance(item, (tuple, Sealed)):
                put(item, key, part + 1)
        else:
            changed(part, writes, total)


def put(item: Any, key: Any, part: Any) -> None:
    if isinstance(item, (dict, list, collections.deque)):
        item[key] = part
    else:
        setattr(item, key, part)


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor) or isinstance(b, Tensor):
        return isinstance(a, Tensor) and isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if type(a) is not type(b):
        return False
    mine, theirs = parts_of(a), parts_of(b)
    if not mine and not theirs:
        return not hasattr(a, "__eq__") or isinstance(a, (Own, Box, Sealed)) or bool(a == b)
    if len(mine) != len(theirs):
        return False
    return all(key == other and same(x, y) for (key, x), (other, y) in zip(mine, theirs, strict=True))


@settings(deadline=None, max_examples=40)
@given(PLANS, st.lists(st.integers(0, 5), max_size=8), st.integers(1, 4), st.integers(-3, 3))
def test_a_replay_is_as_python(plan: Any, writes: list[int], size: int, offset: int):
    def code(item: Any) -> Any:
        total: list[Tensor] = []
        changed(item, list(writes), total)
        return sum(total, torch.zeros(())), item

    example, once = Filling(3, 0).of(plan), Filling(3, 0).of(plan)
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.AssumptionWarning)
        traced = tracelab.trace(code, example)
        code(once)
        assert same(example, once)
        mine, theirs = Filling(size, offset).of(plan), Filling(size, offset).of(plan)
        result, back = traced(mine)
        wanted, _ = code(theirs)
    assert torch.equal(result, wanted)
    assert back is mine
    assert same(mine, theirs)


@settings(deadline=None, max_examples=15)
@given(st.lists(PLANS, min_size=1, max_size=4), st.lists(st.integers(0, 5), max_size=6))
def test_any_structures_under_retrace(plans: list[Any], writes: list[int]):
    def code(item: Any) -> Tensor:
        total: list[Tensor] = []
        changed(item, list(writes), total)
        return sum(total, torch.zeros(()))

    traced = tracelab.trace(code, Filling(2, 0).of(plans[0]), on_violation="retrace")
    for number, plan in enumerate(plans):
        mine, theirs = Filling(number + 1, number).of(plan), Filling(number + 1, number).of(plan)
        assert torch.equal(traced(mine), code(theirs))
        assert same(mine, theirs)


def test_copies_of_what_was_given_are_not_changed():
    example = Filling(3, 0).of(("Own", {"a": ("list", ["tensor"])}))
    before = copy.deepcopy(example)
    traced = tracelab.trace(lambda item: item.a[0] + 1, example)
    traced(example)
    assert same(example, before)
