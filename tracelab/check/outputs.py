"""Two results of the same call, compared: their structure, and how far their values are apart."""

from __future__ import annotations

import math
from collections import deque
from collections.abc import ItemsView, Iterator, Mapping, ValuesView
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from tracelab.capture.values import leaf_copy
from tracelab.check.memory import has_data
from tracelab.graph.callables.wrappers import wrapped_parts
from tracelab.graph.objects import attributes_of, fields_of, holds_tensor, is_object
from tracelab.graph.output_names import Step, dict_step, is_container, written
from tracelab.graph.tree import AS_GIVEN
from tracelab.graph.types import counted

ABSOLUTE_TOLERANCE = 1e-5
_DEEPEST = 20


@dataclass(frozen=True, slots=True)
class ErrorSize:
    """How far two tensors are apart: the greatest absolute and relative difference, and how many elements differ."""

    absolute: float
    relative: float
    count: int
    total: int
    place: tuple[int, ...] = ()
    """Where the greatest absolute difference is."""

    def __str__(self) -> str:
        at = f" at [{', '.join(map(str, self.place))}]" if self.place else ""
        verb = "differs" if self.count == 1 else "differ"
        return (
            f"{self.count:,} of {counted(self.total, 'element')} {verb}. "
            f"Greatest absolute difference: {self.absolute:.6g}{at}, greatest relative difference: {self.relative:.3g}"
        )


@dataclass(frozen=True, slots=True)
class Mismatch:
    """An output (counted from 1; 0 for the structure of the whole) that is not as Python's."""

    output: int
    description: str
    error: ErrorSize | None = None
    path: str = ""
    """Where it is in the result: `past_key_values.0.keys`; empty where that has only numbers."""

    @property
    def size(self) -> float:
        """For putting the worst first; a wrong shape or structure is worse than any number."""
        return math.inf if self.error is None or math.isnan(self.error.absolute) else self.error.absolute

    def __str__(self) -> str:
        if self.output == 0:
            return self.description
        place = f" ({self.path})" if self.path else ""
        return (
            f"Output nr {self.output}.{place} of the traced function does not match the corresponding output of the "
            f"Python function: {self.description}"
        )


def mismatches(expected: Any, found: Any, tolerance: float) -> tuple[Mismatch, ...]:
    """Where `found` is not `expected`, within a relative tolerance; empty where it is."""
    wanted_leaves, found_leaves = list(leaves(expected)), list(leaves(found))
    if len(wanted_leaves) != len(found_leaves):
        description = f"the Python function returned {_tensors(wanted_leaves)} and its trace {len(found_leaves)}"
        return (Mismatch(0, description),)
    mine, theirs = structure(expected), structure(found)
    if mine != theirs:
        return (Mismatch(0, f"the Python function returned {mine} and its trace {theirs}"),)
    rows: list[Mismatch] = []
    paths: list[str] = []
    for number, (wanted, got) in enumerate(zip(wanted_leaves, found_leaves, strict=True), 1):
        difference = _difference(wanted, got, tolerance)
        if difference is not None:
            error = difference if isinstance(difference, ErrorSize) else None
            paths = paths or [written(steps) for steps in _paths(expected, ())]
            rows.append(Mismatch(number, str(difference), error, paths[number - 1]))
    return tuple(rows)


def _tensors(items: list[Any]) -> str:
    return counted(len(items), "tensor")


def given_as_they_are(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments that code gets itself, not copies of them, and that a call changes."""
    return [item for item in leaves((args, kwargs)) if isinstance(item, (torch.Generator, *AS_GIVEN))]


def leaves(item: Any) -> Iterator[Any]:
    """What is in a nested structure of mappings, tuples and lists, in order; without None."""
    if isinstance(item, Mapping):
        for child in item.values():
            yield from leaves(child)
    elif isinstance(item, (tuple, list, deque, ValuesView, ItemsView)):
        for child in item:
            yield from leaves(child)
    elif (fields := fields_of(item)) is not None:
        yield from leaves(fields)
    elif item is not None:
        yield item


def _paths(item: Any, steps: tuple[Step, ...]) -> Iterator[tuple[Step, ...]]:
    """The path of each of the leaves."""
    if isinstance(item, Mapping):
        name = "" if type(item) is dict else type(item).__name__
        for key, child in item.items():
            yield from _paths(child, (*steps, dict_step(name, key)))
    elif isinstance(item, (tuple, list, deque, ValuesView, ItemsView)):
        fields = getattr(item, "_fields", None)
        for index, child in enumerate(item):
            yield from _paths(child, (*steps, ("field", fields[index]) if fields else ("index", index)))
    elif (held := fields_of(item)) is not None:
        inner = [part for part in held.values() if holds_tensor(part, {id(item)}, 0)]
        container = is_container(type(item))
        for name, child in held.items():
            skipped = container and len(inner) == 1 and child is inner[0] and not isinstance(child, Tensor)
            yield from _paths(child, steps if skipped else (*steps, ("field", name)))
    elif item is not None:
        yield steps


def structure(item: Any) -> str:
    """The nesting in short: `(tensor, {'a', 'b'})`; tuples, lists and named tuples are one kind."""
    if isinstance(item, Mapping):
        return "{" + ", ".join(f"{str(key)!r}: {structure(child)}" for key, child in item.items()) + "}"
    if isinstance(item, (tuple, list, deque)):
        # A trace returns a tuple where Python returned a list of one kind.
        return "(" + ", ".join(structure(child) for child in item) + ")"
    fields = fields_of(item)
    if fields is not None:
        return type(item).__name__ + structure(fields)
    return "None" if item is None else "tensor"


def structural(item: Any, depth: int = 0) -> Any:
    """What is in objects without tensors, as tuples that can be compared."""
    if depth > _DEEPEST:
        return None
    if isinstance(item, Mapping):
        return type(item).__name__, tuple((key, structural(part, depth + 1)) for key, part in item.items())
    if isinstance(item, (tuple, list, deque)):
        return type(item).__name__, tuple(structural(part, depth + 1) for part in item)
    if is_object(item):
        return type(item).__name__, structural(attributes_of(item), depth + 1)
    if isinstance(item, numpy.ndarray):
        return item.dtype, item.shape, item.tobytes()
    cls: Any = type(item)
    return cls if cls.__eq__ is object.__eq__ and not callable(item) else item


def _equal(wanted: Any, got: Any) -> bool:
    """Whether two values of Python's are equal; objects that compare by identity are, where they are of one class."""
    cls: Any = type(wanted)
    if isinstance(wanted, numpy.ndarray):
        return cls is type(got) and structural(wanted) == structural(got)
    if is_object(wanted) and not holds_tensor(wanted, set(), 0):
        return cls is type(got) and structural(wanted) == structural(got)
    if cls.__eq__ is object.__eq__ and not callable(wanted):
        return cls is type(got)
    return bool(wanted == got)


def _difference(wanted: Any, got: Any, tolerance: float) -> ErrorSize | str | None:
    if not isinstance(wanted, Tensor) and not isinstance(got, Tensor):
        if isinstance(wanted, numpy.ndarray):
            return None if _equal(wanted, got) else f"{got!r} where the Python function has {wanted!r}"
        same = _equal(wanted, got) or (isinstance(wanted, float) and math.isclose(wanted, got, rel_tol=tolerance))
        return None if same or wanted != wanted else f"{got!r} where the Python function has {wanted!r}"
    if isinstance(wanted, Tensor) and isinstance(got, Tensor):
        for name in ("dtype", "device"):
            mine, theirs = getattr(got, name), getattr(wanted, name)
            if mine != theirs:
                return f"its {name} is {mine} where the Python function's is {theirs}"
    x, y = _plain(got), _plain(wanted)
    if isinstance(x, list) or isinstance(y, list):
        if not isinstance(x, list) or not isinstance(y, list) or len(x) != len(y):
            return "a nested or wrapping tensor of another length"
        parts = (_difference(mine, theirs, tolerance) for mine, theirs in zip(y, x, strict=True))
        return next((part for part in parts if part is not None), None)
    if x.shape != y.shape:
        return f"its shape is {list(x.shape)} where the Python function's is {list(y.shape)}"
    if not has_data(x) or not has_data(y):
        return None
    with torch.no_grad():
        return _error(x, y, tolerance)


def _error(got: Tensor, wanted: Tensor, tolerance: float) -> ErrorSize | None:
    if got.dtype == wanted.dtype and got.device == wanted.device and torch.equal(got, wanted):
        return None
    got = got.to(wanted.device)
    # A number that torch wrapped may differ in dtype.
    exact = not (got.is_floating_point() or got.is_complex() or wanted.is_floating_point() or wanted.is_complex())
    wide = torch.complex128 if got.is_complex() or wanted.is_complex() else torch.float64
    if exact:
        wide = torch.int64
    x, y = got.to(wide), wanted.to(wide)
    close = torch.isclose(x, y, rtol=tolerance, atol=ABSOLUTE_TOLERANCE, equal_nan=True)
    if bool(close.all()):
        return None
    apart = (x.to(torch.float64) - y.to(torch.float64)).abs() if exact else (x - y).abs()
    apart = torch.where(close, torch.zeros_like(apart), apart)
    apart = torch.where(apart != apart, torch.full_like(apart, math.inf), apart)
    relative = apart / y.abs()
    relative = torch.where(close | (relative != relative), torch.zeros_like(relative), relative)
    flat = int(apart.argmax())
    place = tuple(int(part) for part in torch.unravel_index(torch.tensor(flat), apart.shape)) if apart.dim() else ()
    return ErrorSize(float(apart.max()), float(relative.max()), int((~close).sum()), close.numel(), place)


def _plain(item: Any) -> Any:
    if not isinstance(item, Tensor):
        return torch.as_tensor(item)
    parts = wrapped_parts(item)
    if parts:
        return list(parts.values())
    item = item.detach()
    if item.is_quantized:
        return item.dequantize()
    if item.is_nested:
        return list(item.unbind())
    return item.to_dense() if item.layout is not torch.strided else item


def cloned(item: Any, known: dict[int, Any] | None = None) -> Any:
    """The same structure with its tensors copied, so that running a function on them changes nothing else.

    A tensor that stands twice in the structure is one tensor in the copy, too.
    """
    known = {} if known is None else known
    if isinstance(item, Tensor):
        if item.layout is not torch.strided or item.is_nested or not has_data(item):
            return item
        if id(item) not in known:
            known[id(item)] = leaf_copy(item)
        return known[id(item)]
    if isinstance(item, tuple):
        children = [cloned(child, known) for child in item]
        return type(item)(*children) if hasattr(item, "_fields") else tuple(children)
    if isinstance(item, list):
        return [cloned(child, known) for child in item]
    if isinstance(item, dict):
        return {key: cloned(child, known) for key, child in item.items()}
    return item
