"""Running a function twice from the same state, and leaving everything as it was."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any

import numpy
import torch
from torch import Tensor

from tracelab.capture.outside.kept import put_back
from tracelab.capture.outside.tables import Tables
from tracelab.check.context_variables import ContextVariables
from tracelab.check.memory import MOST_BYTES, Memory
from tracelab.check.random_state import RandomState
from tracelab.check.reachable import MISSING, Reachable, content_of, sequence_class, slot, table_class
from tracelab.compat.tensors import hook_tables
from tracelab.graph.aliasing import Aliasing
from tracelab.graph.graph import Graph

_open: list[_Snapshot] = []
"""Of each isolation that is going on."""


@contextmanager
def isolated(functions: Iterable[Any], written: Iterable[Tensor] = ()) -> Iterator[Callable[[], None]]:
    """Put everything back at the end; the function that it gives puts it back in between.

    That is all that the functions can reach (see `tracelab.check.reachable`): attributes, containers, closures,
    globals that they set, values and gradients of tensors (see `tracelab.check.memory`), context variables, and the
    state of random generators. `written` are tensors of which a write is known. One inside another costs little: what
    the outer one keeps is what the inner one would.
    """
    functions, written = list(functions), list(written)
    outer = next((snapshot for snapshot in _open if snapshot.covers(functions, written)), None)
    kept = _Snapshot(functions, written) if outer is None else outer
    random = RandomState(kept.generators)
    variables = ContextVariables()
    _open.append(kept)

    def again() -> None:
        kept.restore()
        random.restore()
        variables.restore()

    try:
        yield again
    finally:
        _open.remove(kept)
        again()


def written_state(graph: Graph) -> list[Tensor]:
    """The parameters, buffers and captured tensors that the graph writes to."""
    memory = Aliasing(graph)
    written = [tensor for value, tensor in graph.state.items() if memory.written(value)]
    return list({id(tensor): tensor for tensor in written}.values())


def generators_of(graph: Graph) -> list[Any]:
    """The random generators that nodes of the graph draw from; those that it makes itself are none of them."""
    arguments = [item for node in graph.nodes for item in (*node.args, *(node.kwargs or {}).values())]
    return list({id(item): item for item in arguments if isinstance(item, torch.Generator)}.values())


class _Snapshot:
    def __init__(self, functions: list[Any], written: list[Tensor]) -> None:
        # Code that runs in variables of its own (a notebook's cell) gives those that it reads as `reads`.
        found = Reachable([*functions, *(getattr(function, "reads", None) for function in functions)])
        self.found = found
        self.tables = [(table, table_class(table), dict(_items(table))) for table in found.tables]
        self.sequences = [
            (item, sequence_class(item), list(sequence_class(item).__iter__(item))) for item in found.sequences
        ]
        self.sets = [(item, set(set.__iter__(item))) for item in found.sets]
        self.cells = [(cell, content_of(cell)) for cell in found.cells]
        self.slots = [(item, descriptor, slot(item, descriptor)) for item, descriptor in found.slots]
        self.names = [(space, name, space.get(name, MISSING)) for space, name in found.names]
        self.classes = [(cls, dict(cls.__dict__)) for cls in found.classes]
        self.arrays = [(array, array.copy()) for array in _within_reason(found.arrays)]
        self.memory = Memory(found.tensors, written)
        self.hooks = [
            (tensor, tuple(dict(table or {}) for table in hook_tables(tensor)))
            for tensor in found.tensors
            if tensor.requires_grad
        ]
        self.generators = found.generators
        asked = [] if found.runs_code() else functions
        self.outside = [table for function in asked for table in Tables(function, []).tables]
        """What the code reaches by more than references: variables of modules that it names, metaclasses, arrays."""

    def covers(self, functions: list[Any], written: list[Tensor]) -> bool:
        """Whether it keeps all that these can reach."""
        return all(self.found.has(getattr(item, "__self__", item)) for item in functions) and self.memory.copied(
            written
        )

    def restore(self) -> None:
        for table, cls, before in self.tables:
            if not _same_items(table, before):
                cls.clear(table)
                cls.update(table, before)
        for sequence, cls, items in self.sequences:
            if not _same_sequence(cls, sequence, items):
                cls.clear(sequence)
                cls.extend(sequence, items)
        for group, members in self.sets:
            if not _same_set(group, members):
                set.clear(group)
                set.update(group, members)
        for cell, content in self.cells:
            if content_of(cell) is not content:
                _fill(cell, content)
        for item, descriptor, before in self.slots:
            if slot(item, descriptor) is not before:
                descriptor.__set__(item, before) if before is not MISSING else descriptor.__delete__(item)
        for space, name, before in self.names:
            if space.get(name, MISSING) is not before:
                if before is MISSING:
                    del space[name]
                else:
                    space[name] = before
        for cls, before in self.classes:
            _restore_class(cls, before)
        for array, before in self.arrays:
            if array.shape != before.shape:
                array.resize(before.shape, refcheck=False)
            if array.dtype.hasobject or not _same_bytes(array, before):
                numpy.copyto(array, before)
        put_back(self.outside)
        self.memory.restore()
        for tensor, hooks in self.hooks:
            for registered_now, registered in zip(hook_tables(tensor), hooks, strict=True):
                if registered_now is not None and not _same_items(registered_now, registered):
                    registered_now.clear()
                    registered_now.update(registered)


def _items(table: dict[Any, Any]) -> Any:
    return table_class(table).items(table)


def _same_items(table: dict[Any, Any], before: dict[Any, Any]) -> bool:
    """Whether these are the same objects under the same keys, in the same order."""
    if dict.__len__(table) != len(before):
        return False
    return all(
        key is known and item is kept for (key, item), (known, kept) in zip(_items(table), before.items(), strict=True)
    )


def _same_sequence(cls: Any, sequence: Any, before: list[Any]) -> bool:
    if cls.__len__(sequence) != len(before):
        return False
    return all(now is kept for now, kept in zip(cls.__iter__(sequence), before, strict=True))


def _same_set(item: set[Any], before: set[Any]) -> bool:
    return set.__len__(item) == len(before) and set(map(id, set.__iter__(item))) == set(map(id, before))


def _within_reason(arrays: list[Any]) -> Iterator[Any]:
    """The arrays that can be written to, small ones first, up to a limit: data sets are large, and only read."""
    left = MOST_BYTES
    for array in sorted((array for array in arrays if array.flags.writeable), key=lambda array: array.nbytes):
        left -= array.nbytes
        if left < 0:
            return
        yield array


def _same_bytes(array: Any, before: Any) -> bool:
    if not array.flags.c_contiguous:
        return bool(array.tobytes() == before.tobytes())
    return numpy.array_equal(array.reshape(-1).view(numpy.uint8), before.reshape(-1).view(numpy.uint8))


def _fill(cell: Any, content: Any) -> None:
    if content is MISSING:
        del cell.cell_contents
    else:
        cell.cell_contents = content


def _restore_class(cls: type, before: dict[str, Any]) -> None:
    now = dict(cls.__dict__)
    for name in now.keys() - before.keys():
        if not name.startswith("__"):
            type.__delattr__(cls, name)
    for name, item in before.items():
        if now.get(name, MISSING) is not item and not name.startswith("__"):
            type.__setattr__(cls, name, item)
