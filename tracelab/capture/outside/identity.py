"""Whether code asks if two of its variables are one object."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from torch import nn

from tracelab.capture.analysis.identity_comparisons import identity_comparisons
from tracelab.capture.outside.tables import Tables


def compares_identity(function: Any, modules: Iterable[tuple[str, nn.Module]]) -> bool:
    """Whether code that a function reaches compares two of its variables by identity."""
    reached = Tables(function, [(module, path) for path, module in modules]).functions
    return any(identity_comparisons(each.__code__) for each in reached)
