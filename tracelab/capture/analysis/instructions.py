"""Where a frame stands in the instructions of its code."""

from __future__ import annotations

import dis
from types import CodeType

_NO_STEP = ("CACHE", "EXTENDED_ARG")


def listing_at(code: CodeType, offset: int) -> tuple[list[dis.Instruction], int | None]:
    """The instructions that do something, and which of them stands at an offset; None where none does."""
    listing = [item for item in dis.get_instructions(code) if item.opname not in _NO_STEP]
    return listing, next((at for at, item in enumerate(listing) if item.offset == offset), None)
