"""What the code does with a shape that it reads: `x.shape[0]` is right for any number of dimensions."""

from __future__ import annotations

from types import CodeType, FrameType

from tracelab.capture.analysis.instructions import listing_at
from tracelab.graph.by_code import by_code


def taken_from_the_front(frame: FrameType | None) -> int | None:
    """Which item the instruction after this frame's takes, counted from the front; None where it does not."""
    return None if frame is None else _taken_from_the_front(frame.f_code, frame.f_lasti)


@by_code
def _taken_from_the_front(code: CodeType, offset: int) -> int | None:
    listing, index = listing_at(code, offset)
    if index is None or index + 2 >= len(listing):
        return None
    number, then = listing[index + 1 : index + 3]
    subscript = then.opname == "BINARY_SUBSCR" or (then.opname == "BINARY_OP" and then.argrepr == "[]")
    item = number.argval
    counted = number.opname in ("LOAD_CONST", "LOAD_SMALL_INT") and type(item) is int and item >= 0
    return item if counted and subscript else None
