"""Symbols of sizes, as torch's environment of shapes has them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any


def sizes_of_example(environment: Any) -> Mapping[Any, Any]:
    """The size that each symbol has in the example, under the name of whatever torch this is."""
    known: Mapping[Any, Any] = getattr(environment, "backed_var_to_val", None) or getattr(environment, "var_to_val", {})
    return known
