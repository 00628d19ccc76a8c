"""Every test starts from the same random state, and so does every file of tests as it is read."""

from __future__ import annotations

import random

import pytest
import torch

from tracelab.graph import lint

# Every pass, recording and loaded file of every test ends in the verifier.
lint.enabled = True


def _seed() -> None:
    random.seed(0)
    torch.manual_seed(0)


def pytest_collectstart(collector: pytest.Collector) -> None:
    """Tensors made as a file is read are the same in each run, whichever files are read before it."""
    if isinstance(collector, pytest.Module):
        _seed()


@pytest.fixture(autouse=True)
def _seeded() -> None:
    _seed()
