"""What a call of a trace is told."""

from __future__ import annotations

import warnings
from collections.abc import Callable
from typing import Any

from tracelab import AssumptionWarning


def told(function: Callable[..., Any], *inputs: Any) -> list[str]:
    """The sentences of all assumption warnings of one call."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        function(*inputs)
    return [str(item.message) for item in found if item.category is AssumptionWarning]
