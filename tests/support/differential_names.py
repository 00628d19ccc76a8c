"""What generated programs find around them: aliases of functions, containers, and a module and globals with state."""

from __future__ import annotations

import collections
import contextlib
import dataclasses
import functools
import itertools
import math
import operator
from typing import Any, NamedTuple

import numpy
import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.utils.checkpoint import checkpoint

from support.random_programs import Both, Same, ViewOfSecond, WithNumber, WritesFirst


class Pair(NamedTuple):
    first: Tensor
    second: Any


@dataclasses.dataclass
class Parts:
    main: Tensor
    rest: Any = None
    notes: dict[str, Any] = dataclasses.field(default_factory=dict)

    def total(self) -> Tensor:
        return self.main.sum() + (self.rest.sum() if isinstance(self.rest, Tensor) else 0)


class Plain:
    """An object with state that is no module."""

    def __init__(self) -> None:
        self.calls = 0
        self.scale = 2.0
        self.seen: list[Any] = []
        self.last: Any = None


def with_default(x: Tensor, op: Any = torch.tanh, scale: float = 2.0) -> Tensor:
    return op(x) * scale


def scaler(factor: Any) -> Any:
    def scaled(x: Tensor) -> Tensor:
        return x * factor

    return scaled


def keeper(kept: list[Any]) -> Any:
    """A forward hook that keeps what a module gives."""
    return lambda module, args, result: kept.append(result)


@contextlib.contextmanager
def held(handle: Any) -> Any:
    """A hook for as long as a block runs."""
    try:
        yield handle
    finally:
        handle.remove()


def decorated(function: Any) -> Any:
    @functools.wraps(function)
    def inner(*args: Any, **kwargs: Any) -> Any:
        return function(*args, **kwargs) + 1

    return inner


@decorated
def doubled(x: Tensor) -> Tensor:
    return x * 2


def pieces(x: Tensor) -> Any:
    for place in range(x.size(0)):
        yield x[place]


@contextlib.contextmanager
def no_gradients() -> Any:
    with torch.no_grad():
        yield


@torch.no_grad()
def detached_scale(x: Tensor) -> Tensor:
    return x * 0.5


NAMES: dict[str, Any] = {
    **{item.__name__: item for item in (Both, Same, ViewOfSecond, WithNumber, WritesFirst, Pair, Parts, Plain)},
    **{
        item.__name__: item
        for item in (with_default, scaler, keeper, held, doubled, pieces, no_gradients, detached_scale)
    },
    "torch": torch,
    "nn": nn,
    "F": functional,
    "math": math,
    "np": numpy,
    "checkpoint": checkpoint,
    "functools": functools,
    "itertools": itertools,
    "collections": collections,
    "contextlib": contextlib,
    "operator": operator,
    "dataclasses": dataclasses,
    "sine": torch.sin,
    "softmax": functional.softmax,
    "clamped": functools.partial(torch.clamp, min=-1.0, max=1.5),
    "summed": functools.partial(torch.sum, dim=0, keepdim=True),
    "apply_both": Both.apply,
    "grad_of": torch.autograd.grad,
    "activations": {"relu": torch.relu, "tanh": torch.tanh, "gelu": functional.gelu},
    "method": Tensor.add,
    "getter": operator.itemgetter(0),
}

STATEFUL = """
class Host(nn.Module):
    def __init__(self):
        super().__init__()
        made = torch.Generator().manual_seed(7)
        self.linear = nn.Linear(4, 4)
        self.norm = nn.BatchNorm1d(4)
        self.layers = nn.ModuleList([nn.Linear(4, 4) for _ in range(2)])
        self.block = nn.Sequential(nn.Linear(4, 4), nn.ReLU())
        self.dropout = nn.Dropout(0.0)
        self.layer_norm = nn.LayerNorm(4)
        with torch.no_grad():
            for parameter in self.parameters():
                parameter.copy_(torch.rand(parameter.shape, generator=made) - 0.3)
        self.weight = nn.Parameter(torch.rand(4, 4, generator=made) - 0.5)
        self.scale = nn.Parameter(torch.tensor(1.5))
        self.register_buffer("mean", torch.rand(4, generator=made))
        self.register_buffer("count", torch.tensor(0))
        self.register_buffer("table", torch.rand(5, 4, generator=made))
        self.register_buffer("empty", None)
        self.calls = 0
        self.first = True
        self.mode = "plain"
        self.factor = 2.0
        self.cache = {}
        self.queue = []
        self.last = None
        self.seen = set()
        self.plain = Plain()
        self.captured = torch.rand(4, generator=made)

    def helper(self, x, twice=False):
        return x * 2 if twice else x + 1

    def cached(self, key, make):
        if key not in self.cache:
            self.cache[key] = make()
        return self.cache[key]


@functools.lru_cache(maxsize=None)
def positions(length):
    return torch.arange(float(length))


@functools.lru_cache
def scale_for(length, dtype):
    return torch.ones((), dtype=dtype) / max(length, 1)


TABLES = {}
COUNT = 0
HISTORY = []


def remembered(length):
    if length not in TABLES:
        TABLES[length] = torch.arange(float(length)) * 0.5
    return TABLES[length]


def counted():
    global COUNT
    COUNT += 1
    return COUNT


def every_other(function):
    state = {"on": False}
    def inner(x):
        state["on"] = not state["on"]
        return function(x) if state["on"] else x
    return inner

toggled = every_other(torch.neg)
"""
"""What is made anew for each run of a program."""
