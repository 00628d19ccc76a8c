"""State that one call leaves as the next one leaves it again decides nothing where the code does the same with both."""

from __future__ import annotations

import warnings
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tracelab


def told(traced: Any, *args: Any) -> list[str]:
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        traced(*args)
    return [str(item.message).partition(", so that")[0] for item in said]


def net() -> nn.Sequential:
    return nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2))


class Extractor(nn.Module):
    """Keeps what a layer gives for its own use."""

    def __init__(self) -> None:
        super().__init__()
        self.net, self.kept = net(), {}
        self.net[1].register_forward_hook(self.keep)

    def keep(self, module: nn.Module, inputs: Any, output: Tensor) -> None:
        self.kept["relu"] = output

    def forward(self, x: Tensor) -> Tensor:
        self.net(x)
        return self.kept["relu"] * 2


def in_a_global_dict() -> Any:
    layers, kept = net(), {}
    layers[1].register_forward_hook(lambda module, inputs, output: kept.__setitem__("relu", output))

    def features(x: Tensor) -> Tensor:
        layers(x)
        return kept["relu"]

    return features


def in_a_list_that_is_emptied() -> Any:
    layers, kept = net(), []
    layers[1].register_forward_hook(lambda module, inputs, output: kept.append([output]))

    def features(x: Tensor) -> Tensor:
        kept.clear()
        layers(x)
        return kept[0][0]

    return features


class FirstCall(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.begun, self.notes = False, None

    def forward(self, x: Tensor) -> Tensor:
        if not self.begun:
            self.begun, self.notes = True, "begun"
        return x + 1


@pytest.mark.parametrize("make", [Extractor, in_a_global_dict, in_a_list_that_is_emptied, FirstCall])
def test_it_is_told_at_no_call(make):
    code = make()
    traced = tracelab.trace(code, torch.randn(2, 3))
    for rows in (2, 5):
        x = torch.randn(rows, 3)
        assert told(traced, x) == []
        with torch.no_grad():
            torch.testing.assert_close(traced(x), code(x))


def test_a_trace_that_nothing_checked_is_told_of_it():
    traced = tracelab.trace(Extractor(), torch.randn(2, 3), check_trace=False)
    assert told(traced, torch.randn(2, 3)) == [
        "Extractor.kept was an empty dict when Extractor.forward was traced and is another dict of 1 at this call"
    ]


def test_other_state_is_told():
    extractor = Extractor()
    traced = tracelab.trace(extractor, torch.randn(2, 3))
    extractor.kept["more"] = 1
    assert told(traced, torch.randn(2, 3)) == [
        "Extractor.kept was an empty dict when Extractor.forward was traced and is another dict of 2 at this call"
    ]


class Counter(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.calls = 0

    def forward(self, x: Tensor) -> Tensor:
        self.calls += 1
        return x * 2 if self.calls > 3 else x + 1


class Before(nn.Module):
    """Adds what the last call gave."""

    def __init__(self) -> None:
        super().__init__()
        self.kept: dict[str, Tensor] = {}

    def forward(self, x: Tensor) -> Tensor:
        x = x + self.kept["last"] if "last" in self.kept else x * 1
        self.kept["last"] = x
        return x


class Cached(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.table = None

    def forward(self, x: Tensor) -> Tensor:
        if self.table is None:
            self.table = torch.arange(x.shape[1]) * 1.0
        return x + self.table


@pytest.mark.parametrize(
    ("make", "sentence"),
    [
        (Counter, "Counter.calls was 0 when Counter.forward was traced and is 1 at this call"),
    ],
)
def test_what_another_call_does_otherwise_is_told(make, sentence):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(make(), torch.randn(2, 3))
    assert told(traced, torch.randn(2, 3)) == [sentence]


def test_what_the_code_computes_with_is_no_state_of_that_kind():
    with pytest.raises(tracelab.TracingCheckError, match="the function keeps something from call to call"):
        tracelab.trace(Before(), torch.randn(2, 3))


def test_what_the_code_keeps_is_as_one_call_leaves_it():
    extractor = Extractor()
    x = torch.randn(2, 3)
    tracelab.trace(extractor, x)
    assert list(extractor.kept) == ["relu"]
    torch.testing.assert_close(extractor.kept["relu"], extractor.net[:2](x))
