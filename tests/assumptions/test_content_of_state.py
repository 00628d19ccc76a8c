"""What the code reads out of tensors that were there before: a buffer, a global, a closure's."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionWarning

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
FOUND = torch.zeros(1)


class Queue(nn.Module):
    """As in contrastive learning: a pointer is a number, and moves on."""

    def __init__(self):
        super().__init__()
        self.register_buffer("queue", torch.zeros(8))
        self.register_buffer("pointer", torch.zeros(1, dtype=torch.long))

    def forward(self, x):
        at = int(self.pointer)
        self.queue[at : at + x.shape[0]] = x
        self.pointer[0] = (at + x.shape[0]) % 8
        return self.queue.clone()


class Begun(nn.Module):
    """Made ready by the first batch."""

    def __init__(self):
        super().__init__()
        self.register_buffer("begun", torch.tensor(False))

    def forward(self, x):
        if not self.begun:
            self.begun.fill_(True)
            return x * 5
        return x


@pytest.mark.parametrize("make", [Queue, Begun])
def test_a_buffer_that_the_call_changes_is_told_at_the_next(make):
    traced = tracelab.trace(make(), torch.ones(2), check_trace=False)
    with pytest.warns(AssumptionWarning, match=r"\(self\.pointer\)|self\.begun"):
        traced(torch.ones(2))


@pytest.mark.parametrize("make", [Queue, Begun])
def test_retrace_follows_it(make):
    module = make()
    plain = copy.deepcopy(module)
    traced = tracelab.trace(module, torch.ones(2), check_trace=False, on_violation="retrace")
    plain(torch.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        for value in (2.0, 3.0, 4.0):
            x = torch.full((2,), value)
            assert torch.equal(traced(x), plain(x))


READS = [
    lambda x: x * int(FOUND),
    lambda x: x * float(FOUND),
    lambda x: x * FOUND.tolist()[0],
    lambda x: x * float(FOUND.numpy()[0]),
    lambda x: x * 2 if FOUND else x,
]


@pytest.mark.parametrize("function", READS)
def test_a_global_that_has_another_value_is_told(function):
    FOUND.zero_()
    traced = tracelab.trace(function, torch.ones(2))
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        traced(torch.ones(3))
    FOUND.fill_(3)
    with pytest.warns(AssumptionWarning, match="FOUND"):
        traced(torch.ones(2))


def test_a_tensor_that_the_code_makes_is_no_state():
    traced = tracelab.trace(lambda x: x * int(torch.tensor(3)), torch.ones(2))
    assert [item.about for item in traced.assumptions] == ["torch.get_default_device()"]


def test_a_file_keeps_it(tmp_path):
    FOUND.zero_()
    tracelab.trace(READS[0], torch.ones(2)).save(tmp_path / "read.tlab")
    loaded = tracelab.load(tmp_path / "read.tlab")
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        assert torch.equal(loaded(torch.ones(3)), torch.zeros(3))
