"""A number that outlives its recording, wherever it is kept, is a plain one."""

from __future__ import annotations

import collections
import copy
import dataclasses
import functools
import json
import pickle
import types

import numpy as np
import pytest
import torch

import tracelab

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")


@dataclasses.dataclass
class Sizes:
    n: int


@dataclasses.dataclass(frozen=True, slots=True)
class Frozen:
    n: int


Pair = collections.namedtuple("Pair", "n rest")


class Slotted:
    __slots__ = ("n",)


class Metric:
    def update(self, n):
        self.n = n


def slotted(n):
    made = Slotted()
    made.n = n
    return made


def metric(n):
    made = Metric()
    made.update(n)
    return made


def cell(n):
    return lambda: n


KEEPERS = {
    "a dataclass": (Sizes, lambda kept: kept.n),
    "a frozen dataclass with slots": (Frozen, lambda kept: kept.n),
    "slots": (slotted, lambda kept: kept.n),
    "a metric": (metric, lambda kept: kept.n),
    "a namespace": (lambda n: types.SimpleNamespace(n=n), lambda kept: kept.n),
    "a default": (lambda n: lambda n=n: n, lambda kept: kept()),
    "a keyword's default": (lambda n: lambda *, n=n: n, lambda kept: kept()),
    "a closure": (cell, lambda kept: kept()),
    "a partial": (lambda n: functools.partial(int, n), lambda kept: kept.args[0]),
    "a keyword of a partial": (lambda n: functools.partial(dict, n=n), lambda kept: kept.keywords["n"]),
    "a deque": (lambda n: collections.deque([n]), lambda kept: kept[0]),
    "a named tuple": (lambda n: Pair(n, ()), lambda kept: kept.n),
    "tuples in tuples": (lambda n: ((1, (n, 2)),), lambda kept: kept[0][1][0]),
    "a frozen set": (lambda n: frozenset([n]), lambda kept: next(iter(kept))),
    "a slice": (lambda n: slice(0, n), lambda kept: kept.stop),
    "a key": (lambda n: {n: 1}, lambda kept: next(iter(kept))),
    "an exception": (ValueError, lambda kept: kept.args[0]),
}


@pytest.mark.parametrize(("keep", "read"), KEEPERS.values(), ids=KEEPERS)
@pytest.mark.parametrize("half", [False, True], ids=["whole", "fraction"])
def test_it_is_plain(keep, read, half):
    holder = []

    def program(x, hide=holder.append):
        hide(keep(x.shape[0] / 2 if half else x.shape[0]))
        return x * 2

    tracelab.trace(program, torch.ones(3, 2), check_trace=False)
    found = read(holder[0])
    assert type(found) is (float if half else int)
    assert found == (1.5 if half else 3)


def test_in_an_object_array_it_is_plain():
    array = np.array([None, None], dtype=object)

    def program(x):
        array[0] = x.shape[0]
        return x * 2

    tracelab.trace(program, torch.ones(3, 2), check_trace=False)
    assert type(array[0]) is int


def test_arithmetic_that_was_kept_is_plain():
    holder = []

    def program(x, hide=holder.append):
        hide(lambda n=x.shape[0] * 2 + 1, m=x.shape[0] > 2: (n, m))
        return x * 2

    tracelab.trace(program, torch.ones(3, 2), check_trace=False)
    assert holder[0]() == (7, True)
    assert list(map(type, holder[0]())) == [int, bool]


class Scaled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        ctx.n = x.shape[0]
        return x * 2

    @staticmethod
    def backward(ctx, gradient):
        assert type(ctx.n) is int
        return gradient * torch.full((ctx.n, 1), 2.0)


def test_the_context_of_a_function_holds_a_plain_number():
    outputs = []

    def program(x):
        outputs.append(Scaled.apply(x))
        return outputs[-1] + 1

    x = torch.ones(3, 2, requires_grad=True)
    tracelab.trace(program, x, check_trace=False)
    outputs[0].sum().backward()


def test_python_and_torch_take_it_as_they_take_any_number():
    holder = []

    def program(x, hide=holder.append):
        hide(lambda n=x.shape[0], shape=x.shape: (n, shape))
        return x * 2

    tracelab.trace(program, torch.ones(3, 2), check_trace=False)
    n, shape = holder[0]()
    assert {n: 1}[3] == 1
    assert json.dumps(n) == "3"
    assert pickle.loads(pickle.dumps((n, shape))) == copy.deepcopy((n, shape)) == (3, (3, 2))
    assert np.array([n, n]).dtype == np.int64
    assert (torch.ones(2) * n).tolist() == [3, 3]
    assert torch.zeros(shape).shape == torch.zeros(n, 2).shape == (3, 2)


def test_a_number_in_a_traceback_is_a_key_and_a_number():
    def program(x):
        n = x.shape[0]
        raise KeyError(n)

    with pytest.raises(KeyError) as caught:
        tracelab.trace(program, torch.ones(3, 2))
    error = caught.value.__cause__
    assert type(error.args[0]) is int
    assert type(caught.value.args[0]) is int
    traceback = error.__traceback__
    while traceback.tb_next is not None:
        traceback = traceback.tb_next
    n = traceback.tb_frame.f_locals["n"]
    assert hash(n) == hash(3)
    assert {3: "found"}[n] == "found"


class Described:
    """An object that keeps the sizes of what it stands for, as operators of linear algebra libraries do."""

    def __init__(self, rows, columns):
        self.shape = (rows, columns)
        self.parts = [{"rows": rows}]


class Filled(torch.autograd.Function):
    @staticmethod
    def forward(ctx, described, x):
        assert described.parts[0]["rows"] == x.shape[0]
        shape = torch.broadcast_shapes(described.shape, [1, 1])
        return x + torch.ones(()).expand(described.shape) + torch.zeros(shape)

    @staticmethod
    def backward(ctx, gradient):
        return None, gradient


def test_a_function_that_stays_one_node_may_take_an_object_that_holds_sizes():
    def described(x):
        return Filled.apply(Described(x.shape[0], x.shape[1]), x)

    traced = tracelab.trace(described, torch.ones(2, 3))
    assert traced(torch.ones(2, 3)).equal(torch.full((2, 3), 2.0))
