"""Whether the text of a number is only shown: `print(f"{x.shape}")` decides nothing, `cache[f"{h}x{w}"]` does."""

from __future__ import annotations

import functools
from types import CodeType, FrameType

from tracelab.capture.analysis.instructions import listing_at

_SHOWS = frozenset("print warn warning debug info error critical log exception write set_description".split())
_ENDS = ("STORE", "POP_TOP", "RETURN", "RESUME", "YIELD", "DELETE")
_RAISED = ("Error", "Exception", "Warning")


def is_only_shown(frame: FrameType | None) -> bool:
    """Whether the statement at this frame prints, logs, warns or raises."""
    return frame is None or _is_only_shown(frame.f_code, frame.f_lasti)


@functools.lru_cache(maxsize=8192)
def _is_only_shown(code: CodeType, offset: int) -> bool:
    listing, index = listing_at(code, offset)
    if index is None:
        return True
    at = index
    while at > 0 and not listing[at - 1].opname.startswith(_ENDS) and "JUMP" not in listing[at - 1].opname:
        at -= 1
        item = listing[at]
        name = str(item.argval) if item.opname.startswith("LOAD") else ""
        if name in _SHOWS or name.endswith(_RAISED):
            return True
    return False
