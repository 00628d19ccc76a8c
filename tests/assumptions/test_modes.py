"""A mode of torch that the code asks for, or that gives a constant its dtype, is an assumption that a call checks."""

from __future__ import annotations

import contextlib
import warnings

import pytest
import torch

import tracelab
from tracelab import AssumptionWarning
from tracelab.capture.patches.registry import patched


@contextlib.contextmanager
def default_dtype(dtype):
    before = torch.get_default_dtype()
    torch.set_default_dtype(dtype)
    try:
        yield
    finally:
        torch.set_default_dtype(before)


@contextlib.contextmanager
def deterministic():
    torch.use_deterministic_algorithms(True)
    try:
        yield
    finally:
        torch.use_deterministic_algorithms(False)


def doubles():
    return default_dtype(torch.float64)


def bfloat16():
    return torch.autocast("cpu", torch.bfloat16)


def told(traced, mode, x=None):
    x = torch.ones(2) if x is None else x
    with mode(), warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        traced(x)
    return [str(item.message) for item in found if item.category is AssumptionWarning]


def traced_in(mode, function):
    with mode():
        return tracelab.trace(function, torch.ones(2), check_trace=False)


PLAIN = contextlib.nullcontext
READS = {
    "torch.is_grad_enabled()": (lambda x: x * 2 if torch.is_grad_enabled() else x * 3, torch.no_grad),
    "torch.is_inference_mode_enabled()": (
        lambda x: x * 2 if torch.is_inference_mode_enabled() else x * 3,
        torch.inference_mode,
    ),
    "torch.is_autocast_enabled('cpu')": (lambda x: x * 2 if torch.is_autocast_enabled("cpu") else x * 3, bfloat16),
    "torch.get_autocast_dtype('cpu')": (
        lambda x: x.to(torch.get_autocast_dtype("cpu")),
        lambda: torch.autocast("cpu", torch.float16),
    ),
    "torch.get_default_dtype()": (lambda x: x.to(torch.get_default_dtype()), doubles),
    "torch.are_deterministic_algorithms_enabled()": (
        lambda x: x * 2 if torch.are_deterministic_algorithms_enabled() else x * 3,
        deterministic,
    ),
}


@pytest.mark.parametrize("read", READS)
def test_a_mode_that_was_asked_for_is_told_where_it_differs(read):
    function, mode = READS[read]
    for here, there in ((PLAIN, mode), (mode, PLAIN)):
        traced = traced_in(here, function)
        assert told(traced, here) == []
        (sentence,) = told(traced, there)
        assert sentence.startswith(f"{read} was ")
        assert "test_modes.py:" in sentence


@pytest.mark.parametrize(
    "function",
    [lambda x: x * 2, lambda x: torch.zeros(2) + x, lambda x: torch.nn.functional.linear(x, torch.ones(3, 2))],
)
@pytest.mark.parametrize("mode", [torch.no_grad, torch.inference_mode, bfloat16, doubles, deterministic])
def test_what_follows_the_mode_of_the_call_is_not_told(function, mode):
    if mode is doubles:
        function = lambda x: torch.zeros(2) + 1  # noqa: E731
    for here, there in ((PLAIN, mode), (mode, PLAIN)):
        traced = traced_in(here, function)
        assert told(traced, there) == []
        with there():
            assert traced(torch.ones(2)).dtype is function(torch.ones(2)).dtype


def test_a_mode_that_the_code_sets_itself_is_the_same_at_each_call():
    def sets(x):
        with torch.no_grad():
            factor = 2 if torch.is_grad_enabled() else 3
        with torch.autocast("cpu", torch.bfloat16):
            factor += 2 if torch.is_autocast_enabled("cpu") else 3
        with torch.inference_mode():
            factor += 2 if torch.is_inference_mode_enabled() else 3
        return x * factor

    traced = traced_in(PLAIN, sets)
    assert traced.assumptions == []


def test_the_dtype_of_a_tensor_made_of_floats_is_told_where_the_default_differs():
    traced = traced_in(PLAIN, lambda x: torch.tensor([1.5, 2.0]) * 2)
    (sentence,) = told(traced, doubles)
    assert "torch.get_default_dtype() was torch.float32" in sentence
    assert "torch.tensor([1.5, 2.0])" in sentence


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x * torch.tensor([1, 2], device="cpu"),
        lambda x: x * torch.tensor([1.0, 2.0], dtype=torch.float32, device="cpu"),
        lambda x: x.new_tensor([1.0, 2.0]),
    ],
)
def test_a_tensor_that_has_its_dtype_from_elsewhere_is_not_told(function):
    assert traced_in(PLAIN, function).assumptions == []


def test_a_layer_that_took_a_way_without_gradients_is_told_where_they_are_wanted():
    layer = torch.nn.TransformerEncoderLayer(4, 2, 8, batch_first=True).eval()
    x = torch.ones(1, 3, 4)
    with torch.no_grad():
        traced = tracelab.trace(layer, x, check_trace=False)
    assert told(traced, torch.no_grad, x) == []
    (sentence,) = told(traced, PLAIN, x)
    assert "torch.is_grad_enabled() was False" in sentence


def test_torch_answers_for_itself_again_after_a_trace():
    traced_in(PLAIN, lambda x: x * torch.get_num_threads())
    assert patched.verify() == []
    assert torch.is_grad_enabled.__name__ == "is_grad_enabled"
    assert type(torch.is_grad_enabled) is type(len)
