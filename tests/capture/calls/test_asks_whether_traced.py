"""Code that asks whether it is traced is told yes, as libraries then generalise, or no, where that differs."""

from __future__ import annotations

import os
import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionWarning


def generalises(mask):
    if not torch.jit.is_tracing() and bool(mask.all()):
        return mask * 1.0
    return torch.where(mask > 0, mask * 1.0, mask * 0.0)


class ComputesSomethingElse(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("calls", torch.zeros(()))

    def forward(self, mask):
        self.calls += 1
        if not torch.jit.is_tracing() and bool(mask.all()):
            return mask * 2.0
        return mask * 3.0


def test_code_that_generalises_when_it_is_traced_does():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(generalises, torch.ones(3))
    assert traced.assumptions == []


def test_code_that_then_computes_something_else_is_recorded_as_it_is_in_python():
    model = ComputesSomethingElse()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(model, torch.ones(3))
    assert model.calls == 1
    assert traced(torch.ones(3)).tolist() == [2, 2, 2]
    with pytest.warns(AssumptionWarning, match=r"mask\.all\(\)"):
        traced(torch.zeros(3))


def doubles_where_nothing_traces(x):
    return x * 3 if torch.jit.is_tracing() else x * 2


def test_without_a_check_code_is_told_what_python_tells_it():
    assert tracelab.trace(doubles_where_nothing_traces, torch.ones(2), check_trace=False)(torch.ones(2)).tolist() == [
        2,
        2,
    ]


def test_a_graph_alone_is_of_what_the_code_does_in_python():
    _, result = tracelab.trace_graph(doubles_where_nothing_traces, (torch.ones(2),))
    assert result.tolist() == [2, 2]


def test_methods_of_a_module_are_told_what_python_tells_them():
    class Doubling(nn.Module):
        def forward(self, x):
            return doubles_where_nothing_traces(x)

    traced = tracelab.trace_module(Doubling(), {"forward": torch.ones(2)})
    assert traced(torch.ones(2)).tolist() == [2, 2]


def test_code_that_differs_for_another_reason_is_still_refused():
    def differs_each_time(x):
        torch.jit.is_tracing()
        return x * int.from_bytes(os.urandom(2))

    with pytest.raises(tracelab.TracingCheckError):
        tracelab.trace(differs_each_time, torch.ones(3))
    assert not torch.jit.is_tracing()


@pytest.mark.parametrize(
    "ask",
    [
        torch.compiler.is_compiling,
        torch.compiler.is_dynamo_compiling,
        torch.compiler.is_exporting,
        torch.onnx.is_in_onnx_export,
        torch.jit.is_scripting,
        lambda: torch._C._get_tracing_state() is not None,
    ],
)
def test_other_questions_are_answered_as_in_python(ask):
    tracelab.trace(lambda x: x * 3 if ask() else x * 2, torch.ones(2), check_trace=True)
