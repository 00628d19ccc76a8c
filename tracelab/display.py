"""How things that were traced are shown in a notebook, without knowing who shows them.

What shows them stands on a higher floor, and is found by the entry point group `tracelab.display`: a function that
gives the MIME bundle of an object, with its metadata.
"""

from __future__ import annotations

import functools
from collections.abc import Callable
from importlib.metadata import entry_points
from typing import Any

MimeBundle = tuple[dict[str, Any], dict[str, Any]]
"""Data by MIME type, and metadata by MIME type."""

GROUP = "tracelab.display"


def display_bundle(item: Any) -> MimeBundle:
    """What a notebook shows of an object: the explorer, or its text where nothing that shows it is installed."""
    show = _provider()
    return ({"text/plain": str(item)}, {}) if show is None else show(item)


@functools.cache
def _provider() -> Callable[[Any], MimeBundle] | None:
    for entry in entry_points(group=GROUP):
        found: Callable[[Any], MimeBundle] = entry.load()
        return found
    return None
