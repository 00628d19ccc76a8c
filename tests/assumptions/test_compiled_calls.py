"""A compiled call checks no assumption, which is told once, where it is compiled, with how many there are."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch.fx.experimental.proxy_tensor import make_fx

import tracelab
from tracelab import AssumptionWarning


def branches(x):
    if x.shape[0] > 3:
        return x * 2
    return x * x.sum().item() if x.dtype is torch.float64 else x * 3


class Branches(torch.nn.Module):
    def forward(self, x):
        return branches(x)


def traced_of(function, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(function, torch.ones(2, 3), **options)


def told(call):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        call()
    return [str(item.message) for item in found if item.category is AssumptionWarning]


@pytest.fixture(autouse=True)
def _fresh():
    torch.compiler.reset()
    yield
    torch.compiler.reset()


@pytest.mark.parametrize("function", [branches, Branches()], ids=["function", "module"])
def test_a_compiled_trace_tells_how_many_it_does_not_check(function):
    compiled = torch.compile(traced_of(function), backend="eager")
    said = told(lambda: compiled(torch.ones(2, 3)))
    assert len(said) == 1
    assert said[0].startswith("2 assumptions of the trace of ")
    assert not told(lambda: compiled(torch.ones(2, 3)))


def test_what_make_fx_records_tells_it():
    traced = traced_of(branches)
    said = told(lambda: make_fx(traced)(torch.ones(2, 3)))
    assert len(said) == 1
    assert "are not checked" in said[0]


def test_a_trace_without_assumptions_says_nothing():
    compiled = torch.compile(traced_of(lambda x: x * 2), backend="eager")
    assert not told(lambda: compiled(torch.ones(2, 3)))


def test_where_violations_are_ignored_nothing_is_said():
    compiled = torch.compile(traced_of(branches, on_violation="ignore"), backend="eager")
    assert not told(lambda: compiled(torch.ones(2, 3)))


def test_a_compiled_trace_computes_what_the_trace_does():
    traced = traced_of(branches)
    compiled = torch.compile(traced, backend="eager", fullgraph=True)
    x = torch.randn(2, 3)
    assert told(lambda: torch.testing.assert_close(compiled(x), branches(x)))
