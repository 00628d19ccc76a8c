"""The mode of each module that the code asks decides what was recorded, and a call is told where one is another."""

from __future__ import annotations

import copy
import io
import warnings

import pytest
import torch
from torch import Tensor, nn

import tracelab


class Normed(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.bn = nn.BatchNorm1d(3)
        self.drop = nn.Dropout(0.5)

    def forward(self, x: Tensor) -> Tensor:
        return self.drop(self.bn(x))


class Branching(nn.Module):
    def _weight(self) -> float:
        return 2.0 if self.training else 3.0

    def forward(self, x: Tensor) -> Tensor:
        return x * self._weight()


def traced(module: nn.Module, x: Tensor, policy: str) -> tracelab.TracedModule:
    made = tracelab.trace(module, x, check_trace=False, on_violation=policy)
    assert isinstance(made, tracelab.TracedModule)
    return made


def test_one_module_in_another_mode_is_told_by_its_name():
    trace = traced(Normed(), torch.randn(4, 3), "warn")
    trace.bn.eval()
    with pytest.warns(tracelab.AssumptionWarning, match=r"Normed\.bn was in training mode .* is in evaluation mode"):
        trace(torch.randn(4, 3))


def test_a_mode_that_is_set_as_an_attribute_is_told():
    trace = traced(nn.Dropout(0.5), torch.ones(3), "warn")
    trace.training = False
    with pytest.warns(tracelab.AssumptionWarning, match="evaluation mode at this call"):
        trace(torch.ones(3))


def test_a_method_beside_forward_may_ask_for_the_mode():
    trace = traced(nn.Sequential(Branching()), torch.ones(3), "warn")
    trace.get_submodule("0").eval()
    with pytest.warns(tracelab.AssumptionWarning, match=r"Sequential\.0 was in training mode"):
        trace(torch.ones(3))


def test_statistics_stay_under_raise():
    trace = traced(Normed(), torch.randn(4, 3), "raise")
    trace.bn.eval()
    before = trace.bn.running_mean.clone()
    with pytest.raises(tracelab.AssumptionError, match="evaluation mode"):
        trace(torch.randn(4, 3) + 5)
    assert torch.equal(trace.bn.running_mean, before)


def test_one_module_in_another_mode_is_another_recording():
    trace = traced(Normed(), torch.randn(4, 3), "retrace")
    trace.bn.eval()
    before = trace.bn.running_mean.clone()
    trace(torch.randn(4, 3) + 5)
    assert torch.equal(trace.bn.running_mean, before)


@pytest.mark.parametrize("modes", [(True, False), (False, True), (False, False), (True, True)])
def test_each_mixture_of_modes_is_right(modes: tuple[bool, bool]):
    trace = traced(Normed(), torch.randn(4, 3), "retrace")
    for order in (modes, modes[::-1], (not modes[0], modes[1]), modes):
        twin = Normed()
        twin.load_state_dict(trace.state_dict())
        for module in (trace, twin):
            module.bn.train(order[0])
            module.drop.train(order[1])
        x = torch.randn(4, 3)
        torch.manual_seed(0)
        found = trace(x)
        torch.manual_seed(0)
        assert torch.equal(found, twin(x))
        assert torch.equal(trace.bn.running_mean, twin.bn.running_mean)


def test_a_recording_of_mixed_modes_is_not_one_of_evaluation():
    trace = traced(nn.Sequential(nn.Dropout(0.5)), torch.ones(64), "retrace")
    trace.eval()
    trace.get_submodule("0").train()
    trace(torch.ones(64))
    trace.eval()
    assert torch.equal(trace(torch.ones(64)), torch.ones(64))


def test_modes_in_a_file_are_asked_for():
    file = io.BytesIO()
    tracelab.save(traced(Normed(), torch.randn(4, 3), "warn"), file)
    file.seek(0)
    loaded = tracelab.load(file)
    loaded.bn.eval()
    with pytest.warns(tracelab.AssumptionWarning, match=r"Normed\.bn was in training mode"):
        loaded(torch.randn(4, 3))


def test_modules_that_a_function_runs_are_all_asked():
    first, second = nn.Dropout(0.5), nn.Dropout(0.5)
    trace = tracelab.trace(lambda x: second(first(x)), torch.ones(3), check_trace=False)
    second.eval()
    with pytest.warns(tracelab.AssumptionWarning, match="another in a module beside it"):
        trace(torch.ones(3))


def test_a_recording_is_named_by_the_modules_in_another_mode():
    trace = traced(Normed(), torch.randn(4, 3), "retrace")
    trace.bn.eval()
    trace(torch.randn(4, 3))
    trace.eval()
    trace(torch.randn(4, 3))
    assert [case.label for case in trace.cases] == ["training", "training, bn evaluation", "evaluation"]


def test_a_mode_is_looked_at_again_after_calls_that_fitted():
    trace = traced(Normed(), torch.randn(4, 3), "warn")
    told = []
    for mode in (True, True, False, False, True):
        trace.bn.train(mode)
        with warnings.catch_warnings(record=True) as found:
            warnings.simplefilter("always")
            trace(torch.randn(4, 3))
        told.append(len(found))
    assert told == [0, 0, 1, 1, 0]


def test_a_mode_of_a_part_that_two_copies_share_is_told_by_both():
    first = traced(Normed(), torch.randn(4, 3), "warn")
    second = copy.copy(first)
    for trace in (first, second):
        trace(torch.randn(4, 3))
    first.bn.eval()
    for trace in (first, second):
        with pytest.warns(tracelab.AssumptionWarning, match=r"Normed\.bn was in training mode"):
            trace(torch.randn(4, 3))
