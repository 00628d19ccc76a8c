"""Python's state around a function, as it was before a call that the user did not make.

For random numbers see `tracelab.capture.recording.random_numbers`.
"""

from __future__ import annotations

import array
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import numpy

from tracelab.capture.outside.contents import ABSENT, Contents, Draws, Raw
from tracelab.capture.outside.positions import Position
from tracelab.capture.outside.tables import Table, Tables, iter_changed


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
    item = _refilled(before)
    if table.put is not None and now is not item and before is not ABSENT:
        table.put(name, item)


def _refilled(before: Any) -> Any:
    """The container or the array itself, with what was in it."""
    if isinstance(before, Raw):
        if before.content is not None and not before.is_same(before.item):
            _write(before.item, before.content)
        return before.item
    if not isinstance(before, Contents):
        return before
    container: Any = before.container
    items = before.items
    if items is None or before.is_same(container):
        return container
    if isinstance(items, dict):
        items = {key: _refilled(item) for key, item in items.items()}
    elif not isinstance(items, set):
        items = [_refilled(item) for item in items]
    container.clear()
    if isinstance(items, (set, dict)):
        container.update(items)
    else:
        container.extend(items)
    return container


def _write(item: Any, content: bytes) -> None:
    if isinstance(item, numpy.ndarray):
        if item.flags.writeable:
            item[...] = numpy.frombuffer(content, item.dtype).reshape(item.shape)
        return
    if isinstance(item, (bytearray, array.array)) and memoryview(item).nbytes != len(content):
        del item[:]
        item.extend(content) if isinstance(item, bytearray) else item.frombytes(content)
        return
    memoryview(item).cast("B")[:] = content
