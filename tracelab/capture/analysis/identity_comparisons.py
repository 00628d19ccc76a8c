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
        found += [(part, item.offset) for at, item in enumerate(listing) if _compares(listing, at)]
    return found


def _compares(listing: list[dis.Instruction], at: int) -> bool:
    name, before = listing[at].opname, listing[max(at - _NEAR, 0) : at]
    if name == "COMPARE_OP":
        return _asks_twice(before)
    return name == "IS_OP" and bool(before) and (_loads_variables(before[-2:]) or before[-1].opname in _PARTS)


def _asks_twice(before: list[dis.Instruction]) -> bool:
    """Whether `id` is asked of two values."""
    return len([item for item in before if item.argval == "id" and item.opname in ("LOAD_GLOBAL", "LOAD_NAME")]) == 2


def _loads_variables(before: list[dis.Instruction]) -> bool:
    """Whether both operands are variables; newer versions of Python load two at once."""
    if before[-1].opname.count("LOAD_FAST") == 2:
        return True
    return len(before) == 2 and all(item.opname.startswith(_LOADS) for item in before)
