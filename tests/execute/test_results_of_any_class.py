"""A replay gives back what the code gave: objects of its own classes, with tensors in their fields."""

from __future__ import annotations

import copy
import enum
import io
import pickle
from collections import OrderedDict, defaultdict
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor

import tracelab


class Color(enum.Enum):
    RED = 1


@dataclass(frozen=True)
class Scaled:
    value: Tensor
    scale: float = 2.0
    note: str = ""
    color: Color = Color.RED


@dataclass
class Outer:
    inner: Scaled
    parts: list[Any] = field(default_factory=list)


class Slotted:
    __slots__ = ("left", "right")

    def __init__(self, left: Tensor, right: Tensor) -> None:
        self.left, self.right = left, right


class Grown:
    """Its constructor computes: only its fields say what it is."""

    made = 0

    def __init__(self, x: Tensor) -> None:
        type(self).made += 1
        self.x = x + 1
        self.config = {"layers": 2}


class Listed(list):
    pass


class Pair(NamedTuple):
    x: Tensor
    count: int


X, Y = torch.arange(3.0), torch.arange(5.0) - 2


def replay(function: Any) -> Any:
    return tracelab.trace(function, X)(Y)


def test_a_frozen_dataclass():
    result = replay(lambda x: Scaled(x * 2, note="twice"))
    assert type(result) is Scaled
    assert torch.equal(result.value, Y * 2)
    assert (result.scale, result.note, result.color) == (2.0, "twice", Color.RED)


def test_objects_inside_of_objects():
    result = replay(lambda x: Outer(Scaled(x.sin()), [x, {"a": x + 1}, "text", None]))
    assert type(result.inner) is Scaled
    assert torch.equal(result.inner.value, Y.sin())
    assert torch.equal(result.parts[1]["a"], Y + 1)
    assert result.parts[2:] == ["text", None]


def test_slots():
    result = replay(lambda x: Slotted(x.sin(), x.cos()))
    assert type(result) is Slotted
    assert torch.equal(result.right, Y.cos())


def test_the_constructor_is_not_called_again():
    traced = tracelab.trace(Grown, X, check_trace=False)
    made = Grown.made
    result = traced(Y)
    assert Grown.made == made
    assert torch.equal(result.x, Y + 1)
    assert result.config == {"layers": 2}


def test_each_call_gives_an_object_of_its_own():
    traced = tracelab.trace(lambda x: Outer(Scaled(x), [x]), X)
    first, second = traced(Y), traced(Y)
    assert first is not second
    assert first.parts is not second.parts


def test_what_stands_twice_is_one_object():
    def code(x: Tensor) -> tuple[Any, Any]:
        shared = Scaled(x * 3)
        return shared, Outer(shared)

    first, outer = replay(code)
    assert outer.inner is first


def test_sizes_in_fields_follow():
    result = replay(lambda x: Pair(x * 1, x.shape[0]))
    assert type(result) is Pair
    assert result.count == 5


def test_a_defaultdict_keeps_its_default():
    def code(x: Tensor) -> Any:
        made = defaultdict(list)
        made["a"] = x + 1
        return made

    result = tracelab.trace(code, X, strict=False)(Y)
    assert type(result) is defaultdict
    assert result.default_factory is list
    assert torch.equal(result["a"], Y + 1)


def test_an_ordered_dict_may_have_any_keys():
    result = tracelab.trace(lambda x: OrderedDict([(1, x), ("two words", x + 1)]), X, strict=False)(Y)
    assert type(result) is OrderedDict
    assert list(result) == [1, "two words"]


def test_a_list_class():
    result = tracelab.trace(lambda x: Listed([x, x + 1]), X, strict=False)(Y)
    assert type(result) is Listed


def test_the_result_type_of_an_operator():
    result = tracelab.trace(lambda x: x.view(1, -1).max(1), X)(Y)
    assert type(result) is torch.return_types.max
    assert torch.equal(result.indices, Y.view(1, -1).max(1).indices)


def test_a_packed_sequence():
    from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence

    result = tracelab.trace(lambda x: pack_padded_sequence(x, torch.tensor([3, 2])), torch.randn(3, 2, 4))(
        torch.ones(3, 2, 4)
    )
    assert type(result) is PackedSequence
    assert torch.equal(result.batch_sizes, torch.tensor([2, 2, 1]))


def test_distributions():
    result = replay(lambda x: torch.distributions.Normal(x, x.abs() + 1))
    assert type(result) is torch.distributions.Normal
    assert torch.equal(result.loc, Y)
    assert result.sample().shape == Y.shape


def test_gradients_flow_through_fields():
    traced = tracelab.trace(lambda x: Scaled(x**2), torch.ones(3, requires_grad=True))
    x = torch.randn(4, requires_grad=True)
    traced(x).value.sum().backward()
    assert torch.allclose(x.grad, 2 * x)


def test_a_file_gives_plain_dicts_of_the_same_fields():
    file = io.BytesIO()
    tracelab.save(tracelab.trace(lambda x: Outer(Scaled(x * 2), [x]), X), file)
    file.seek(0)
    result = tracelab.load(file)(Y)
    assert torch.equal(result["inner"]["value"], Y * 2)
    assert result["inner"]["scale"] == 2.0
    assert repr(result["inner"]["color"]) == "<Color, not kept in the file>"


def test_copies_give_the_same_class():
    traced = tracelab.trace(lambda x: Scaled(x * 2), X)
    for twin in (copy.deepcopy(traced), pickle.loads(pickle.dumps(traced))):
        assert torch.equal(twin(Y).value, Y * 2)


def test_a_pickle_calls_no_constructor():
    traced = pickle.loads(pickle.dumps(tracelab.trace(Grown, X, check_trace=False)))
    made = Grown.made
    assert torch.equal(traced(Y).x, Y + 1)
    assert Grown.made == made


def test_a_pickled_defaultdict_is_a_dict():
    traced = tracelab.trace(lambda x: defaultdict(list, a=x + 1), X, strict=False)
    assert torch.equal(pickle.loads(pickle.dumps(traced))(Y)["a"], Y + 1)


def test_the_graph_names_the_class():
    traced = tracelab.trace(lambda x: Scaled(x * 2), X)
    assert "Scaled(value=" in traced.code


def test_an_object_inside_of_itself_is_refused():
    def code(x: Tensor) -> Any:
        made = Outer(Scaled(x))
        made.parts.append(made)
        return made

    with pytest.raises(tracelab.TracelabError, match=r"the result\.parts\[0\] is inside of itself"):
        tracelab.trace(code, X)


def test_what_is_used_up_is_refused():
    with pytest.raises(tracelab.TracelabError, match=r"the result\.parts\[0\] is <list_iterator"):
        tracelab.trace(lambda x: Outer(Scaled(x), [iter([x])]), X)


def test_a_difference_in_a_field_is_found():
    state = [1.0]

    def code(x: Tensor) -> Scaled:
        state[0] += 1
        return Scaled(x * state[0])

    with pytest.raises(tracelab.TracingCheckError):
        tracelab.trace(code, X)


def test_other_things_in_a_list_are_refused_with_the_way_out():
    with pytest.raises(tracelab.TracelabError, match=r"result\[1\]\[0\] is 3 \(int\) inside a list: pass strict=False"):
        tracelab.trace(lambda x: (x, [3]), torch.ones(2))
    assert tracelab.trace(lambda x: (x, [3]), torch.ones(2), strict=False)(torch.zeros(2))[1] == [3]
