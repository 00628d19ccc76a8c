"""What the code that a function reaches asks, looked up before it is recorded."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from types import CodeType
from typing import Any

from torch import nn

from tracelab.capture.outside.tables import Tables


def reaches(function: Any, modules: Mapping[str, nn.Module], asks: Callable[[CodeType], Any]) -> bool:
    """Whether some code of the user's that a function or its modules reach is one of which `asks` says so."""
    tables = Tables(function, [(module, path) for path, module in modules.items()])
    return any(asks(each.__code__) for each in tables.functions)
