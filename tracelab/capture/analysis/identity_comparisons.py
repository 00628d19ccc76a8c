"""Where code asks whether two of its values are one object: `key is value`, `xs[0] is xs[1]`, `id(q) == id(k)`.

Or one memory: `q.data_ptr() == k.data_ptr()`. What a set or a dict makes of them is seen as it happens.
"""

from __future__ import annotations

import dis
from types import CodeType

from tracelab.capture.analysis.type_comparisons import parts_of
from tracelab.graph.by_code import by_code

_LOADS = ("LOAD_FAST", "LOAD_DEREF")
_PARTS = ("BINARY_SUBSCR", "BINARY_OP")
"""How a value is taken out of a container: newer versions of Python have one instruction for all such operators."""
_NEAR = 16
"""Instructions between two calls of `id` that are compared."""
_IDENTITIES = frozenset({"id", "data_ptr", "hash"})
_HASHING = frozenset({"set", "frozenset", "hash", "is_set_to"})


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
    """Whether `id` is asked of two values, or a method that tells as much."""
    asked = [item.argval for item in before if item.opname.startswith("LOAD_") and type(item.argval) is str]
    return any(asked.count(name) == 2 for name in _IDENTITIES)


@by_code
def puts_in_sets(code: CodeType) -> bool:
    """Whether code may put its values in a set, where one that is given twice is one."""
    return any(
        not _HASHING.isdisjoint(part.co_names)
        or any(item.opname in ("BUILD_SET", "SET_ADD") for item in dis.get_instructions(part))
        for part in parts_of(code)
    )


def asks_for_identity(code: CodeType) -> bool:
    """Whether code may see that two arguments are one."""
    return bool(identity_comparisons(code)) or puts_in_sets(code)


def _loads_variables(before: list[dis.Instruction]) -> bool:
    """Whether both operands are variables; newer versions of Python load two at once."""
    if before[-1].opname.count("LOAD_FAST") == 2:
        return True
    return len(before) == 2 and all(item.opname.startswith(_LOADS) for item in before)
