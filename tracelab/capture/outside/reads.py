"""Which names outside its arguments code reads for more than to change them, from its instructions.

`self.calls += 1` and `self.seen.append(x)` only change; `if self.done:`, `len(self.seen)` and `key in self.cache` read.
"""

from __future__ import annotations

import dis
from types import CodeType

from tracelab.graph.by_code import by_code

_LOADS = ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_NAME", "LOAD_DEREF", "LOAD_CLASSDEREF", "LOAD_SUPER_ATTR")
_STORES = ("STORE_ATTR", "STORE_GLOBAL", "STORE_NAME", "STORE_DEREF")
_ADDS = frozenset("append appendleft extend extendleft insert add clear update discard setdefault".split())
"""Methods of containers that only change them; of `setdefault` the result has to be dropped, too."""
_CHANGES = frozenset(("STORE_SUBSCR", "DELETE_SUBSCR"))


@by_code
def names_read(code: CodeType) -> frozenset[str]:
    """The names of attributes, globals and variables of closures whose value the code asks for."""
    listing = [item for item in dis.get_instructions(code) if item.opname not in ("CACHE", "EXTENDED_ARG", "PRECALL")]
    found = {
        str(item.argval)
        for at, item in enumerate(listing)
        if item.opname in _LOADS and not _only_changes(listing, at) and not _is_set_before(listing, item.argval)
    }
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            found |= names_read(constant)
    return frozenset(found | names_as_text(code))


@by_code
def names_in(code: CodeType) -> frozenset[str]:
    """All names of attributes, globals and modules in the code."""
    inner = (names_in(item) for item in code.co_consts if isinstance(item, CodeType))
    return frozenset(code.co_names).union(*inner)


@by_code
def names_set(code: CodeType) -> frozenset[str]:
    """The names of attributes, globals and variables of closures that the code sets."""
    found = {str(item.argval) for item in dis.get_instructions(code) if item.opname in _STORES}
    return frozenset(found).union(*(names_set(item) for item in code.co_consts if isinstance(item, CodeType)))


@by_code
def names_as_text(code: CodeType) -> frozenset[str]:
    """Words that the code holds: `hasattr(self, "done")` asks for a name."""
    return frozenset(item for item in code.co_consts if type(item) is str and item.isidentifier())


def _only_changes(listing: list[dis.Instruction], at: int) -> bool:
    """Whether what is loaded here is only changed by what takes it."""
    following = listing[at + 1] if at + 1 < len(listing) else None
    if following is None:
        return False
    if "COPY" in (following.opname, listing[at - 1].opname):
        return _is_augmented(listing, at)
    if following.opname in ("LOAD_ATTR", "LOAD_METHOD") and following.argval in _ADDS:
        return _result_is_dropped(listing, at + 1)
    if [item.opname for item in listing[at + 2 : at + 4]] == ["COPY", "COPY"]:
        # `counts[key] += 1`: the container and the key are kept for the write.
        return _is_augmented_item(listing, at + 4)
    height = 1
    for item in listing[at + 1 :]:
        if "JUMP" in item.opname or item.opname.startswith("RETURN"):
            return False
        if item.opname in _CHANGES and height == 2:
            return True
        if height == 1 and item.opname in ("LOAD_ATTR", "LOAD_METHOD"):
            return False
        after = height + _effect(item)
        if after < 1 or (after == 1 and height > 1 and item.opname in ("BINARY_SUBSCR", "BINARY_OP", "COMPARE_OP")):
            return False
        height = after
    return False


def _effect(item: dis.Instruction) -> int:
    """What an instruction leaves on the stack; Python 3.11 parts a call into two, of which the first is left out."""
    return -(item.arg or 0) - 1 if item.opname == "CALL" else dis.stack_effect(item.opcode, item.arg)


def _is_augmented(listing: list[dis.Instruction], at: int) -> bool:
    """`self.calls += 1`: loaded, added to, and stored under the same name."""
    name = listing[at].argval
    for item in listing[at + 1 : at + 12]:
        if item.opname in _STORES:
            return bool(item.argval == name)
        if item.opname in _CHANGES or "JUMP" in item.opname:
            return False
    return False


def _is_augmented_item(listing: list[dis.Instruction], at: int) -> bool:
    for item in listing[at : at + 12]:
        if item.opname == "STORE_SUBSCR":
            return True
        if item.opname in _STORES or "JUMP" in item.opname or item.opname.startswith("RETURN"):
            return False
    return False


def _result_is_dropped(listing: list[dis.Instruction], at: int) -> bool:
    """Whether what the method that is loaded here gives goes nowhere."""
    height = 0
    for item in listing[at + 1 :]:
        if "JUMP" in item.opname or item.opname.startswith("RETURN"):
            return False
        if item.opname == "POP_TOP" and height <= 0:
            return True
        height += _effect(item)
        if item.opname.startswith("CALL") and height <= 0:
            at_end = listing[listing.index(item) + 1 :]
            return bool(at_end) and at_end[0].opname == "POP_TOP"
    return False


def _is_set_before(listing: list[dis.Instruction], name: str) -> bool:
    """Whether the code sets a name before it does anything else with it, whatever way it goes."""
    for item in listing:
        if item.opname in ("LOAD_ATTR", "LOAD_METHOD", "LOAD_GLOBAL", "LOAD_DEREF") and item.argval == name:
            return False
        if item.opname in _STORES and item.argval == name:
            return True
        if "JUMP" in item.opname or item.opname.startswith(("FOR_", "SETUP", "BEFORE_WITH", "SEND", "RETURN", "RAISE")):
            return False
    return False


@by_code
def globals_of(code: CodeType) -> tuple[frozenset[str], frozenset[str]]:
    """The globals that code names, and those among them that it sets."""
    named: set[str] = set()
    stored: set[str] = set()
    for item in dis.get_instructions(code):
        if item.opname in ("LOAD_GLOBAL", "LOAD_NAME"):
            named.add(item.argval)
        elif item.opname in ("STORE_GLOBAL", "DELETE_GLOBAL"):
            stored.add(item.argval)
    for constant in code.co_consts:
        if isinstance(constant, CodeType):
            inner = globals_of(constant)
            named |= inner[0]
            stored |= inner[1]
    return frozenset(named), frozenset(stored)
