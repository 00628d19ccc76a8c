"""Inside of modes that look at calls, assumptions are checked as elsewhere."""

from __future__ import annotations

import warnings
from contextlib import nullcontext

import pytest
import torch
from torch.overrides import TorchFunctionMode
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils.flop_counter import FlopCounterMode

import tracelab
from tracelab import AssumptionWarning

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")


class Functions(TorchFunctionMode):
    def __torch_function__(self, function, types, args=(), kwargs=None):
        return function(*args, **(kwargs or {}))


class Operators(TorchDispatchMode):
    def __torch_dispatch__(self, operator, types, args=(), kwargs=None):
        return operator(*args, **(kwargs or {}))


MODES = {
    "none": nullcontext,
    "flops": lambda: FlopCounterMode(display=False),
    "functions": Functions,
    "operators": Operators,
    "a device": lambda: torch.device("cpu"),
}
CASES = [
    (lambda x: x * 2 if x.shape[0] > 2 else x, torch.ones(3), torch.ones(1)),
    (lambda x: x * 2 if x.sum() > 0 else x, torch.ones(3), -torch.ones(3)),
    (lambda x: x * 2 if x.requires_grad else x, torch.ones(3), torch.ones(3, requires_grad=True)),
    (lambda x: x * 2 if x.dtype == torch.float32 else x, torch.ones(3), torch.ones(3).double()),
]


@pytest.mark.parametrize("mode", MODES)
@pytest.mark.parametrize(("function", "example", "other"), CASES)
def test_what_differs_is_told_and_what_does_not_is_right(mode, function, example, other):
    traced = tracelab.trace(function, example)
    with MODES[mode](), warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(traced(example), function(example))
    with MODES[mode](), pytest.warns(AssumptionWarning):
        traced(other)


@pytest.mark.parametrize("mode", MODES)
def test_retrace_is_right_there(mode):
    function, example, other = CASES[0]
    traced = tracelab.trace(function, example, on_violation="retrace")
    with MODES[mode]():
        for x in (other, example, other):
            assert torch.equal(traced(x), function(x))


def test_flops_are_those_of_the_code():
    layer = torch.nn.Linear(4, 5)

    def applied(x):
        return layer(x) if x.shape[0] > 2 else layer(x) * 2

    traced = tracelab.trace(applied, torch.ones(3, 4))
    counts = []
    for function in (applied, traced):
        with FlopCounterMode(display=False) as flops:
            function(torch.ones(7, 4))
        counts.append(flops.get_total_flops())
    assert counts[0] == counts[1] > 0
