"""What a trace holds is freed with it, by one collection of garbage."""

from __future__ import annotations

import copy
import gc
import pickle
import weakref

import pytest
import torch
from torch import nn

import tracelab

x = torch.randn(3, 4)

LOOKS = {
    "trace": lambda traced: traced,
    "call": lambda traced: traced(x),
    "run": lambda traced: traced.run(x, statistics=True),
    "shapes": lambda traced: traced.shapes(),
    "profile": lambda traced: traced.profile(x),
    "check": lambda traced: traced.check([(x,)], progress=False),
    "estimate": lambda traced: traced.estimate(),
    "compare": lambda traced: tracelab.compare(traced, traced, x),
    "export": lambda traced: traced.export(),
    "copy": lambda traced: (traced.run(x), copy.deepcopy(traced).run(x)),
}


@pytest.mark.parametrize("look", LOOKS)
def test_the_model_of_a_trace_that_is_gone_is_freed(look):
    def looked():
        model = nn.Linear(4, 4)
        LOOKS[look](tracelab.trace(model, x))
        return weakref.ref(model.weight)

    weight = looked()
    gc.collect()
    assert weight() is None


def test_a_copy_works_its_own_things_out():
    traced = tracelab.trace(nn.Linear(4, 4), x)
    traced.run(x)
    copied = copy.deepcopy(traced)
    with torch.no_grad():
        copied.weight.zero_()
    torch.testing.assert_close(copied.run(x).outputs, copied(x))
    torch.testing.assert_close(traced.run(x).outputs, traced(x))


def test_a_pickle_of_a_trace_that_ran_is_that_of_one_that_did_not():
    traced = tracelab.trace(lambda x: x + 1, x)
    fresh = pickle.dumps(traced)
    traced.run(x)
    traced.shapes()
    ran = pickle.loads(pickle.dumps(traced))
    torch.testing.assert_close(ran.run(x).outputs, pickle.loads(fresh).run(x).outputs)
