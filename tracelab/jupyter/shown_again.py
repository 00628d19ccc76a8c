"""Explorers that a cell showed in an earlier run: its new output took their place, so that they are closed.

ipywidgets keeps every widget until somebody closes it, and an explorer holds its trace and the model.
"""

from __future__ import annotations

import weakref
from collections.abc import Mapping
from typing import Any

_shown: dict[str, list[tuple[int, weakref.ref[Any]]]] = {}
"""By cell, the count of the run and the explorer."""


def close_shown_before(explorer: Any, cell_id: str, count: int, names: Mapping[str, Any]) -> None:
    """Note that a run of a cell shows an explorer, and close those of its earlier runs that nobody names.

    Args:
        explorer: The new one.
        cell_id: The cell; front ends that do not tell it have an empty one, and nothing is closed.
        count: Which run this is.
        names: The variables of the notebook, among them `Out`.
    """
    if not cell_id:
        return
    outputs = names.get("Out")
    held = {id(item) for item in list(names.values())}
    if isinstance(outputs, dict):
        held.update(id(item) for item in list(outputs.values()))
    kept = []
    for run, reference in _shown.get(cell_id, []):
        earlier = reference()
        if earlier is None or earlier.comm is None:
            continue
        if run == count or id(earlier) in held:
            kept.append((run, reference))
        else:
            earlier.close()
    _shown[cell_id] = [*kept, (count, weakref.ref(explorer))]
