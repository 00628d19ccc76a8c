"""A file asks for the keys of a dict as the recording did, and for what an argument was that it does not hold."""

from __future__ import annotations

import pickle
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor

import tracelab
from tracelab.errors import AssumptionWarning


def from_file(traced: Any, path: Path) -> Any:
    traced.save(path / "net.tlab")
    return tracelab.load(path / "net.tlab")


def from_pickle(traced: Any, path: Path) -> Any:
    return pickle.loads(pickle.dumps(traced))


def masked(batch: dict[str, Tensor]) -> Tensor:
    return batch["x"] * batch["mask"] if "mask" in batch else batch["x"]


def total(batch: dict[str, Tensor]) -> Tensor:
    return sum(batch.values())


def counted(batch: dict[str, Tensor]) -> Tensor:
    return batch["x"] * len(batch)


@pytest.mark.parametrize("back", [from_file, from_pickle])
@pytest.mark.parametrize(
    ("function", "words"),
    [(masked, "'mask' in batch was False"), (total, r"list\(batch\)"), (counted, r"len\(batch\)")],
)
def test_another_key_is_told(back: Callable[..., Any], function: Callable[..., Any], words: str, tmp_path: Path):
    traced = back(tracelab.trace(function, {"x": torch.ones(2)}), tmp_path)
    with pytest.warns(AssumptionWarning, match=words):
        traced({"x": torch.ones(2), "mask": torch.zeros(2)})


@pytest.mark.parametrize("generator", [None, torch.Generator()])
def test_a_generator_that_a_file_does_not_hold_is_told(generator: Any, tmp_path: Path):
    def function(x: Tensor, generator: torch.Generator) -> Tensor:
        return x + torch.rand(x.shape, generator=generator)

    loaded = from_file(tracelab.trace(function, torch.ones(2), torch.Generator()), tmp_path)
    with pytest.warns(AssumptionWarning, match="`generator` was <Generator, not kept in the file>"):
        loaded(torch.ones(2), generator)
