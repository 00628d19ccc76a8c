"""What an object of an installed package keeps is told where the code reads it before it sets it, and only there."""

from __future__ import annotations

import importlib
import sys
import warnings

import pytest
import torch

import tracelab
from tracelab import AssumptionWarning
from tracelab.capture.patches.table import patched

PACKAGE = '''
import torch


class Scheduler:
    def __init__(self):
        self._step, self.timesteps, self.outputs, self.made = None, torch.arange(3), [None], 0

    def set_timesteps(self, count):
        self.timesteps = torch.arange(count, 0, -1)
        self._step = None
        self.outputs = [None] * count

    def step(self, x):
        if self._step is None:
            self._step = 0
        x = x * float(self.timesteps[self._step])
        self._step += 1
        return x

    def count(self, x):
        self.made += 1
        return x * 2

    def push(self, x):
        before, self.outputs = self.outputs[-1], [*self.outputs, x]
        return x if before is None else x + before


class Cached(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.table = None

    def forward(self, x, y):
        if self.table is None:
            self.table = y * 2
        return x + self.table


class Fresh(torch.nn.Module):
    """Sets what it reads, as augmentations do with what they draw."""

    def __init__(self):
        super().__init__()
        self.parameters_of_call = {}

    def forward(self, x):
        self.parameters_of_call = {"scale": x.sum()}
        return self.scaled(x)

    def scaled(self, x):
        return x * self.parameters_of_call["scale"]


class Anew(torch.nn.Module):
    def forward(self, x):
        if not hasattr(self, "first"):
            self.first = True
            return x * 5
        return x


class Again(torch.nn.Module):
    """Sets a list of the same tensors again."""

    def __init__(self):
        super().__init__()
        self.anchors = [torch.ones(2), torch.ones(2) * 2]

    def forward(self, x):
        self.anchors = [anchor for anchor in self.anchors]
        return x + self.anchors[1]
'''


@pytest.fixture(scope="module")
def package(tmp_path_factory):
    folder = tmp_path_factory.mktemp("environment") / "site-packages"
    folder.mkdir()
    (folder / "keeps_state.py").write_text(PACKAGE)
    sys.path.insert(0, str(folder))
    try:
        yield importlib.import_module("keeps_state")
    finally:
        sys.path.remove(str(folder))
        del sys.modules["keeps_state"]


def told(function, *calls):
    """What calls are told after a trace of the first, and what they give."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(function, calls[0], check_trace=False)
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        results = [traced(*call) for call in calls]
    return [str(item.message) for item in found if item.category is AssumptionWarning], results


X = torch.ones(2)


def test_a_step_that_a_scheduler_has_come_to_is_told(package):
    scheduler = package.Scheduler()
    scheduler.set_timesteps(3)
    sentences, _ = told(lambda x: scheduler.step(x), (X,))
    assert sentences[0].startswith("scheduler._step was None when <lambda> was traced and is 1 at this call")


def test_a_loop_that_begins_anew_is_not_told(package):
    scheduler = package.Scheduler()

    def loop(x):
        scheduler.set_timesteps(3)
        for _ in range(3):
            x = scheduler.step(x)
        return x

    assert told(loop, (X,), (X * 2,))[0] == []


def test_what_the_last_call_left_is_told(package):
    scheduler = package.Scheduler()
    sentences, _ = told(lambda x: scheduler.push(x), (X,))
    assert "scheduler.outputs was a list of 1" in sentences[0]


def test_what_is_only_counted_is_not_told(package):
    scheduler = package.Scheduler()
    assert told(lambda x: scheduler.count(x), (X,), (X,))[0] == []


def test_a_cache_that_the_first_call_fills_is_told(package):
    sentences, _ = told(package.Cached(), (X, X), (X, X * 2))
    assert sentences[0].startswith("Cached.table was None when Cached.forward was traced")


def test_what_each_call_sets_before_it_reads_it_is_not_told(package):
    sentences, results = told(package.Fresh(), (X,), (X * 3,))
    assert sentences == []
    assert torch.equal(results[1], torch.full((2,), 18.0))


def test_an_attribute_that_the_first_call_adds_is_told(package):
    sentences, _ = told(package.Anew(), (X,))
    assert sentences[0].startswith("Anew.first was absent when Anew.forward was traced and is True at this call")


def test_a_list_of_the_same_tensors_that_is_set_again_is_not_told(package):
    assert told(package.Again(), (X,), (X * 2,))[0] == []


class Own(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.drawn, self.last = None, None

    def forward(self, x):
        self.drawn = x.sum()
        return x * self.drawn


class OwnLast(Own):
    def forward(self, x):
        last, self.last = self.last, x
        return x if last is None else x + last


def test_what_an_own_class_sets_first_is_not_told():
    assert told(Own(), (X,), (X * 3,))[0] == []


def test_what_an_own_class_reads_first_is_told():
    assert "OwnLast.last was None" in told(OwnLast(), (X,))[0][0]


def test_a_class_is_as_it_was_after_a_recording():
    module = Own()
    names = set(vars(Own))
    told(module, (X,))
    assert set(vars(Own)) == names
    assert not any("Own." in label for label in patched.verify())


class Asks(Own):
    def forward(self, x):
        assert not hasattr(self, "missing")
        assert getattr(self, "missing", 3) == 3
        self.missing = x
        del self.missing
        try:
            return self.missing
        except AttributeError as error:
            return x * len(str(error))


def test_attributes_are_read_set_and_deleted_as_python_does():
    module = Asks()
    assert torch.equal(tracelab.trace(module, X, check_trace=False)(X), module(X))
    assert not hasattr(module, "missing")
