"""Parameters of which a plain run takes some, and the nightly run the rest."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from typing import Any

import pytest


def sampled(items: Iterable[Any], kept: Collection[Any]) -> list[Any]:
    """The items as parameters; those that are not `kept` are marked `nightly`."""
    return [pytest.param(item, marks=[] if item in kept else [pytest.mark.nightly]) for item in items]


def sampled_pairs(items: Iterable[tuple[Any, ...]], kept: Collection[tuple[Any, ...]]) -> list[Any]:
    """The same for tests of several parameters."""
    return [pytest.param(*item, marks=[] if item in kept else [pytest.mark.nightly]) for item in items]
