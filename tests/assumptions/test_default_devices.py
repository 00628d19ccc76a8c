"""A tensor that code makes on the default device is made for that device: a call under another one is told."""

from __future__ import annotations

import contextlib
from collections.abc import Iterator

import pytest
import torch

import tracelab
from support.told import told

X = torch.ones(3)


@contextlib.contextmanager
def set_to(device: str) -> Iterator[None]:
    torch.set_default_device(device)
    try:
        yield
    finally:
        torch.set_default_device(None)


OTHERS = [lambda: torch.device("meta"), lambda: set_to("meta")]
MAKERS = [
    lambda x: x.sum() * torch.zeros(2),
    lambda x: torch.tensor(2.0),
    lambda x: torch.arange(x.shape[0]),
    lambda x: torch.eye(2, dtype=torch.float64),
    lambda x: torch.linspace(0, 1, x.shape[0]),
    lambda x: torch.full((2,), 3.0, device=None),
    lambda x: torch.nn.functional.one_hot(torch.tensor([1, 0]), 2),
    lambda x: torch.as_tensor([1, 2]),
    lambda x: torch.hann_window(x.shape[0]),
]
ELSEWHERE = [
    lambda x: x * 2,
    lambda x: torch.zeros_like(x) + x.new_ones(3),
    lambda x: x + torch.ones(3, device="cpu"),
    lambda x: x + torch.tensor(2.0, device=x.device),
]


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("code", MAKERS)
def test_a_call_under_another_default_device_is_told(code, other):
    traced = tracelab.trace(code, X)
    assert told(traced, X) == []
    with other():
        (sentence,) = told(traced, X)
    assert sentence.startswith("torch.get_default_device() was cpu when <lambda> was traced")
    assert sentence.partition(", so that")[0].endswith("and is meta at this call")


@pytest.mark.parametrize("other", OTHERS)
@pytest.mark.parametrize("code", ELSEWHERE)
def test_a_device_from_elsewhere_is_not_told(code, other):
    traced = tracelab.trace(code, X)
    with other():
        assert told(traced, X) == []
        assert torch.equal(traced(X), code(X))


def test_the_same_default_device_set_is_not_told():
    traced = tracelab.trace(MAKERS[0], X)
    with torch.device("cpu"):
        assert told(traced, X) == []


def test_a_trace_under_a_default_device_is_for_it():
    with torch.device("meta"):
        traced = tracelab.trace(MAKERS[0], torch.ones(3))
        assert told(traced, torch.ones(3)) == []
    (sentence,) = told(traced, torch.ones(3, device="meta"))
    assert sentence.startswith("torch.get_default_device() was meta")


def test_a_device_that_the_code_itself_sets_is_not_told():
    def code(x):
        with torch.device("cpu"):
            return x + torch.zeros(3)

    traced = tracelab.trace(code, X)
    with torch.device("meta"):
        assert told(traced, X) == []
