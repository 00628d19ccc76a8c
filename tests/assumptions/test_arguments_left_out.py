"""Arguments that the call at the trace left out: given as by default they are the same, else refused by name."""

from __future__ import annotations

import functools
import itertools
import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tracelab


def scaled(x: Tensor, scale: Any = 1.5, mask: Tensor | None = None, *, shift: Any = 2) -> Tensor:
    x = x * scale + shift
    return x if mask is None else x * mask


class Net(nn.Module):
    def forward(self, x: Tensor, mask: Tensor | None = None, mode: str = "sum") -> Tensor:
        x = x if mask is None else x * mask
        return x.sum() if mode == "sum" else x.mean()


@pytest.fixture(autouse=True)
def nothing_is_told():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        yield


X, M = torch.arange(3.0), torch.tensor([1.0, 0.0, 2.0])


@pytest.mark.parametrize("kwargs", [{"mask": None}, {"mode": "sum"}, {"mask": None, "mode": "sum"}])
def test_the_default_given_by_name_is_the_same_call(kwargs):
    traced = tracelab.trace(Net(), X)
    assert torch.equal(traced(X + 1, **kwargs), Net()(X + 1))


def test_the_default_given_by_position_is_the_same_call():
    traced = tracelab.trace(Net(), X)
    assert torch.equal(traced(X, None, "sum"), X.sum())


def test_another_value_is_refused_by_name():
    traced = tracelab.trace(Net(), X)
    sentence = "`mask` was left out when Net.forward was traced, where it is None, and is Tensor at this call"
    with pytest.raises(tracelab.InputError, match=sentence):
        traced(X, M)


def test_with_retrace_it_is_recorded():
    traced = tracelab.trace(Net(), X, on_violation="retrace")
    assert torch.equal(traced(X, M), (X * M).sum())
    assert torch.equal(traced(X, mask=None), X.sum())


def test_a_function_in_a_wrapper_has_the_arguments_of_the_one_inside():
    @functools.wraps(scaled)
    def wrapped(*args, **kwargs):
        return scaled(*args, **kwargs)

    traced = tracelab.trace(wrapped, X)
    assert torch.equal(traced(X, mask=None, shift=2), scaled(X))
    with pytest.raises(tracelab.InputError, match="`mask` was left out"):
        traced(X, mask=M)


def test_an_argument_by_position_is_that_of_the_function():
    traced = tracelab.trace(scaled, X, mask=M)
    with pytest.raises(tracelab.InputError, match=r"`scale` was left out when scaled was traced, where it is 1\.5"):
        traced(X, M)


def test_a_file_knows_them(tmp_path):
    tracelab.save(tracelab.trace(Net(), X), tmp_path / "net.tlab")
    loaded = tracelab.load(tmp_path / "net.tlab")
    assert torch.equal(loaded(X, mask=None), X.sum())
    with pytest.raises(tracelab.InputError, match="`mask` was left out"):
        loaded(X, M)


VALUES: dict[str, tuple[Any, ...]] = {"scale": (1.5, 3.0), "mask": (None, M), "shift": (2, 5)}


def calls() -> list[tuple[tuple[Any, ...], dict[str, Any]]]:
    """Calls of `scaled`, each argument left out or given, by position or by name."""
    found = []
    for chosen in itertools.product(*((Ellipsis, *values) for values in VALUES.values())):
        named = {name: item for name, item in zip(VALUES, chosen, strict=True) if item is not Ellipsis}
        found.append(((X,), named))
        if "scale" in named:
            scale, *rest = named.pop("scale"), *named.items()
            found.append(((X, scale), dict(rest)))
    return found


@pytest.mark.parametrize("number", range(len(calls())))
def test_each_call_is_right_told_or_refused(number):
    args, kwargs = calls()[number]
    traced = tracelab.trace(scaled, *args, **kwargs)
    for other_args, other_kwargs in calls():
        try:
            result = traced(*other_args, **other_kwargs)
        except (tracelab.InputError, tracelab.AssumptionWarning):
            continue
        torch.testing.assert_close(result, scaled(*other_args, **other_kwargs))
