"""A trace leaves everything as one call leaves it, and a check leaves it as it was."""

from __future__ import annotations

import collections
import contextlib
import copy
import dataclasses
import functools
import random
import types
from contextvars import ContextVar

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from tracelab.check.isolation import isolated

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")


class ThroughAView(nn.Module):
    def __init__(self):
        super().__init__()
        self.weight = nn.Parameter(torch.ones(2))

    @torch.no_grad()
    def forward(self, x):
        self.weight[0].mul_(2)
        return x * self.weight


class ThroughData(ThroughAView):
    def forward(self, x):
        self.weight.data.add_(1)
        return x * self.weight


class ThroughDetach(ThroughAView):
    def forward(self, x):
        self.weight.detach()[1:].add_(1)
        return x * self.weight


class ThroughNumPy(ThroughAView):
    def forward(self, x):
        self.weight.detach().numpy()[0] += 1
        return x * 2


class AnotherMemory(ThroughAView):
    def forward(self, x):
        self.weight.data = self.weight.data + 1
        return x * self.weight


class InAnAttribute(nn.Module):
    def __init__(self):
        super().__init__()
        self.cache, self.place, self.calls = torch.zeros(400, 2), torch.tensor(0), 0

    def forward(self, x):
        self.cache[self.place] = x
        self.place += 1
        self.calls += 1
        return self.cache.sum(0)


class InContainers(nn.Module):
    def __init__(self):
        super().__init__()
        self.entries = [{"sum": torch.zeros(2)}, (torch.zeros(2),)]
        self.recent = collections.deque(maxlen=3)
        self.numbers = collections.defaultdict(int)
        self.seen = collections.OrderedDict(first=0)

    def forward(self, x):
        self.entries[0]["sum"].add_(x)
        self.entries[1][0].add_(1)
        self.recent.append(self.entries[0]["sum"].sum())
        self.numbers["calls"] += 1
        self.seen.move_to_end("first")
        self.seen[len(self.seen)] = 1
        return x + self.entries[0]["sum"]


@dataclasses.dataclass
class Statistics:
    mean: torch.Tensor
    count: int = 0


class Slotted:
    __slots__ = ("total",)

    def __init__(self):
        self.total = torch.zeros(2)


class InObjects(nn.Module):
    def __init__(self):
        super().__init__()
        self.statistics, self.slotted = Statistics(torch.zeros(2)), Slotted()
        self.space = types.SimpleNamespace(calls=0)
        self.array = np.zeros(2)

    def forward(self, x):
        self.statistics.mean.lerp_(x, 0.5)
        self.statistics.count += 1
        self.slotted.total = self.slotted.total + x
        self.space.calls += 1
        self.array += 1
        return x + self.statistics.mean


class Teacher(nn.Module):
    def __init__(self):
        super().__init__()
        self.student = nn.Linear(2, 2)
        # A list hides the teacher from the module's parameters.
        self.teacher = [copy.deepcopy(self.student)]

    def forward(self, x):
        with torch.no_grad():
            for slow, fast in zip(self.teacher[0].parameters(), self.student.parameters(), strict=True):
                slow.lerp_(fast + 1, 0.1)
        return self.teacher[0](x)


class Counter:
    calls = 0
    sums = torch.zeros(2)


def class_attributes(x):
    Counter.calls += 1
    Counter.sums += x
    return x + Counter.sums


total, calls = torch.zeros(2), 0


def global_names(x):
    global total, calls
    total = total + x
    calls += 1
    return x + total


def helper(x):
    total.add_(1)
    return x + total


def called_by_a_function(x):
    return helper(x) * 2


def by_default(x, kept=torch.zeros(2), *, more=[0]):  # noqa: B006, B008
    more[0] += 1
    return x + kept.add_(1)


def in_a_closure():
    last, count = torch.zeros(2), 0

    def function(x):
        nonlocal last, count
        last, count = last + x, count + 1
        return last

    return function


class Bound:
    def __init__(self):
        self.sum = torch.zeros(2)

    def method(self, x):
        self.sum += x
        return self.sum * 2


def in_a_wrapped_function():
    return torch.no_grad()(functools.wraps(by_default)(in_a_closure()))


def in_a_partial():
    state = torch.zeros(2)
    return functools.partial(lambda kept, x: kept.add_(x) * 2, state)


PROGRAMS = {
    "a view": ThroughAView,
    "data": ThroughData,
    "detach": ThroughDetach,
    "an array": ThroughNumPy,
    "another memory": AnotherMemory,
    "an attribute": InAnAttribute,
    "containers": InContainers,
    "objects": InObjects,
    "a teacher": Teacher,
    "a class": lambda: class_attributes,
    "globals": lambda: global_names,
    "a function that is called": lambda: called_by_a_function,
    "a default": lambda: by_default,
    "a closure": in_a_closure,
    "a bound object": lambda: Bound().method,
    "a wrapped function": in_a_wrapped_function,
    "a partial": in_a_partial,
}


def plain(item, seen=None):
    """All that an object holds, as plain data."""
    seen = {} if seen is None else seen
    if id(item) in seen:
        return "again"
    seen[id(item)] = item
    if isinstance(item, torch.Tensor):
        return ("tensor", item.detach().tolist(), item.requires_grad, None if item.grad is None else item.grad.tolist())
    if isinstance(item, np.ndarray):
        return item.tolist()
    if isinstance(item, dict):
        return [(str(key), plain(value, seen)) for key, value in item.items()]
    if isinstance(item, (list, tuple, collections.deque)):
        return [plain(value, seen) for value in item]
    if isinstance(item, functools.partial):
        return plain(item.args, seen)
    if isinstance(item, types.MethodType):
        return plain(item.__self__, seen)
    if isinstance(item, types.FunctionType):
        cells = [cell.cell_contents for cell in item.__closure__ or ()]
        return plain([cells, item.__defaults__, item.__kwdefaults__], seen)
    if isinstance(item, Slotted):
        return plain(item.total, seen)
    return plain(vars(item), seen) if hasattr(item, "__dict__") else repr(item)


def everything(program):
    return plain([program, total, calls, Counter.calls, Counter.sums])


@pytest.fixture
def fresh():
    """Globals as they were before the test."""
    global total, calls

    def reset():
        global total, calls
        torch.manual_seed(0)
        total, calls = torch.zeros(2), 0
        Counter.calls, Counter.sums = 0, torch.zeros(2)
        by_default.__defaults__[0].zero_()
        by_default.__kwdefaults__["more"][0] = 0

    reset()
    yield reset
    reset()


@pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)
def test_a_trace_with_its_check_leaves_state_as_one_call_leaves_it(make, fresh):
    program, x = make(), torch.ones(2)
    before = everything(program)
    program(x)
    once = everything(program)
    assert once != before
    fresh()
    program = make()
    # What the check finds wrong is told; the state is as if it had found nothing.
    with contextlib.suppress(tracelab.TracelabError):
        tracelab.trace(program, x)
    assert everything(program) == once


@pytest.mark.parametrize("make", PROGRAMS.values(), ids=PROGRAMS)
def test_a_check_leaves_state_as_it_was(make, fresh):
    program = make()
    traced = tracelab.trace(program, torch.ones(2), check_trace=False)
    before = everything(program)
    traced.check(max_examples=4, progress=False)
    traced.check([torch.zeros(2), torch.ones(2)])
    traced.check(torch.full((2,), float(n)) for n in range(2))
    assert everything(program) == before


def test_no_code_of_the_users_runs_to_find_what_is_reachable():
    class Touchy:
        armed = False

        def __getattribute__(self, name):
            assert not Touchy.armed, f"{name} was read"
            return object.__getattribute__(self, name)

        def __len__(self):
            raise AssertionError("its length was asked")

        def __eq__(self, other):
            raise AssertionError("it was compared")

        __hash__ = None

    touchy = Touchy()
    touchy.state = torch.zeros(2)
    state = touchy.state
    holder = [touchy]
    Touchy.armed = True
    with isolated([lambda: holder]):
        state.add_(1)
    Touchy.armed = False
    assert state.tolist() == [0, 0]


def test_the_generator_of_the_system_has_no_state_to_keep():
    system = random.SystemRandom()

    def code(x):
        return x + isinstance(system, random.Random)

    assert tracelab.trace(code, torch.ones(2))(torch.zeros(2)).tolist() == [1, 1]


def test_context_variables_are_as_one_call_leaves_them():
    level: ContextVar[int] = ContextVar("level")
    depth: ContextVar[int] = ContextVar("depth", default=7)

    def code(x):
        level.set(level.get() + 1)
        depth.set(depth.get() * 2)
        return x * 2

    level.set(0)
    traced = tracelab.trace(code, torch.ones(2))
    assert (level.get(), depth.get()) == (1, 14)
    traced.check()
    assert (level.get(), depth.get()) == (1, 14)


def test_a_context_variable_that_only_a_check_set_is_as_by_default():
    depth: ContextVar[int] = ContextVar("depth", default=7)
    with isolated([]):
        depth.set(3)
    assert depth.get() == 7
