"""`on_violation="retrace"`: a call that fits no recording makes another one."""

from __future__ import annotations

import copy
import io
import threading
import time
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
import torch.utils.checkpoint
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import tracelab


@pytest.fixture(autouse=True)
def nothing_is_told() -> Iterator[None]:
    """A warning about an assumption, or about what Python read while tracing, is an error."""
    with warnings.catch_warnings():
        warnings.simplefilter("error", tracelab.AssumptionWarning)
        warnings.simplefilter("error", tracelab.TracerWarning)
        yield


def retraced(function: Callable[..., Any], *inputs: Any, **options: Any) -> Any:
    return tracelab.trace(function, inputs, on_violation="retrace", **options)


def by_rows(x: Tensor) -> Tensor:
    return x.sum(0) if x.shape[0] > 2 else x + 1


def test_another_branch_is_another_recording():
    traced = retraced(by_rows, torch.ones(1, 3))
    assert torch.equal(traced(torch.ones(4, 3)), torch.full((3,), 4.0))
    assert [case.label for case in traced.cases] == ["x.shape[0] <= 2", "x.shape[0] > 2"]


def test_a_recording_that_fits_is_taken_again():
    traced = retraced(by_rows, torch.ones(1, 3))
    for rows in (4, 2, 5, 1, 6):
        assert torch.equal(traced(torch.ones(rows, 3)), by_rows(torch.ones(rows, 3)))
    assert len(traced.cases) == 2


def test_each_recording_is_a_traced_object():
    traced = retraced(by_rows, torch.ones(1, 3))
    traced(torch.ones(4, 3))
    assert [node.kind for case in traced.cases for node in case.graph.nodes] == ["aten::add", "aten::sum"]
    assert traced.cases[1].run(torch.ones(3, 2)).outputs.tolist() == [3.0, 3.0]


def test_an_optional_argument_may_be_given_later():
    def masked(x: Tensor, mask: Tensor | None = None) -> Tensor:
        return x if mask is None else x * mask

    traced = retraced(masked, torch.ones(2))
    assert traced(torch.ones(2), torch.zeros(2)).tolist() == [0.0, 0.0]
    assert traced(torch.ones(2), mask=torch.zeros(2)).tolist() == [0.0, 0.0]
    assert traced(torch.ones(2)).tolist() == [1.0, 1.0]
    assert [case.label for case in traced.cases] == ["no mask", "mask given"]


def test_another_dtype_is_named_alone():
    def scaled(x: Tensor) -> Tensor:
        return x / 255 if x.dtype == torch.uint8 else x

    traced = retraced(scaled, torch.ones(2))
    assert traced(torch.tensor([255], dtype=torch.uint8)).tolist() == [1.0]
    assert [case.label for case in traced.cases] == ["float32", "uint8"]


def test_another_number_of_dimensions():
    def pooled(x: Tensor) -> Tensor:
        return x.mean(dim=tuple(range(1, x.dim())))

    traced = retraced(pooled, torch.ones(2, 3))
    images = torch.rand(2, 3, 4, 4)
    assert torch.equal(traced(images), pooled(images))


def test_train_and_eval_are_recordings():
    torch.manual_seed(0)
    net = nn.Sequential(nn.Linear(3, 3), nn.Dropout(0.5), nn.BatchNorm1d(3))
    traced, plain = retraced(net, torch.ones(4, 3), check_trace=False), copy.deepcopy(net)
    for mode in (False, True, False, True):
        traced.train(mode)
        plain.train(mode)
        x = torch.randn(5, 3)
        torch.manual_seed(1)
        mine = traced(x)
        torch.manual_seed(1)
        assert torch.allclose(mine, plain(x))
    assert [case.label for case in traced.cases] == ["training", "evaluation"]
    assert all(torch.equal(a, b) for a, b in zip(traced.buffers(), plain.buffers(), strict=True))


class Counting(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.layer = nn.Linear(2, 2)
        self.first = True
        self.register_buffer("steps", torch.zeros(()))

    def forward(self, x: Tensor) -> Tensor:
        self.steps = self.steps + 1
        if self.first:
            self.first = False
            return self.layer(x)
        return self.layer(x) * self.steps


def test_what_the_first_call_does_is_done_once():
    net = Counting()
    plain = copy.deepcopy(net)
    traced = retraced(net, torch.ones(1, 2), check_trace=False)
    plain(torch.ones(1, 2))
    for _ in range(4):
        x = torch.randn(3, 2)
        assert torch.equal(traced(x), plain(x))
    assert len(traced.cases) == 2
    assert traced.steps == plain.steps


def test_gradients_of_a_call_that_records_are_those_of_python():
    net = nn.Linear(3, 1)
    traced = retraced(lambda x: net(x).sum() if x.shape[0] > 1 else net(x).prod(), torch.ones(1, 3))
    x = torch.randn(4, 3, requires_grad=True)
    traced(x).backward()
    assert torch.equal(x.grad, net.weight.expand(4, 3))
    assert torch.equal(net.weight.grad, x.detach().sum(0, keepdim=True))


def test_a_written_argument_is_written_once():
    def grow(x: Tensor) -> Tensor:
        x += 1 if x.shape[0] > 2 else 2
        return x

    traced = retraced(grow, torch.zeros(1))
    for _ in range(2):
        x = torch.zeros(3)
        traced(x)
        assert x.tolist() == [1.0, 1.0, 1.0]


def test_what_a_recording_wrote_before_it_did_not_fit_is_undone():
    class Late(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x: Tensor) -> Tensor:
            self.seen += x.sum()
            noise = torch.rand_like(x)
            return x + noise if self.seen > 10 else x - noise

    net = Late()
    plain = copy.deepcopy(net)
    traced = retraced(net, torch.ones(2), check_trace=False)
    plain(torch.ones(2))
    for size in (1.0, 20.0, 1.0, -40.0, 3.0):
        x = torch.full((2,), size)
        torch.manual_seed(0)
        mine = traced(x)
        torch.manual_seed(0)
        assert torch.equal(mine, plain(x))
        assert torch.equal(traced.seen, plain.seen)
    assert len(traced.cases) == 2


def test_the_modules_are_as_after_one_call():
    net = Counting()
    traced = retraced(net, torch.ones(1, 2), check_trace=False)
    parameters, buffers = net._parameters, net._buffers
    traced(torch.ones(2, 2))
    assert net._parameters is parameters
    assert net._buffers is buffers
    assert net.training


def test_a_moved_module_records_where_it_is():
    traced = retraced(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.ones(1, 2), check_trace=False)
    traced.double().eval()
    assert traced(torch.ones(3, 2, dtype=torch.float64)).dtype is torch.float64
    assert traced.cases[1].label == "float64"


def test_random_numbers_are_those_of_one_call():
    def noisy(x: Tensor) -> Tensor:
        return x + torch.rand_like(x) if x.shape[0] > 1 else x

    traced = retraced(noisy, torch.ones(1))
    torch.manual_seed(3)
    mine, after = traced(torch.ones(2)), torch.rand(1)
    torch.manual_seed(3)
    assert torch.equal(mine, noisy(torch.ones(2)))
    assert torch.equal(after, torch.rand(1))


def test_beyond_the_most_recordings_python_runs_and_what_changes_is_named():
    def specialized(x: Tensor) -> Tensor:
        return x * len(range(x.shape[0]))

    traced = retraced(specialized, torch.ones(1), max_traces=3)
    for rows in (2, 3):
        assert torch.equal(traced(torch.ones(rows)), specialized(torch.ones(rows)))
    with pytest.warns(tracelab.AssumptionWarning) as told:
        assert torch.equal(traced(torch.ones(4)), specialized(torch.ones(4)))
    assert len(traced.cases) == 3
    assert "there are 3 recordings (max_traces), and none fits this call" in str(told[0].message)
    assert "keeps changing" in str(told[0].message)
    assert told[0].filename == __file__


def test_a_recording_that_fails_leaves_the_others():
    def picky(x: Tensor) -> Tensor:
        return {1: x + 1}[x.dim()] if x.dim() < 3 else x

    traced = retraced(picky, torch.ones(2))
    with pytest.raises(KeyError, match="2"):
        traced(torch.ones(2, 2))
    assert len(traced.cases) == 1
    assert traced(torch.ones(3)).tolist() == [2.0, 2.0, 2.0]


def test_a_shallow_copy_has_the_recordings_and_makes_no_other():
    traced = retraced(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.ones(1, 2), check_trace=False)
    traced.eval()
    traced(torch.ones(1, 2))
    twin = copy.copy(traced)
    assert torch.equal(twin(torch.ones(1, 2)), traced(torch.ones(1, 2)))
    assert [case.label for case in twin.cases] == ["training", "evaluation"]
    with pytest.raises(tracelab.TracelabError, match="there is no Python function to record another"):
        twin(torch.ones(1, 2), torch.ones(1))


def test_a_deep_copy_has_the_recordings_and_makes_others_of_a_module_of_its_own():
    traced = retraced(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.ones(1, 2), check_trace=False)
    twin = copy.deepcopy(traced)
    twin.eval()
    result = twin(torch.ones(1, 2))
    assert [case.label for case in twin.cases] == ["training", "evaluation"]
    assert len(traced.cases) == 1
    assert torch.equal(result, twin(torch.ones(1, 2)))


def test_a_deep_copy_has_parameters_of_its_own_in_every_recording():
    traced = retraced(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.ones(1, 2), check_trace=False)
    traced.eval()
    traced(torch.ones(1, 2))
    twin = copy.deepcopy(traced)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert twin(torch.ones(1, 2)).tolist() == [[0.0, 0.0]]
    assert traced(torch.ones(1, 2)).any()


def saved(traced: Any) -> Any:
    file = io.BytesIO()
    tracelab.save(traced, file)
    again = io.BytesIO()
    tracelab.save(traced, again)
    assert file.getvalue() == again.getvalue()
    return tracelab.load(io.BytesIO(file.getvalue()))


def test_a_file_holds_every_recording():
    traced = retraced(by_rows, torch.ones(1, 3))
    traced(torch.ones(4, 3))
    loaded = saved(traced)
    assert loaded.on_violation == "retrace"
    assert [case.label for case in loaded.cases] == ["x.shape[0] <= 2", "x.shape[0] > 2"]
    for rows in (1, 5):
        assert torch.equal(loaded(torch.ones(rows, 3)), by_rows(torch.ones(rows, 3)))


def test_a_file_holds_every_recording_of_a_module_and_each_parameter_once():
    traced = retraced(nn.Sequential(nn.Linear(2, 2), nn.Dropout()), torch.ones(1, 2), check_trace=False)
    traced.eval()
    expected = traced(torch.ones(1, 2))
    loaded = saved(traced)
    assert torch.equal(loaded(torch.ones(1, 2)), expected)
    with torch.no_grad():
        loaded.get_parameter("0.weight").zero_()
        loaded.get_parameter("0.bias").fill_(3)
    assert loaded(torch.ones(1, 2)).tolist() == [[3.0, 3.0]]
    assert loaded.train()(torch.ones(1, 2)).max() in (0.0, 6.0)


def test_a_file_makes_no_recording():
    loaded = saved(retraced(by_rows, torch.ones(1, 3)))
    with pytest.warns(tracelab.AssumptionWarning):
        loaded(torch.ones(4, 3))
    loaded.on_violation = "retrace"
    with pytest.raises(tracelab.AssumptionError, match=r"no recording fits this call \(x.shape\[0\] > 2 was False"):
        loaded(torch.ones(4, 3))


def test_the_number_of_recordings_is_a_whole_number():
    with pytest.raises(tracelab.InputError, match="max_traces=0 is no number of recordings"):
        retraced(by_rows, torch.ones(1, 3), max_traces=0)


def test_each_method_has_its_own_recordings():
    class Two(nn.Module):
        def forward(self, x: Tensor) -> Tensor:
            return by_rows(x)

        def encode(self, x: Tensor) -> Tensor:
            return by_rows(x) * 2

    traced = tracelab.trace_module(
        Two(), {"forward": torch.ones(1, 2), "encode": torch.ones(1, 2)}, on_violation="retrace"
    )
    assert torch.equal(traced.encode(torch.ones(4, 2)), torch.full((2,), 8.0))
    assert torch.equal(traced(torch.ones(1, 2)), torch.full((1, 2), 2.0))
    assert len(traced.cases) == 1


def chosen(x: Tensor, mask: Tensor | None) -> Tensor:
    """A program that asks for many things."""
    if mask is not None:
        x = x * mask.reshape(-1)[0]
    if x.dtype in (torch.int64, torch.uint8):
        x = x.float() / 2
    if x.dim() == 1:
        x = x[None]
    parts = [row.sum() for row in x] if x.shape[0] < 3 else [x.sum(), x.mean()]
    return torch.stack(parts) if x.sum() > 0 else -torch.stack(parts)


@settings(max_examples=12, deadline=None)
@given(
    calls=st.lists(
        st.tuples(
            st.lists(st.integers(1, 4), min_size=1, max_size=3),
            st.sampled_from([torch.float32, torch.float64, torch.int64, torch.uint8]),
            st.booleans(),
            st.booleans(),
        ),
        min_size=2,
        max_size=12,
    )
)
def test_every_call_is_right(calls: list[tuple[list[int], torch.dtype, bool, bool]]):
    def inputs(shape: list[int], dtype: torch.dtype, masked: bool, negative: bool) -> tuple[Tensor, Tensor | None]:
        x = torch.arange(1, 1 + torch.Size(shape).numel()).reshape(shape).to(dtype)
        return (-x if negative and dtype is not torch.uint8 else x), (torch.full((1,), 2).to(dtype) if masked else None)

    traced = retraced(chosen, *inputs(*calls[0]), max_traces=100)
    for call in calls:
        mine, plain = traced(*inputs(*call)), chosen(*inputs(*call))
        assert mine.dtype is plain.dtype
        assert torch.equal(mine, plain)


# Checks -----------------------------------------------------------------------------------------------------------


def test_a_check_looks_at_every_recording():
    traced = retraced(by_rows, torch.ones(1, 3))
    traced(torch.ones(4, 3))
    report = traced.check()
    assert report.ok
    assert report.recordings == {1: "x.shape[0] <= 2", 2: "x.shape[0] > 2"}
    assert report.tried >= 16


def test_an_input_that_fits_no_recording_is_no_error():
    report = retraced(by_rows, torch.ones(1, 3)).check()
    assert report.ok
    assert report.unrecorded > 0
    assert "more would be recorded anew" in str(report)


def test_a_given_input_is_tried_by_the_recording_that_takes_it():
    traced = retraced(by_rows, torch.ones(1, 3))
    traced(torch.ones(4, 3))
    report = traced.check([torch.ones(8, 3)])
    assert (report.ok, report.tried, report.unrecorded) == (True, 1, 0)
    assert report.recordings == {2: "x.shape[0] > 2"}


def test_given_inputs_are_spread_over_the_recordings():
    traced = retraced(by_rows, torch.ones(1, 3))
    traced(torch.ones(4, 3))
    report = traced.check(torch.ones(rows, 3) for rows in (1, 5, 2, 6))
    assert (report.ok, report.tried) == (True, 4)
    assert list(report.recordings) == [1, 2]


def test_a_given_input_that_no_recording_takes_is_no_success():
    report = retraced(by_rows, torch.ones(1, 3)).check([torch.ones(8, 3)])
    assert not report.ok
    assert report.headline == "nothing compared, no input tried, 1 would be recorded anew"


def wrong_in_its_second_recording() -> Any:
    class Counter:
        rows = 0

    def remembers(x: Tensor) -> Tensor:
        # What is behind a getter is not seen.
        return x * getattr(Counter, "rows") if x.shape[0] > 1 else x  # noqa: B009

    traced = retraced(remembers, torch.ones(1))
    traced(torch.ones(2))
    Counter.rows = 5
    return traced


def test_a_given_input_keeps_its_number():
    traced = wrong_in_its_second_recording()
    report = traced.check([torch.ones(1), torch.ones(3)])
    assert str(report.errors[0].input) == "check input 2"


def test_a_given_input_is_tried_in_the_mode_of_now():
    traced = retraced(nn.Sequential(nn.Linear(3, 3), nn.Dropout()), torch.ones(1, 3), check_trace=False)
    traced.eval()
    traced(torch.ones(1, 3))
    assert traced.check([torch.ones(2, 3)]).recordings == {2: "evaluation"}


def test_an_error_of_python_where_no_recording_fits_is_a_note():
    def picky(x: Tensor) -> Tensor:
        return {1: x + 1}[x.dim()] if x.dim() < 3 else x

    (finding,) = retraced(picky, torch.ones(2)).check([torch.ones(2, 2)]).findings
    assert not finding.is_error
    assert "no recording takes it, so that a call raises, too" in finding.message


def test_what_a_recording_leaves_to_others_is_no_lack_of_counterexamples():
    report = retraced(lambda x: x * 2 if x.sum() > 0 else x, torch.ones(3)).check()
    assert {str(item.left) for item in report.assumptions} == {"x negated"}
    assert "is True  → for another recording: x negated" in str(report)


@pytest.mark.parametrize("policy", ["warn", "raise", "ignore"])
def test_a_check_of_several_recordings_is_the_same_for_each_policy(policy: str):
    traced = retraced(by_rows, torch.ones(1, 3))
    traced(torch.ones(4, 3))
    traced.on_violation = policy
    assert traced.check().ok
    assert traced.check([torch.ones(8, 3), torch.ones(2, 3)]).tried == 2


def test_an_input_that_no_recording_takes_is_not_recorded_by_another_policy():
    def flat(x: Tensor) -> Tensor:
        return x.sum(0) if x.dim() == 1 and x.shape[0] > 2 else x.sum()

    traced = retraced(flat, torch.ones(1))
    traced(torch.ones(4))
    traced.on_violation = "raise"
    assert traced.check([torch.ones(2, 2)]).headline == "nothing compared, no input tried, 1 fit no recording"


def test_nothing_is_tried_in_0_tries():
    traced = retraced(Counting(), torch.ones(1, 2), check_trace=False)
    traced(torch.ones(1, 2))
    report = traced.check()
    assert "in 0" not in str(report)


def test_a_fact_of_several_recordings_is_said_once():
    def masked(x: Tensor, mask: Tensor | None = None) -> Tensor:
        x = x if mask is None else x * mask
        return x.sum(0) if x.shape[0] > 2 else x

    traced = retraced(masked, torch.ones(2))
    traced(torch.ones(2), torch.ones(2))
    traced(torch.ones(3))
    text = str(traced.check())
    assert text.count("x.shape[0] > 2 is False") == 1
    assert "  recordings 1 and 2\n" in text


def test_a_finding_of_every_recording_stands_once():
    traced = retraced(lambda x: x + torch.rand(3) if x.shape[0] > 1 else x - torch.rand(3), torch.ones(1))
    traced(torch.ones(3))
    (finding,) = traced.check().findings
    assert finding.message.startswith("every recording: Trace had nondeterministic nodes")


def test_recordings_are_counted_where_one_looks():
    traced = retraced(by_rows, torch.ones(1, 3))
    assert repr(traced) == "TracedFunction(by_rows, 1 node)"
    traced(torch.ones(4, 3))
    assert repr(traced) == "TracedFunction(by_rows, 1 node, 2 recordings)"
    assert repr(traced.cases[1]) == "TracedFunction(by_rows, 1 node, recording 2 of 2)"
    assert traced.summary().endswith("\nrecording 1 of 2: x.shape[0] <= 2")


def test_true_is_no_number_of_recordings():
    with pytest.raises(tracelab.InputError, match="max_traces=True is no number of recordings"):
        retraced(by_rows, torch.ones(1, 3), max_traces=True)


def test_labels_have_one_spelling():
    def spelled(x: Tensor) -> Tensor:
        return x*2 if x.shape[0]>2 else x  # fmt: skip

    traced = retraced(spelled, torch.ones(1))
    traced(torch.ones(3))
    assert [case.label for case in traced.cases] == ["x.shape[0] <= 2", "x.shape[0] > 2"]


def test_a_check_makes_no_recording():
    traced = retraced(by_rows, torch.ones(1, 3))
    traced.check()
    assert len(traced.cases) == 1


def test_a_recording_that_is_wrong_is_named():
    traced = wrong_in_its_second_recording()
    report = traced.check()
    assert not report.ok
    assert all(error.message.startswith("x.shape[0] > 1: ") for error in report.errors)


def test_each_recording_is_checked_in_its_own_mode():
    traced = retraced(nn.Sequential(nn.Linear(3, 3), nn.BatchNorm1d(3)), torch.randn(4, 3), check_trace=False)
    traced.eval()
    traced(torch.randn(4, 3))
    traced.train()
    report = traced.check()
    assert report.ok, str(report)
    assert all(module.training for module in traced.modules())


@pytest.mark.parametrize("policy", ["raise", "warn", "ignore"])
def test_under_another_policy_a_call_takes_the_recording_that_fits(policy: str):
    traced = retraced(by_rows, torch.ones(2, 3))
    three = traced(torch.ones(3, 3))
    traced.on_violation = policy
    assert torch.equal(traced(torch.ones(3, 3)), three)
    assert len(traced.cases) == 2


def test_under_raise_a_call_that_fits_none_of_several_raises():
    def ranked(x: Tensor) -> Tensor:
        return x * x.dim()

    traced = retraced(ranked, torch.ones(2))
    traced(torch.ones(2, 2))
    traced.on_violation = "raise"
    with pytest.raises(tracelab.AssumptionError, match=r"x\.dim\(\) was 1"):
        traced(torch.ones(2, 2, 2))


def test_under_warn_a_call_that_fits_none_of_several_is_told_and_runs_the_first():
    def ranked(x: Tensor) -> Tensor:
        return x * x.dim()

    traced = retraced(ranked, torch.ones(2))
    traced(torch.ones(2, 2))
    traced.on_violation = "warn"
    fits_none = r"no recording fits this call \(recording 1: x\.dim\(\) was 1; recording 2: x\.dim\(\) was 2\)"
    with pytest.warns(tracelab.AssumptionWarning, match=fits_none):
        assert torch.equal(traced(torch.ones(2, 2, 2)), torch.ones(2, 2, 2))


class Failing:
    """Fails at each third call, and counts."""

    calls = 0

    def __call__(self, x: Tensor) -> Tensor:
        self.calls += 1
        if self.calls % 3 == 0:
            raise ConnectionError
        return x * self.calls


def test_what_the_code_changed_before_it_raised_stays():
    eager, code = Failing(), Failing()
    traced = retraced(code, torch.ones(1))
    eager(torch.ones(1))
    for _ in range(7):
        outcomes = []
        for function in (eager, traced):
            try:
                outcomes.append(float(function(torch.ones(1))))
            except ConnectionError:
                outcomes.append(-1.0)
        assert outcomes[0] == outcomes[1]
        assert eager.calls == code.calls


def optional(x: Tensor, mask: Tensor | None = None) -> Tensor:
    return x * 2 if mask is None else x * mask


def test_inside_a_transform_the_python_function_runs():
    traced = retraced(optional, torch.ones(2))
    x, mask = torch.randn(4, 2), torch.randn(4, 2)
    assert torch.equal(torch.vmap(traced)(x, mask), x * mask)
    assert torch.equal(torch.vmap(traced)(x), x * 2)
    assert len(traced.cases) == 1


def test_sizes_inside_a_transform_are_those_of_one_example():
    traced = retraced(lambda x: x * 2 if x.shape[0] > 2 else x, torch.ones(2))
    assert torch.equal(torch.vmap(traced)(torch.ones(1, 3)), torch.full((1, 3), 2.0))
    assert torch.equal(torch.func.jacrev(traced)(torch.ones(3)), 2 * torch.eye(3))


def test_inside_a_checkpoint_the_same_tensors_are_saved_twice():
    module = nn.Sequential(nn.Linear(2, 2), nn.Dropout(0.5))
    traced = retraced(module, torch.ones(2, 2))
    traced.eval()
    x = torch.ones(3, 2, requires_grad=True)
    torch.utils.checkpoint.checkpoint(traced, x, use_reentrant=False).sum().backward()
    assert torch.allclose(x.grad, module[0].weight.sum(0).expand(3, 2))


def test_threads_that_call_at_once_make_one_recording():
    def slow(x: Tensor) -> Tensor:
        time.sleep(0.01)
        return x * 2 if x.dim() == 2 else x

    traced = retraced(slow, torch.ones(2))
    threads = [threading.Thread(target=traced, args=(torch.ones(2, 2),)) for _ in range(6)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(traced.cases) == 2


def test_code_with_state_is_traced_with_its_check():
    code, eager = Counting(), Counting()
    eager.load_state_dict(code.state_dict())
    traced = tracelab.trace(code, torch.ones(1, 2), on_violation="retrace")
    eager(torch.ones(1, 2))
    for _ in range(3):
        assert torch.equal(traced(torch.ones(1, 2)), eager(torch.ones(1, 2)))


def test_a_check_input_of_another_branch_is_no_error():
    traced = tracelab.trace(by_rows, torch.ones(2, 3), on_violation="retrace", check_inputs=[torch.ones(5, 3)])
    assert torch.equal(traced(torch.ones(5, 3)), by_rows(torch.ones(5, 3)))


def test_a_check_of_the_methods_of_a_module_takes_another_recording_for_no_difference():
    class Rows(nn.Module):
        def forward(self, x):
            return by_rows(x)

    inputs = [{"forward": torch.ones(5, 3)}]
    traced = tracelab.trace_module(Rows(), {"forward": torch.ones(2, 3)}, on_violation="retrace", check_inputs=inputs)
    assert torch.equal(traced.forward(torch.ones(5, 3)), by_rows(torch.ones(5, 3)))


def test_another_recording_leaves_the_state_of_a_thread_s_own_variables():
    own = threading.local()
    own.calls = 0

    def counted(x):
        own.calls += 1
        return x * own.calls

    traced = retraced(counted, torch.ones(1), check_trace=False)
    assert traced(torch.ones(1)) == 2
    assert own.calls == 2


def test_a_generator_among_the_arguments_draws_once():
    def drawn(x, generator):
        return x + torch.randn(1, generator=generator)

    traced = retraced(drawn, torch.zeros(1), torch.Generator().manual_seed(0), check_trace=False)
    mine, other = torch.Generator().manual_seed(1), torch.Generator().manual_seed(1)
    assert torch.equal(traced(torch.zeros(1), mine), drawn(torch.zeros(1), other))
    assert torch.equal(mine.get_state(), other.get_state())
