"""Numbers of tensors in code that takes only plain ones: they are plain there, and another one is told."""

from __future__ import annotations

import datetime
import decimal
import fractions
import statistics
import warnings
from collections.abc import Callable
from typing import Any

import pytest
import torch

import tracelab

BEFORE = """
import datetime, decimal, fractions, statistics
from decimal import Decimal
from fractions import Fraction
from statistics import mean, stdev
x = torch.tensor([1.5, 2.25, 3.0])
"""


@pytest.fixture
def shell(shell):
    assert shell.run(BEFORE).error is None
    return shell


CELLS = {
    "mean": "m = statistics.mean([(x * k).sum().item() for k in range(3)])",
    "stdev": "m = stdev([(x * k).sum().item() for k in range(3)])",
    "variance": "v = []\nfor k in range(3):\n    v.append((x * k).sum().item())\nm = statistics.variance(v)",
    "harmonic": "m = statistics.harmonic_mean([x[0].item(), x[1].item()])",
    "fraction": "m = Fraction((x * 2).sum().item())",
    "fraction of two": "m = Fraction(x[0].long().item(), x[2].long().item())",
    "arithmetic of fractions": "m = Fraction(1, 2) + x[0].long().item()",
    "decimal": "m = Decimal((x * 2).sum().item())",
    "decimal of the module": "value = (x * 2).sum().item()\nm = decimal.Decimal(value)",
    "from float": "m = Decimal.from_float((x * 2).sum().item())",
    "comparison": "m = Decimal('2') > (x * 2).sum().item()",
    "time": "m = datetime.timedelta(seconds=(x * 2).sum().item())",
    "in a function": "def shown(value):\n    return Decimal(value)\nm = shown((x * 2).sum().item())",
    "of a result": "total = (x * 2).sum().item()\nm = Decimal(total * 2)",
}


@pytest.mark.parametrize("name", CELLS)
def test_a_cell_is_as_without_the_trace(shell, name):
    assert shell.run(CELLS[name]).error is None
    wanted = shell.space["m"]
    shell.trace(CELLS[name])
    assert shell.space["m"] == wanted
    assert type(shell.space["m"]) is type(wanted)


FUNCTIONS: dict[str, Callable[[Any], Any]] = {
    "mean": statistics.mean,
    "fmean": statistics.fmean,
    "stdev": statistics.stdev,
    "variance": statistics.variance,
    "harmonic": statistics.harmonic_mean,
    "fraction": lambda values: float(fractions.Fraction(values[0]) / 3),
    "decimal": lambda values: float(decimal.Decimal(values[0])),
    "from float": lambda values: float(decimal.Decimal.from_float(values[0])),
    "comparison": lambda values: 2 if decimal.Decimal(2) > values[0] else 3,
    "time": lambda values: datetime.timedelta(seconds=values[0]).total_seconds(),
}


@pytest.mark.parametrize("dtype", [torch.float32, torch.int64])
@pytest.mark.parametrize("name", FUNCTIONS)
def test_in_a_function_another_number_is_told(name: str, dtype: torch.dtype):
    def code(x: torch.Tensor) -> torch.Tensor:
        return x * FUNCTIONS[name]([x[0].item(), x[1].item(), x[2].item()])

    x = torch.tensor([1.5, 2.25, 3.0]).to(dtype)
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(code, x)
    assert torch.equal(traced(x), code(x))
    with pytest.warns(tracelab.AssumptionWarning):
        traced(x * 2 + 1)


def test_statistics_are_as_they_were_after_a_trace():
    before = statistics._convert.__code__  # type: ignore[attr-defined]
    tracelab.trace(lambda x: x * statistics.mean([x.sum().item(), 1.0]), torch.ones(2), on_violation="retrace")
    assert statistics._convert.__code__ is before  # type: ignore[attr-defined]
