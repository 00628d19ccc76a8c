"""Calls that gave back their argument itself: `x.float()` of a `float32`, `x.contiguous()` where it is contiguous.

From then on the recording takes the tensor for the result. On an input for which the result is another tensor, code
that goes on with the argument under its old name would see the result instead.
"""

from __future__ import annotations

import dis
from types import CodeType, FrameType
from typing import Any

from tracelab.graph.by_code import by_code
from tracelab.graph.source import bound_names, is_inner


def is_kept(tensor: Any, frame: FrameType | None, boundary: Any) -> bool:
    """Whether a variable still holds the argument after the call at this frame, beside one that the result is for."""
    inner = True
    while frame is not None and frame.f_code is not boundary:
        if not is_inner(frame.f_code):
            overwritten = bound_names(frame.f_code, frame.f_lasti) if inner else ()
            inner = False
            for name, item in frame.f_locals.items():
                if (
                    name not in overwritten
                    and _holds(item, tensor)
                    and _is_used_later(frame.f_code, frame.f_lasti, name)
                ):
                    return True
        frame = frame.f_back
    return False


@by_code
def _is_used_later(code: CodeType, offset: int, name: str) -> bool:
    """Whether a variable is asked for behind an instruction, in a loop around it, or twice in its own statement.

    In `x * x.float()` the first is read before the call, and used after it.
    """
    if name not in code.co_varnames or name in code.co_cellvars:
        return True
    listing = list(dis.get_instructions(code))
    begun = max((item.offset for item in listing if item.offset < offset and _ends_statement(item)), default=-1)
    if sum(begun < item.offset <= offset and "LOAD" in item.opname and _names(item, name) for item in listing) > 1:
        return True
    around = [item.argval for item in listing if "JUMP_BACKWARD" in item.opname and item.argval <= offset < item.offset]
    first = min((offset + 1, *around))
    return any(item.offset >= first and "LOAD" in item.opname and _names(item, name) for item in listing)


def _ends_statement(item: dis.Instruction) -> bool:
    return item.opname.startswith(("STORE_", "POP_TOP", "RETURN", "RESUME"))


def _names(item: dis.Instruction, name: str) -> bool:
    return item.argval == name or (isinstance(item.argval, tuple) and name in item.argval)


def _holds(item: Any, tensor: Any) -> bool:
    if item is tensor:
        return True
    if type(item) in (list, tuple):
        return len(item) <= 100 and any(part is tensor for part in item)
    return type(item) is dict and len(item) <= 100 and any(part is tensor for part in item.values())
