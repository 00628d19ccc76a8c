"""Comparisons that another one makes needless: in `length == 1 or keys == length`, where the second holds.

Had the first held, too, the whole would be what it is: as long as the second is as it was, the first decides nothing.
"""

from __future__ import annotations

import ast
import dis
from dataclasses import dataclass
from types import CodeType, FrameType

from tracelab.capture.analysis.syntax import Parents, expression_of
from tracelab.graph.assumptions import Assumption
from tracelab.graph.by_code import by_code

_BETWEEN = ("CACHE", "EXTENDED_ARG", "COPY", "TO_BOOL", "NOT_TAKEN", "NOP")


@dataclass(frozen=True, slots=True)
class Operand:
    """A comparison that is one of the two sides of an `and` or `or`."""

    whole: ast.BoolOp
    first: bool


class LastOperand:
    """The comparison that was asked for last, where it is the first side of an `and` or `or`."""

    def __init__(self) -> None:
        self._frame = 0
        self._whole: ast.BoolOp | None = None
        self._assumption: Assumption | None = None

    def needless(self, frame: FrameType, truth: bool, added: Assumption | None) -> Assumption | None:
        """The assumption on the first side that the second, which was found now, makes needless; None for none.

        `added` is the assumption on what was found now; None where there is none, or it was there before.
        """
        before, whole = self._assumption, self._whole
        at = _operand(frame)
        self._assumption = None
        if at is None or added is None:
            return None
        if at.first:
            # `a or b` goes on where `a` does not hold, `a and b` where it does.
            if truth is isinstance(at.whole.op, ast.And):
                self._frame, self._whole, self._assumption = id(frame), at.whole, added
            return None
        decides = truth is isinstance(at.whole.op, ast.Or)
        return before if decides and whole is at.whole and self._frame == id(frame) else None


def _operand(frame: FrameType) -> Operand | None:
    """Which side the comparison is that this frame has just made; None for one that is no side of two."""
    offset = _comparison(frame.f_code, frame.f_lasti)
    found = None if offset is None else expression_of(frame.f_code, offset)
    if found is None or not isinstance(found[1], ast.Compare):
        return None
    parents: Parents = found[0]
    whole = parents.get(found[1])
    if not isinstance(whole, ast.BoolOp) or len(whole.values) != 2:
        return None
    return Operand(whole, whole.values[0] is found[1])


@by_code
def _comparison(code: CodeType, offset: int) -> int | None:
    """Where the instruction stands that compared, of the one that asks for the truth."""
    listing = [item for item in dis.get_instructions(code) if item.offset <= offset]
    for item in reversed(listing):
        if item.opname == "COMPARE_OP":
            return int(item.offset)
        if item.offset != offset and item.opname not in _BETWEEN:
            return None
    return None
