"""Variables of a notebook that a cell reads, and that are no inputs of its graph: arrays, tables, images, objects.

What the cell makes of one is in the trace as it was. Where that decides a tensor, the trace assumes that the variable
holds the same.
"""

from __future__ import annotations

import functools
import pickle
import weakref
import zlib
from collections.abc import Callable, Iterator, Mapping
from typing import Any

import numpy
import torch

from tracelab.capture.analysis.syntax import parents_of
from tracelab.capture.outside.owners import is_own_object
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.ways_back.questions import variable_comes_back
from tracelab.capture.ways_back.unit import Unit
from tracelab.graph.assumptions import Assumption, AssumptionKind, Words
from tracelab.graph.objects import attributes_of
from tracelab.graph.source import Source

_LIBRARIES = ("PIL", "pandas", "polars", "xarray")
"""Whose objects hold numbers that tensors are made of."""
_MOST_BYTES = 80_000
"""What is larger is the same as long as it is the same object."""
_WORDS = {"ndarray": "array", "Tensor": "tensor", "Parameter": "parameter"}
_DEEPEST = 4
_MOST_PARTS = 200
_OTHER = Words("another one")
_WRITTEN = Words("one that was written to since")


def note_variables(recorder: Recorder, space: Mapping[str, Any], names: list[str]) -> None:
    """Note those of these variables of which the cell made tensors."""
    with recording_paused(recorder):
        constants = {id(tensor) for tensor in recorder.graph.state.values()}
        unit = _unit(recorder, space)
        for name in names:
            item = space.get(name)
            if isinstance(item, numpy.ndarray) or type(item).__module__.partition(".")[0] in _LIBRARIES:
                comes_back, source = (False, None) if unit is None else variable_comes_back(unit, name)
                if comes_back:
                    _note(recorder, name, item, functools.partial(space.get, name), source)
            elif is_own_object(item) or isinstance(item, (list, tuple, dict)):
                for label, part, steps in _parts(item, name, ()):
                    if _is_held(part, constants):
                        source = recorder.made_at(part) if isinstance(part, torch.Tensor) else None
                        _note(recorder, label, part, functools.partial(_now, space, name, steps), source)


def _unit(recorder: Recorder, space: Mapping[str, Any]) -> Unit | None:
    parents = parents_of(recorder.graph.cell)
    if not parents:
        return None
    root = next(iter(parents))
    while root in parents:
        root = parents[root]
    return Unit(recorder.graph.cell, parents, root, dict(space))


def _is_held(item: Any, constants: set[int]) -> bool:
    """Whether it is a constant of the trace, or a module that has one."""
    if isinstance(item, torch.nn.Module):
        return any(id(part) in constants for part in (*item.parameters(), *item.buffers()))
    return isinstance(item, torch.Tensor) and id(item) in constants


def _parts(item: Any, label: str, steps: tuple[Any, ...]) -> Iterator[tuple[str, Any, tuple[Any, ...]]]:
    """The tensors and modules in an object, each with how code would write it."""
    if isinstance(item, (torch.Tensor, torch.nn.Module)):
        yield label, item, steps
        return
    if len(steps) >= _DEEPEST:
        return
    if isinstance(item, (list, tuple, dict)):
        pairs = item.items() if isinstance(item, dict) else enumerate(item)
        if len(item) <= _MOST_PARTS:
            for key, part in pairs:
                if type(key) in (int, str):
                    yield from _parts(part, f"{label}[{key!r}]", (*steps, (True, key)))
    elif is_own_object(item):
        for name, part in attributes_of(item).items():
            yield from _parts(part, f"{label}.{name}", (*steps, (False, name)))


def _now(space: Mapping[str, Any], name: str, steps: tuple[Any, ...]) -> Any:
    """What stands at a place now; None where there is nothing."""
    found: Any = space.get(name)
    try:
        for is_key, step in steps:
            found = found[step] if is_key else getattr(found, step)
    except (LookupError, AttributeError, TypeError):
        return None
    return found


def _note(recorder: Recorder, subject: str, item: Any, now: Callable[[], Any], source: Source | None) -> None:
    try:
        kept: Callable[[], Any] = weakref.ref(item)
    except TypeError:
        kept = functools.partial(lambda same: same, item)
    word = _WORDS.get(type(item).__name__, type(item).__name__)
    then = Words(f"{'an' if word[:1].lower() in tuple('aeiou') else 'a'} {word} as it was")
    probe = functools.partial(_told, now, kept, _print_of(item), then)
    recorder.graph.assumptions.append(Assumption(AssumptionKind.VARIABLE, subject, then, source, probe=probe))


def _told(now: Callable[[], Any], kept: Callable[[], Any], before: int | None, then: Words) -> Words:
    item = now()
    if item is None or item is not kept():
        # An equal one gives the same.
        return then if item is not None and before is not None and _print_of(item) == before else _OTHER
    return then if before is None or _print_of(item) == before else _WRITTEN


def _print_of(item: Any) -> int | None:
    """A number that another content would not have; None for what is too large, and tensors, which are kept."""
    if isinstance(item, (torch.Tensor, torch.nn.Module)) or _bytes_in(item) > _MOST_BYTES:
        return None
    try:
        return zlib.crc32(pickle.dumps(item, protocol=5))
    except Exception:
        return None


def _bytes_in(item: Any) -> int:
    if isinstance(item, numpy.ndarray):
        return int(item.nbytes)
    usage = getattr(item, "memory_usage", None)
    if usage is not None:
        return int(numpy.sum(usage()))
    size = getattr(item, "size", None)
    return int(numpy.prod(size)) * 4 if isinstance(size, (int, tuple)) else _MOST_BYTES + 1
