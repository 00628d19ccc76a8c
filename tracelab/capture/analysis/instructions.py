"""Where a frame stands in the instructions of its code."""

from __future__ import annotations

import dis
from types import CodeType, FrameType

_NO_STEP = ("CACHE", "EXTENDED_ARG")


def listing_at(code: CodeType, offset: int) -> tuple[list[dis.Instruction], int | None]:
    """The instructions that do something, and which of them stands at an offset; None where none does."""
    listing = [item for item in dis.get_instructions(code) if item.opname not in _NO_STEP]
    return listing, next((at for at, item in enumerate(listing) if item.offset == offset), None)


def drops_result(frame: FrameType) -> bool:
    """Whether what the call that a frame waits for gives goes nowhere."""
    code = frame.f_code.co_code
    following = (at for at in range(frame.f_lasti + 2, len(code), 2) if code[at] not in _NOTHING)
    return code[next(following, 0)] == dis.opmap["POP_TOP"]


_NOTHING = frozenset(dis.opmap[name] for name in ("CACHE", "NOP", "EXTENDED_ARG") if name in dis.opmap)
