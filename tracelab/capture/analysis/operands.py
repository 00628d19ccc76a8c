"""Comparisons that another one makes needless: in `length == 1 or keys == length`, where the second holds.

Had the first held, too, the whole would be what it is: as long as the second is as it was, the first decides nothing.
So it is in `length > 1 and mask is None`, where there is a mask.
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


def is_overruled(frame: FrameType, truth: bool) -> bool:
    """Whether what follows the comparison that this frame has just made is False in `a and b`, or True in `a or b`.

    Of what follows, only values of Python's in variables are looked at, and whether one is None.
    """
    found = _compared(frame)
    if found is None or truth is not isinstance(found[0].op, ast.And):
        return False
    whole, compared = found
    for item in whole.values[whole.values.index(compared) + 1 :]:
        value = _plain_truth(item, frame)
        if value is not truth:
            return value is not None
    return False


def _plain_truth(item: ast.expr, frame: FrameType) -> bool | None:
    """What an expression of Python's own values is; None where it is anything else than True or False, or not known."""
    if isinstance(item, ast.Constant) and type(item.value) is bool:
        return item.value
    if isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.Not):
        value = _plain_truth(item.operand, frame)
        return None if value is None else not value
    if isinstance(item, ast.Compare) and len(item.ops) == 1 and isinstance(item.left, ast.Name):
        other = item.comparators[0]
        if isinstance(item.ops[0], (ast.Is, ast.IsNot)) and isinstance(other, ast.Constant) and other.value is None:
            known = frame.f_locals
            if item.left.id in known:
                return (known[item.left.id] is None) is isinstance(item.ops[0], ast.Is)
    if isinstance(item, ast.Name):
        held = frame.f_locals.get(item.id)
        return held if type(held) is bool else None
    return None


def _operand(frame: FrameType) -> Operand | None:
    """Which side the comparison is that this frame has just made; None for one that is no side of two."""
    found = _compared(frame)
    if found is None or len(found[0].values) != 2:
        return None
    whole, compared = found
    return Operand(whole, whole.values[0] is compared)


def _compared(frame: FrameType) -> tuple[ast.BoolOp, ast.Compare] | None:
    """The comparison that this frame has just made, and the `and` or `or` that it is a part of."""
    offset = comparison_before(frame.f_code, frame.f_lasti)
    found = None if offset is None else expression_of(frame.f_code, offset)
    if found is None or not isinstance(found[1], ast.Compare):
        return None
    parents: Parents = found[0]
    whole = parents.get(found[1])
    return (whole, found[1]) if isinstance(whole, ast.BoolOp) else None


@by_code
def comparison_before(code: CodeType, offset: int) -> int | None:
    """Where the instruction stands that compared, of the one that asks for the truth."""
    listing = [item for item in dis.get_instructions(code) if item.offset <= offset]
    for item in reversed(listing):
        if item.opname == "COMPARE_OP":
            return int(item.offset)
        if item.offset != offset and item.opname not in _BETWEEN:
            return None
    return None
