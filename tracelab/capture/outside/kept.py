"""Python's state around a function, as it was before a call that the user did not make.

For random numbers see `tracelab.capture.recording.random_numbers`.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tracelab.capture.outside.positions import Position
from tracelab.capture.outside.tables import ABSENT, Contents, Draws, Table, Tables, iter_changed


@contextmanager
def python_state_kept(function: Any) -> Iterator[None]:
    """Put back what a call of a function changes in attributes, containers, closures and globals."""
    tables = Tables(function, []).tables
    try:
        yield
    finally:
        put_back(tables)


def put_back(tables: list[Table]) -> None:
    """Put back what was changed in tables, and take out what was added."""
    for table, name, before, now in list(iter_changed(tables)):
        _put_back(table, name, before, now)
    for table in tables:
        for name in table.names() - table.known if table.names is not None and table.owner is not None else ():
            vars(table.owner).pop(name, None)


def _put_back(table: Table, name: str, before: Any, now: Any) -> None:
    if isinstance(before, (Draws, Position)):
        return
    item = before
    if isinstance(before, Contents):
        item = before.container
        if before.items is not None:
            _refill(item, before.items)
    if table.put is not None and now is not item and before is not ABSENT:
        table.put(name, item)


def _refill(container: Any, items: Any) -> None:
    container.clear()
    if isinstance(container, (set, dict)):
        container.update(items)
    else:
        container.extend(items)
