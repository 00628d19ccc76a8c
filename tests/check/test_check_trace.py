"""The check after each trace: it finds what the trace gets wrong and leaves everything as it was."""

from __future__ import annotations

import itertools
import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import TracelabError, TracingCheckError


def counting():
    numbers = itertools.count(1)
    return lambda x: x * next(numbers)


def test_a_function_that_returns_another_value_each_time_fails():
    with pytest.raises(TracingCheckError, match=r"Output nr 1\. of the traced function does not match"):
        tracelab.trace(counting(), torch.ones(2))


def test_the_message_says_by_how_much():
    with pytest.raises(TracingCheckError, match="Greatest absolute difference: 1"):
        tracelab.trace(counting(), torch.ones(2))


def test_the_output_that_differs_is_numbered():
    numbers = itertools.count(1)
    with pytest.raises(TracingCheckError, match=r"Output nr 2\."):
        tracelab.trace(lambda x: (x, x * next(numbers)), torch.ones(2))


def test_it_is_a_tracelab_error_and_one_sentence():
    with pytest.raises(TracelabError) as caught:
        tracelab.trace(counting(), torch.ones(2))
    assert "\n" not in str(caught.value)


def test_without_check_trace_nothing_is_compared():
    tracelab.trace(counting(), torch.ones(2), check_trace=False)


def test_check_inputs_find_a_specialized_branch():
    def branch(x):
        return x * 2 if x.sum() > 0 else -x

    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        tracelab.trace(branch, torch.ones(2), check_inputs=[torch.ones(3)])
        with pytest.raises(TracingCheckError):
            tracelab.trace(branch, torch.ones(2), check_inputs=[torch.ones(3), -torch.ones(3)])


def test_the_tolerance_is_the_caller_s():
    numbers = itertools.count(0)
    drifting = lambda x: x * (1 + 1e-3 * next(numbers))  # noqa: E731
    tracelab.trace(drifting, torch.ones(2), check_tolerance=1e-1)
    with pytest.raises(TracingCheckError):
        tracelab.trace(drifting, torch.ones(2), check_tolerance=1e-6)


def test_random_functions_pass():
    tracelab.trace(lambda x: x + torch.rand_like(x), torch.ones(4))
    tracelab.trace(nn.Dropout(0.5), torch.ones(40))


def test_not_a_number_equals_itself():
    tracelab.trace(lambda x: x / 0 * 0, torch.ones(2))


def test_a_number_that_torch_wrapped_may_differ_in_dtype():
    tracelab.trace(lambda: -10000.0 * torch.ones(1), ())


def test_modules_that_update_buffers_pass_and_keep_them():
    net = nn.BatchNorm1d(2)
    tracelab.trace(net, torch.randn(8, 2), check_trace=False)
    once = {key: value.clone() for key, value in net.state_dict().items()}
    torch.manual_seed(0)
    other = nn.BatchNorm1d(2)
    tracelab.trace(other, torch.randn(8, 2), check_trace=True)
    assert other.num_batches_tracked.item() == once["num_batches_tracked"].item()


def test_the_random_state_afterwards_is_the_same_with_and_without_the_check():
    states = []
    for check in (True, False):
        torch.manual_seed(11)
        tracelab.trace(lambda x: x + torch.rand(3), torch.ones(3), check_trace=check)
        states.append(torch.get_rng_state())
    assert torch.equal(*states)


def test_functions_that_write_into_their_input_pass_and_leave_it():
    def write(x):
        x.add_(1)
        return x * 2

    x = torch.zeros(3)
    tracelab.trace(write, x)
    assert x.tolist() == [0, 0, 0]


def test_each_method_of_a_module_is_checked():
    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.numbers = itertools.count(1)

        def forward(self, x):
            return x * 2

        def shifting(self, x):
            return x * next(self.numbers)

    with pytest.raises(TracingCheckError):
        tracelab.trace_module(Net(), {"forward": torch.ones(1), "shifting": torch.ones(1)})


def test_warnings_are_not_said_again_by_the_check():
    def branch(x):
        return x * 2 if x.sum() > 0 else -x

    with warnings.catch_warnings(record=True) as shown:
        warnings.simplefilter("always")
        tracelab.trace(branch, torch.ones(2))
    assert len(shown) == 1
