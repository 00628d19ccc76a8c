"""Where code asks whether two of its variables are one object: `key is value`."""

from __future__ import annotations

import dis
from types import CodeType

from tracelab.capture.analysis.type_comparisons import parts_of
from tracelab.graph.by_code import by_code

_LOADS = ("LOAD_FAST", "LOAD_DEREF")


@by_code
def identity_comparisons(code: CodeType) -> list[tuple[CodeType, int]]:
    """The places of the comparisons, each a code object and an offset: those of functions inside it are among them."""
    found = []
    for part in parts_of(code):
        listing = [item for item in dis.get_instructions(part) if item.opname not in ("CACHE", "EXTENDED_ARG")]
        for at, item in enumerate(listing):
            if item.opname == "IS_OP" and at and _loads_variables(listing[max(at - 2, 0) : at]):
                found.append((part, item.offset))
    return found


def _loads_variables(before: list[dis.Instruction]) -> bool:
    """Whether both operands are variables; newer versions of Python load two at once."""
    if before[-1].opname.count("LOAD_FAST") == 2:
        return True
    return len(before) == 2 and all(item.opname.startswith(_LOADS) for item in before)
