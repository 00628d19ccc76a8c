"""Whole models: traced once, replayed on the same and on other sizes, equal to eager."""

from __future__ import annotations

import copy
import warnings

import pytest
import torch

import tracelab
from support.examples.models import HAND_WRITTEN, TRANSFORMERS
from support.replay import assert_same, copied

MODELS = {**HAND_WRITTEN, **TRANSFORMERS}


@pytest.mark.parametrize("name", MODELS)
def test_a_model_replays_on_sizes_that_it_was_not_traced_on(name):
    if name in TRANSFORMERS:
        pytest.importorskip("transformers")
    torch.manual_seed(0)
    case = MODELS[name]()
    eager = copy.deepcopy(case.model)
    with warnings.catch_warnings():
        # A branch on a size is said; here the other sizes take the same branch.
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(
            case.model, case.inputs or None, example_kwarg_inputs=case.kwargs or None, check_trace=False, strict=False
        )
    traced.load_state_dict(eager.state_dict())
    for inputs, kwargs in ((case.inputs, case.kwargs), (case.others, case.other_kwargs)):
        torch.manual_seed(1)
        wanted = eager(*copied(inputs), **copied(kwargs))
        torch.manual_seed(1)
        found = traced(*copied(inputs), **copied(kwargs))
        assert_same(found, wanted, rtol=1e-5, atol=1e-6)
    assert_same(dict(traced.named_buffers()), dict(eager.named_buffers()), rtol=1e-5, atol=1e-6)
