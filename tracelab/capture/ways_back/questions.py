"""What is asked of code that is read: where a value comes back, and what takes a number."""

from __future__ import annotations

import ast
import contextlib
from collections.abc import Callable
from dataclasses import dataclass, field
from types import CodeType, FrameType

from tracelab.capture.analysis.syntax import expression_at
from tracelab.capture.ways_back.callees import Unknown, own_frame
from tracelab.capture.ways_back.reader import Reader, Span, WayBack
from tracelab.capture.ways_back.unit import Unit
from tracelab.graph.source import Source


@dataclass(slots=True)
class Ways:
    """The ways of the value of one place.

    `passed` are the expressions that it goes through: where an operator is called right there, it has come back, too.
    """

    found: list[WayBack] = field(default_factory=list)
    passed: set[Span] = field(default_factory=set)
    later: list[Callable[[], None]] = field(default_factory=list)
    """What is to be noted once it comes back."""


@dataclass(frozen=True, slots=True)
class Takers:
    """What takes a number: `plain` is code that takes no other, `builds` makes modules, such as `nn.Linear(n, 2)`."""

    plain: bool
    builds: bool


_TAKEN_NOWHERE = Takers(False, False)


def ways_back(frame: FrameType | None, boundary: CodeType | None) -> Ways | None:
    """Where the value that the instruction of this frame makes comes back; None where that cannot be told."""
    reader = Reader(boundary)
    try:
        reader.at_frame(own_frame(frame, boundary))
    except (Unknown, RecursionError):
        return None
    return Ways(reader.found, reader.passed - {(way.source.file, *span_of(way.source)) for way in reader.found})


def takers_of(frame: FrameType | None, boundary: CodeType | None, count: int) -> list[Takers]:
    """What the number that the instruction of this frame makes goes to; of a tuple of `count`, each."""
    at = None if frame is None else expression_at(frame)
    outer = None if at is None else at[0].get(at[1])
    if frame is not None and at is not None and count > 1:
        if isinstance(outer, ast.Subscript) and outer.value is at[1]:
            place = _constant(outer.slice)
            if place is not None and -count <= place < count:
                whole = _taken(frame, boundary)
                return [whole if part == place % count else _TAKEN_NOWHERE for part in range(count)]
        if isinstance(outer, ast.Assign) and outer.value is at[1] and len(outer.targets) == 1:
            targets = getattr(outer.targets[0], "elts", ())
            if len(targets) == count and all(isinstance(target, ast.Name) for target in targets):
                return [_taken(frame, boundary, target) for target in targets]
    return [_taken(frame, boundary)] * count


def _taken(frame: FrameType | None, boundary: CodeType | None, target: ast.AST | None = None) -> Takers:
    reader = Reader(boundary)
    # What was read until it was not known any more counts.
    with contextlib.suppress(Unknown, RecursionError):
        reader.at_frame(own_frame(frame, boundary), target)
    return Takers(reader.plain, reader.builds)


def _constant(item: ast.AST) -> int | None:
    if isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.USub):
        inner = _constant(item.operand)
        return None if inner is None else -inner
    return item.value if isinstance(item, ast.Constant) and type(item.value) is int else None


def variable_comes_back(unit: Unit, name: str) -> tuple[bool, Source | None]:
    """Whether what a variable of a cell holds as it begins becomes a part of a tensor, or may, and where it does."""
    reader = Reader(None)
    known = True
    try:
        reader.variable(unit, name)
    except (Unknown, RecursionError):
        known = False
    source = next((way.source for way in reader.found if not way.branches), None)
    return source is not None or not known, source


def span_of(source: Source) -> tuple[int, int, int, int]:
    """First line, last line, first column, last column."""
    return source.line, source.end_line, source.column, source.end_column
