"""What is said where an assumption does not hold."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor

import tracelab
from tracelab.graph.assumptions import Assumption, AssumptionKind, Words
from tracelab.graph.text.violations import difference, may_be_wrong, none_fits, too_many


def state(subject: str, constant: Any) -> Assumption:
    return Assumption(AssumptionKind.STATE, subject, constant)


def test_a_value():
    item = Assumption(AssumptionKind.MODE, "torch.is_grad_enabled()", True)
    assert (
        difference(item, False, "f") == "torch.is_grad_enabled() was True when f was traced and is False at this call"
    )


def test_a_device():
    item = Assumption(AssumptionKind.DEVICE, "x.device", torch.device("cpu"))
    assert difference(item, torch.device("meta"), "f") == "x.device was cpu when f was traced and is meta at this call"


def test_random_numbers():
    item = Assumption(AssumptionKind.RANDOM, "what the code drew from `random`", "these numbers")
    expected = "the code drew from `random` numbers when f was traced, and draws others at this call"
    assert difference(item, "another draw", "f") == expected


def test_the_argument_itself():
    item = Assumption(AssumptionKind.IDENTITY, "whether `to` gives back its argument itself", True)
    expected = "`to` gave back its argument itself when f was traced and makes another tensor at this call"
    assert difference(item, False, "f") == expected


def test_a_dict_that_looks_the_same():
    item = state("g", Words("a dict of 1"))
    expected = "g was a dict of 1 when f was traced and is a dict of 1 with other contents at this call"
    assert difference(item, Words("another dict of 1"), "f") == expected


def test_a_dict_of_another_size():
    item = state("g", Words("a dict of 1"))
    assert difference(item, Words("another dict of 2"), "f").endswith("and is another dict of 2 at this call")


def test_another_tensor():
    item = state("self.h", Words("the tensor that it was"))
    expected = "self.h was one tensor when f was traced and is another at this call"
    assert difference(item, Words("another tensor"), "f") == expected


@pytest.mark.parametrize(
    ("kind", "way"),
    [
        (AssumptionKind.BRANCH, 'trace again on such an input, or with on_violation="retrace"'),
        (AssumptionKind.STATE, "the code keeps state that the trace does not follow: pass it in and return it"),
        (AssumptionKind.MODE, "trace again in that mode"),
        (AssumptionKind.TRAINING, "trace again in that mode"),
        (AssumptionKind.GRAD, "trace again where that is so"),
        (AssumptionKind.RANDOM, "draw with torch, seed in the traced code, or pass the numbers in as an input"),
        (AssumptionKind.UNSEEN, "make it with torch in the traced code itself"),
    ],
)
def test_the_way_out(kind: AssumptionKind, way: str):
    assert may_be_wrong(Assumption(kind, "it", 1)).startswith(f", so that the trace may be wrong for it: {way}")


def test_of_one_recording_its_sentence():
    assert none_fits([("x.dim() was 1 when f was traced and is 2", state("x.dim()", 1))]).endswith("and is 2")


def test_of_several_recordings_what_each_differs_in():
    missed = [("…", state("n", number)) for number in range(5)]
    assert none_fits(missed) == "recording 1: n was 0; recording 2: n was 1; recording 3: n was 2; and 2 more"


def test_what_keeps_changing_is_told_with_its_values():
    told = too_many([("…", state("n", 0)), ("…", state("n", 1)), ("…", state("m", 1))])
    assert told.startswith(
        "there are 3 recordings (max_traces), and none fits this call: `n` keeps changing: it was 0 and 1 in them"
    )


def test_one_recording_is_singular():
    told = too_many([("…", state("n", 0))])
    assert told.startswith("there is 1 recording (max_traces), and it does not fit this call: `n` keeps changing")


def test_arguments_that_keep_changing():
    assert "its arguments keep changing (f takes 1 argument)" in too_many([("f takes 1 argument", None)])


def test_a_value_is_called_as_the_user_calls_it():
    def doubled(x: Tensor) -> Tensor:
        x = x * 2
        x.mul_(2)
        return x.add_(1).sin() if x.add_(1).dtype == torch.float32 else x

    traced = tracelab.trace(doubled, torch.ones(2))
    assert {item.about for item in traced.assumptions} == {"x.dtype"}


def test_a_device_is_its_name():
    traced = tracelab.trace(lambda x: torch.ones(2, device=str(x.device)) + x, torch.ones(2))
    assert repr(traced.assumptions).splitlines()[2].split()[:3] == ["device", "x.device", "cpu"]


def test_a_condition_without_a_comparison_is_called_by_itself_and_not_by_its_statement():
    def odd(x: Tensor) -> Tensor:
        if not x.shape[0] % 2:
            return x * 2
        return x + 1

    traced = tracelab.trace(odd, torch.ones(4), on_violation="retrace")
    traced(torch.ones(3))
    branch = next(item for item in traced.assumptions if item.kind is AssumptionKind.BRANCH)
    assert branch.about == "x.shape[0] % 2"
    assert [case.label for case in traced.cases] == ["not x.shape[0] % 2", "x.shape[0] % 2"]


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
def test_what_torch_s_own_module_read_is_named_where_no_line_is_the_user_s():
    traced = tracelab.trace(torch.nn.BatchNorm1d(4, momentum=None), torch.randn(3, 4))
    with pytest.warns(
        tracelab.AssumptionWarning,
        match=r"float\(self\.num_batches_tracked\) in torch's `_BatchNorm\.forward` was 1\.0 when .* and is 2\.0 at",
    ):
        traced(torch.randn(3, 4))
