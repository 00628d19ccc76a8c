"""Modes that are asked for by functions that were fetched before the trace, and environment variables."""

from __future__ import annotations

import contextlib
import functools
import os
from os import environ, getenv

import pytest
import torch
from torch import get_default_dtype, is_autocast_enabled, is_grad_enabled, is_inference_mode_enabled, nn

import tracelab
from support.told import told
from tracelab.graph.assumptions import AssumptionKind

ONES = torch.ones(2)


@contextlib.contextmanager
def doubles():
    before = torch.get_default_dtype()
    torch.set_default_dtype(torch.float64)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


def in_bfloat16():
    return torch.autocast("cpu", torch.bfloat16)


def by_gradients(x):
    return x * 2 if is_grad_enabled() else x * 3


def by_inference(x):
    return x * 2 if is_inference_mode_enabled() else x * 3


def by_dtype(x):
    return x * 2 if get_default_dtype() is torch.float64 else x * 3


def by_autocast(x):
    return x * 2 if is_autocast_enabled("cpu") else x * 3


def by_default_argument(x, asked=is_grad_enabled):
    return x * 2 if asked() else x * 3


def helped(x):
    return by_gradients(x) + 1


class Asking(nn.Module):
    asked = staticmethod(is_grad_enabled)

    def forward(self, x):
        return x * 2 if self.asked() else x * 3


def in_closure():
    asked = is_grad_enabled

    def closing(x):
        return x * 2 if asked() else x * 3

    return closing


def traced_on(function, *example, policy="warn"):
    return tracelab.trace(function, example, check_trace=False, on_violation=policy)


ASKING = [
    (by_gradients, torch.no_grad, "torch.is_grad_enabled()"),
    (by_inference, torch.inference_mode, "torch.is_inference_mode_enabled()"),
    (by_dtype, doubles, "torch.get_default_dtype()"),
    (by_autocast, in_bfloat16, "what autocast does"),
    (by_default_argument, torch.no_grad, "torch.is_grad_enabled()"),
    (helped, torch.no_grad, "torch.is_grad_enabled()"),
    (Asking(), torch.no_grad, "torch.is_grad_enabled()"),
    (in_closure(), torch.no_grad, "torch.is_grad_enabled()"),
    (functools.partial(by_default_argument, asked=is_grad_enabled), torch.no_grad, "torch.is_grad_enabled()"),
]
NAMES = [getattr(item[0], "__name__", type(item[0]).__name__) for item in ASKING]


@pytest.mark.parametrize(("function", "mode", "subject"), ASKING, ids=NAMES)
def test_a_mode_asked_for_by_a_fetched_function_is_told(function, mode, subject):
    traced = traced_on(function, ONES)
    with mode():
        sentences = told(traced, ONES)
    assert any(sentence.startswith(subject) for sentence in sentences)


@pytest.mark.parametrize("function", [item[0] for item in ASKING], ids=NAMES)
def test_a_call_in_the_same_mode_is_told_nothing(function):
    assert told(traced_on(function, ONES), ONES) == []


def test_a_function_that_the_code_does_not_name_is_no_assumption():
    assert traced_on(lambda x: x * 2, ONES).assumptions == []


# Environment variables --------------------------------------------------------------------------------------------


def by_item(x):
    return x * 2 if os.environ["TRACELAB_TEST"] == "one" else x * 3


def by_getting(x):
    return x * 2 if os.environ.get("TRACELAB_TEST") == "one" else x * 3


def by_getenv(x):
    return x * 2 if os.getenv("TRACELAB_TEST") == "one" else x * 3


def by_fetched_getenv(x):
    return x * 2 if getenv("TRACELAB_TEST", "") == "one" else x * 3


def by_fetched_environ(x):
    return x * 2 if environ.get("TRACELAB_TEST") == "one" else x * 3


def by_presence(x):
    return x * 2 if "TRACELAB_TEST" in os.environ else x * 3


READING = [by_item, by_getting, by_getenv, by_fetched_getenv, by_fetched_environ, by_presence]


@pytest.mark.parametrize("function", READING)
def test_another_value_of_a_variable_is_told(function, monkeypatch):
    monkeypatch.setenv("TRACELAB_TEST", "one")
    traced = traced_on(function, ONES)
    monkeypatch.setenv("TRACELAB_TEST", "two")
    (sentence,) = told(traced, ONES)
    assert sentence.startswith("os.environ.get('TRACELAB_TEST') was 'one'")


@pytest.mark.parametrize("function", READING[1:])
def test_a_variable_that_was_not_there_is_told(function, monkeypatch):
    monkeypatch.delenv("TRACELAB_TEST", raising=False)
    traced = traced_on(function, ONES)
    monkeypatch.setenv("TRACELAB_TEST", "one")
    assert len(told(traced, ONES)) == 1


@pytest.mark.parametrize("function", READING)
def test_a_variable_is_right_with_retrace(function, monkeypatch):
    monkeypatch.setenv("TRACELAB_TEST", "one")
    traced = traced_on(function, ONES, policy="retrace")
    for value in ("two", "one", "two"):
        monkeypatch.setenv("TRACELAB_TEST", value)
        assert torch.equal(traced(ONES), function(ONES))


def test_a_copy_of_all_variables_is_no_assumption():
    assert traced_on(lambda x: x * (2 if os.environ.copy() else 3), ONES).assumptions == []


def test_a_variable_is_a_kind_of_assumption(monkeypatch):
    monkeypatch.setenv("TRACELAB_TEST", "one")
    (item,) = traced_on(by_item, ONES).assumptions
    assert item.kind is AssumptionKind.ENVIRONMENT


def test_reading_variables_is_as_it_was_after_a_trace():
    traced_on(by_getting, ONES)
    assert not [name for name in tracelab.capture.patches.registry.patched.verify() if "environ" in name.lower()]
