"""Rounds of loops as scopes: in the graph of a cell, each round of a training loop is a block, and equal ones fold.

Which round of which loop an operator belongs to is read off the places in the code where operators are called, one
after the other: where the next one stands before the last, the innermost loop around both has begun a new round. Loops
inside a module's `forward` are no rounds: their modules are blocks already.
"""

from __future__ import annotations

import ast
import dis
from dataclasses import dataclass
from types import CodeType
from typing import Any

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.syntax import loops_of
from tracelab.graph.by_code import by_code
from tracelab.graph.scope import Scope
from tracelab.graph.source import Source

_LONGEST = 48

Loop = tuple[int, int]
"""The offsets of the first and the last instruction of a loop."""


@dataclass(slots=True)
class _Round:
    """A round that goes on: the depth of the frame of its loop, the loop, and its scope."""

    depth: int
    code: CodeType
    loop: Loop
    scope: Scope


class Rounds:
    """The rounds that go on at the place that was seen last."""

    def __init__(self, root: Scope, cell: str) -> None:
        self.root = root
        self.cell = cell
        """The file name of the cell."""
        self.open: list[_Round] = []
        self.last: tuple[tuple[CodeType, int], ...] = ()
        self.last_module: Any = None
        self._counts: dict[tuple[int, str], int] = {}
        self._kept: list[CodeType] = []

    @property
    def scope(self) -> Scope:
        """That of the innermost round, or the root."""
        return self.open[-1].scope if self.open else self.root

    def see(self, source: Source | None, scope: Scope, module: Any = None) -> Scope:
        """The scope of what is called at a place; `scope` is that in which it is called now.

        `module` is the module that is called there: called again at the same place, a round has ended in between.
        """
        if source is None or scope is not self.scope:
            return scope
        place = self._inside(source.stack[::-1])
        if place != self.last or (module is not None and module is self.last_module):
            depth = _first_difference(self.last, place)
            if depth == len(place) == len(self.last):
                depth -= 1
            self._move(place, depth)
            self.last, self.last_module = place, module
        elif module is not None:
            self.last_module = module
        return self.scope

    def _inside(self, stack: tuple[tuple[CodeType, int], ...]) -> tuple[tuple[CodeType, int], ...]:
        """Without the event loop that runs the cell, whose rounds are none of it."""
        first = next((index for index, (code, _) in enumerate(stack) if code.co_filename == self.cell), None)
        if first is None:
            # A task that the cell waits for: no frame of the cell is below it.
            first = next((index for index, (code, _) in enumerate(stack) if not is_library(code)), 0)
        return stack[first:]

    def _move(self, place: tuple[tuple[CodeType, int], ...], depth: int) -> None:
        ended = self._ended(place, depth)
        kept = []
        for item in self.open:
            if item is ended or item.depth > depth:
                break
            code, offset = place[item.depth] if item.depth < len(place) else (None, -1)
            if code is not item.code or not item.loop[0] <= offset <= item.loop[1]:
                break
            kept.append(item)
        self.open = kept
        known = {(item.depth, item.loop) for item in kept}
        for level, (code, offset) in enumerate(place):
            for loop in _loops(code):
                if loop[0] <= offset <= loop[1] and (level, loop) not in known:
                    self._begin(level, code, loop)

    def _begin(self, depth: int, code: CodeType, loop: Loop) -> None:
        name = _header(code, *loop)
        outer = self.scope
        key = (id(outer), f"{id(code)} {loop}")
        number = self._counts.get(key, 0)
        self._counts[key] = number + 1
        self._kept.append(code)
        self.open.append(_Round(depth, code, loop, Scope("round", name, outer, number)))

    def _ended(self, place: tuple[tuple[CodeType, int], ...], depth: int) -> _Round | None:
        """The round that has ended because what stands at `place` comes before what was called last."""
        if depth >= len(place) or depth >= len(self.last):
            return None
        (code, offset), (code_before, before) = place[depth], self.last[depth]
        if code is not code_before or offset > before:
            return None
        around = [item for item in self.open if item.depth <= depth]
        for item in reversed(around):
            if item.depth < depth or item.loop[0] <= offset <= item.loop[1]:
                return item
        return None


def _first_difference(before: tuple[Any, ...], now: tuple[Any, ...]) -> int:
    for depth, (one, other) in enumerate(zip(before, now, strict=False)):
        if one[0] is not other[0] or one[1] != other[1]:
            return depth
    return min(len(before), len(now))


@by_code
def _loops(code: CodeType) -> list[Loop]:
    """The loops of code, outer ones first."""
    found: dict[int, int] = {}
    for item in dis.get_instructions(code):
        # The last one waits in an `await`.
        if "JUMP_BACKWARD" in item.opname and item.opname != "JUMP_BACKWARD_NO_INTERRUPT":
            start = int(item.argval)
            found[start] = max(found.get(start, 0), item.offset)
    return sorted(found.items(), key=lambda loop: (loop[0], -loop[1]))


@by_code
def _header(code: CodeType, first: int, last: int) -> str:
    """A loop as its first line says it: `for xb, yb in loader`."""
    lines = [line for start, end, line in code.co_lines() if line is not None and first <= start <= last]
    ends = min(lines, default=0), max(lines, default=0)
    around = [item for item in loops_of(code.co_filename) if _holds(item, *ends)]
    if not around:
        return "loop"
    loop = max(around, key=lambda item: (item.lineno, item.col_offset))
    if isinstance(loop, ast.While):
        text = f"while {ast.unparse(loop.test)}"
    else:
        generator = loop if isinstance(loop, ast.For | ast.AsyncFor) else loop.generators[0]
        target = ast.unparse(generator.target)
        bare = isinstance(generator.target, ast.Tuple) and target.startswith("(")
        text = f"for {target[1:-1].rstrip(',') if bare else target} in {ast.unparse(generator.iter)}"
    return text if len(text) <= _LONGEST else text[: _LONGEST - 1] + "…"


def _holds(item: Any, first: int, last: int) -> bool:
    return bool(item.lineno <= first and last <= (item.end_lineno or item.lineno))
