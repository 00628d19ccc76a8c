"""Whether the user's code catches what an operator raises: a trace knows nothing of what it does then."""

from __future__ import annotations

import dis
from types import CodeType
from typing import Any

from tracelab.graph.by_code import by_code
from tracelab.graph.ir import Node

_BEGINNING = 8
"""Among so many instructions of a handler stands the class that it catches."""


def is_caught(node: Node) -> bool:
    """Whether the line of a node, or that of a caller, stands in a `try` with an `except`."""
    return node.source is not None and any(_catches(code, offset) for code, offset in node.source.stack)


@by_code
def _catches(code: CodeType, offset: int) -> bool:
    listing = list(dis.get_instructions(code))
    entries: Any = getattr(dis.Bytecode(code), "exception_entries", ())
    for entry in entries:
        if entry.start <= offset < entry.end:
            handler = [item.opname for item in listing if item.offset >= entry.target][:_BEGINNING]
            # A `with` and a `finally` raise the error again.
            if handler[:1] == ["PUSH_EXC_INFO"] and ("CHECK_EXC_MATCH" in handler or handler[1:2] == ["POP_TOP"]):
                return True
    return False
