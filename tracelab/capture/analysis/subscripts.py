"""What the code does with a shape that it reads: `x.shape[0]` is right for any number of dimensions."""

from __future__ import annotations

from types import CodeType, FrameType

from tracelab.capture.analysis.instructions import listing_at
from tracelab.graph.by_code import by_code


def takes_from_the_front(frame: FrameType | None) -> bool:
    """Whether the instruction after this frame's takes one item, counted from the front."""
    return frame is not None and _takes_from_the_front(frame.f_code, frame.f_lasti)


@by_code
def _takes_from_the_front(code: CodeType, offset: int) -> bool:
    listing, index = listing_at(code, offset)
    if index is None or index + 2 >= len(listing):
        return False
    number, then = listing[index + 1 : index + 3]
    subscript = then.opname == "BINARY_SUBSCR" or (then.opname == "BINARY_OP" and then.argrepr == "[]")
    return (
        number.opname in ("LOAD_CONST", "LOAD_SMALL_INT")
        and type(number.argval) is int
        and number.argval >= 0
        and subscript
    )
