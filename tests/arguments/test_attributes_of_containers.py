"""A list, dict, tuple or deque of an own class has attributes beside its elements."""

from __future__ import annotations

import copy
import pickle
from collections import deque
from types import MappingProxyType
from typing import Any

import pytest
import torch
from torch import Tensor

import tracelab
from tracelab.errors import AssumptionWarning, InputError, TracelabError


class Listed(list[Any]):
    scale = 3.0


class Named(dict[str, Any]):
    def __init__(self, *args: Any, **items: Any) -> None:
        super().__init__(*args, **items)


class Tupled(tuple[Any, ...]):
    pass


class Queue(deque[Any]):
    pass


class Derived(dict[str, Any]):
    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.first = next(iter(items.values()))
        self.total = sum(items.values())


class First(dict[str, Any]):
    def __init__(self, **items: Any) -> None:
        super().__init__(**items)
        self.first = next(iter(items.values()))


class OfItems(dict[str, Any]):
    def __init__(self, items: Any) -> None:
        super().__init__(items)


def with_scale(item: Any, scale: float) -> Any:
    item.scale = scale
    return item


def scaled(item: Any) -> Tensor:
    return next(iter(item.values() if isinstance(item, dict) else item)) * item.scale


MAKERS = {
    "list": lambda x: Listed([x]),
    "dict": lambda x: Named(x=x),
    "tuple": lambda x: Tupled((x,)),
    "deque": lambda x: Queue([x]),
    "made of items": lambda x: OfItems({"x": x}),
}
EACH = pytest.mark.parametrize("make", MAKERS.values(), ids=MAKERS)


@EACH
def test_the_code_gets_them(make):
    traced = tracelab.trace(scaled, with_scale(make(torch.ones(2)), 5.0))
    assert torch.equal(traced(with_scale(make(torch.ones(3)), 5.0)), torch.full((3,), 5.0))


@EACH
def test_another_value_is_told(make):
    traced = tracelab.trace(scaled, with_scale(make(torch.ones(2)), 5.0))
    with pytest.warns(AssumptionWarning, match=r"`item.scale` was 5.0 when it was traced, and is 6.0 at this call"):
        traced(with_scale(make(torch.ones(2)), 6.0))


def test_one_that_was_not_there_is_told():
    traced = tracelab.trace(scaled, Listed([torch.ones(2)]))
    with pytest.warns(AssumptionWarning, match="`item` has the attribute 'scale' at this call"):
        traced(with_scale(Listed([torch.ones(2)]), 6.0))


def test_a_file_tells_it(tmp_path):
    tracelab.trace(scaled, with_scale(Named(x=torch.ones(2)), 5.0)).save(tmp_path / "net.tlab")
    with pytest.warns(AssumptionWarning, match=r"`item.scale` was 5.0"):
        tracelab.load(tmp_path / "net.tlab")(with_scale(Named(x=torch.ones(2)), 6.0))


@pytest.mark.parametrize("copied", [copy.deepcopy, lambda traced: pickle.loads(pickle.dumps(traced))])
def test_copies_tell_it(copied):
    traced = copied(tracelab.trace(scaled, with_scale(Named(x=torch.ones(2)), 5.0)))
    with pytest.warns(AssumptionWarning, match=r"`item.scale` was 5.0"):
        traced(with_scale(Named(x=torch.ones(2)), 6.0))


def test_how_long_a_deque_may_grow_is_one():
    def function(queue: deque[Tensor]) -> Tensor:
        queue.append(queue[0] * 2)
        return queue[0] + queue[-1]

    traced = tracelab.trace(function, deque([torch.ones(2), torch.ones(2)], maxlen=2))
    with pytest.warns(AssumptionWarning, match=r"`queue.maxlen` was 2 when it was traced, and is 3 at this call"):
        traced(deque([torch.ones(2), torch.ones(2)], maxlen=3))


def test_an_element_that_the_constructor_sets_follows():
    traced = tracelab.trace(lambda item: item.first * 2, First(a=torch.ones(2)))
    assert torch.equal(traced(First(a=torch.ones(3) * 2)), torch.full((3,), 4.0))


def test_what_the_constructor_computes_is_refused_of_an_argument():
    with pytest.raises(InputError, match=r"the attribute 'total' of `item` \(Derived\) holds a tensor"):
        tracelab.trace(lambda item: item.total * 2, Derived(a=torch.ones(2)))


def test_what_the_constructor_computes_follows_in_a_result():
    traced = tracelab.trace(lambda x: Derived(a=x, b=x + 1), torch.ones(2), strict=False)
    assert torch.equal(traced(torch.ones(3)).total, torch.full((3,), 3.0))


def test_a_tensor_that_only_an_attribute_holds_is_refused():
    item = Named(x=torch.ones(2))
    item.weight = torch.ones(2)
    sentence = r"the attribute 'weight' of `item` \(Named\) holds a tensor, .* say by tracelab.register_structure"
    with pytest.raises(InputError, match=sentence):
        tracelab.trace(lambda item: item["x"] * item.weight, item)


def test_an_attribute_that_is_written_to_is_told():
    def function(item: Named) -> Tensor:
        item.scale = 2.0
        return item["x"] * 2

    with pytest.warns(tracelab.TracerWarning, match="a replay does not write to the attributes of a Named"):
        tracelab.trace(function, Named(x=torch.ones(2)))


@EACH
def test_results_have_them(make):
    traced = tracelab.trace(lambda x: with_scale(make(x), 7.0), torch.ones(2), strict=False)
    found = traced(torch.ones(3))
    assert type(found) is type(make(1))
    assert found.scale == 7.0


def test_a_result_with_a_tensor_that_only_an_attribute_holds_is_refused():
    def function(x: Tensor) -> Any:
        return with_scale(Named(x=x), x * 2)  # type: ignore[arg-type]

    with pytest.raises(TracelabError, match="the attribute 'scale' of the result"):
        tracelab.trace(function, torch.ones(2))


def test_a_mapping_that_cannot_be_written_to_is_a_result():
    traced = tracelab.trace(lambda x: MappingProxyType({"x": x * 2}), torch.ones(2))
    assert torch.equal(traced(torch.ones(3))["x"], torch.full((3,), 2.0))


def test_one_alone_is_one_argument():
    assert torch.equal(
        tracelab.trace(lambda item: item[0], Tupled((torch.ones(2),)))(Tupled((torch.ones(3),))), torch.ones(3)
    )
