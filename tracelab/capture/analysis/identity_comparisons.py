"""Where code asks whether two of its values are one object: `key is value`, `xs[0] is xs[1]`, `id(q) == id(k)`."""

from __future__ import annotations

import dis
from types import CodeType

from tracelab.capture.analysis.type_comparisons import parts_of
from tracelab.graph.by_code import by_code

_LOADS = ("LOAD_FAST", "LOAD_DEREF")
_PARTS = ("BINARY_SUBSCR", "BINARY_OP")
"""How a value is taken out of a container: newer versions of Python have one instruction for all such operators."""
_NEAR = 12
"""Instructions between two calls of `id` that are compared."""


@by_code
def identity_comparisons(code: CodeType) -> list[tuple[CodeType, int]]:
    """The places of the comparisons, each a code object and an offset: those of functions inside it are among them."""
    found = []
    for part in parts_of(code):
        listing = [item for item in dis.get_instructions(part) if item.opname not in ("CACHE", "EXTENDED_ARG")]
        for at, item in enumerate(listing):
            before = listing[max(at - 2, 0) : at]
            if item.opname == "IS_OP" and before and (_loads_variables(before) or before[-1].opname in _PARTS):
                found.append((part, item.offset))
            elif item.opname == "COMPARE_OP" and _asks_twice(listing[max(at - _NEAR, 0) : at]):
                found.append((part, item.offset))
    return found


def _asks_twice(before: list[dis.Instruction]) -> bool:
    """Whether `id` is asked of two values."""
    return sum(item.argval == "id" and item.opname in ("LOAD_GLOBAL", "LOAD_NAME") for item in before) == 2


def _loads_variables(before: list[dis.Instruction]) -> bool:
    """Whether both operands are variables; newer versions of Python load two at once."""
    if before[-1].opname.count("LOAD_FAST") == 2:
        return True
    return len(before) == 2 and all(item.opname.startswith(_LOADS) for item in before)
