"""What a branch decides, read from the code that takes it: assertions and `raise` guards do not warn."""

from __future__ import annotations

import dis
from types import CodeType, FrameType

from tracelab.capture.analysis.instructions import listing_at
from tracelab.graph.by_code import by_code

_EFFECTS = ("STORE", "DELETE", "RETURN", "YIELD", "IMPORT", "FOR_", "SETUP", "SEND", "GET_", "LIST_", "SET_", "MAP_")
_KEPT_VALUE = ("COPY", "SWAP", "JUMP_IF_TRUE_OR_POP", "JUMP_IF_FALSE_OR_POP")
"""`a and b` as a value: the condition itself stays on the stack."""

Place = int | tuple[str, str]


def only_checks(frame: FrameType | None) -> bool:
    """Whether the branch at this frame's instruction only decides if an error is raised, or a warning given.

    An assertion (`assert x.shape[0] == 3`, `if n != m and n != 1: raise`) is no specialization: the trace is right for
    every input that would have passed it; and after `if n != m: warnings.warn(…)` both ways go on alike.
    """
    return frame is not None and _only_checks(frame.f_code, frame.f_lasti)


@by_code
def _only_checks(code: CodeType, offset: int) -> bool:
    listing, index = listing_at(code, offset)
    if index is None:
        return False
    branches = _Branches(listing)
    for at in range(index, min(index + 6, len(listing))):
        item = listing[at]
        if "JUMP" in item.opname and "IF" in item.opname:
            kept = any(listing[before].opname in _KEPT_VALUE for before in range(index, at + 1))
            return branches.check(at, kept)
        if at > index and item.opname not in ("TO_BOOL", "UNARY_NOT", "NOT_TAKEN", "COPY"):
            return False
    return False


_COMPARES = ("COMPARE_OP", "CONTAINS_OP", "IS_OP")
_LOADS = ("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_FAST", "LOAD_GLOBAL", "LOAD_ATTR")


def is_read_to_check(frame: FrameType | None) -> bool:
    """Whether what this frame just read (`x.dim()`) is only compared, to decide if an error is raised."""
    return frame is not None and _is_read_to_check(frame.f_code, frame.f_lasti)


@by_code
def _is_read_to_check(code: CodeType, offset: int) -> bool:
    listing, index = listing_at(code, offset)
    if index is None:
        return False
    compared = False
    for at in range(index + 1, min(index + 7, len(listing))):
        item = listing[at]
        if "JUMP" in item.opname and "IF" in item.opname:
            return compared and _Branches(listing).check(at, False)
        compared = compared or item.opname in _COMPARES
        if item.opname not in (*_COMPARES, *_LOADS, "TO_BOOL", "UNARY_NOT", "NOT_TAKEN"):
            return False
    return False


class _Branches:
    def __init__(self, listing: list[dis.Instruction]) -> None:
        self.listing = listing
        self.by_offset = {item.offset: i for i, item in enumerate(listing)}
        self.refuses = False
        """Whether one of the ways that were followed ends in an error."""

    def check(self, at: int, kept: bool) -> bool:
        """Whether the conditional jump there leads to an error, or both its ways to the same place with no effect."""
        ways = at + 1, self.target(at)
        if any(self.raises(way) for way in ways):
            return True
        if kept:
            return False
        if self.warns(*ways):
            return True
        goals = [self.place(way) for way in ways]
        for way, goal in zip(ways, reversed(goals), strict=True):
            self.refuses = False
            if self.joins(way, goal) and self.refuses:
                return True
        return False

    def target(self, at: int) -> int:
        return self.by_offset.get(self.listing[at].argval, len(self.listing))

    def follow(self, at: int) -> int:
        """Where the code goes on when it only jumps."""
        for _ in range(8):
            if at >= len(self.listing) or not _always_jumps(self.listing[at]):
                break
            at = self.target(at)
        return at

    def place(self, at: int) -> Place:
        """Where the code goes on; each `return` of one constant is the same place, written twice by the compiler."""
        at = self.follow(at)
        here = self.listing[at : at + 2]
        if here and here[0].opname == "RETURN_CONST":
            return "return", here[0].argrepr
        if [item.opname for item in here] == ["LOAD_CONST", "RETURN_VALUE"]:
            return "return", here[0].argrepr
        return at

    def raises(self, at: int) -> bool:
        """Whether the straight line of code from here ends in a raise."""
        for item in self.listing[at : at + 60]:
            if item.opname == "RAISE_VARARGS":
                return True
            if "JUMP" in item.opname or item.opname.startswith(("RETURN", "STORE", "FOR_", "YIELD")):
                return False
        return False

    def warns(self, at: int, goal: int) -> bool:
        """Whether the block is one statement, `warnings.warn(…)`, from which the code goes on behind it."""
        block = self.listing[at:goal]
        ends = next((index for index, item in enumerate(block) if item.opname == "POP_TOP"), -1)
        if self.place(at + ends + 1) != self.place(goal):
            return False
        block = block[: ends + 1]
        loads = [item for item in block if item.opname not in ("PUSH_NULL", "NOT_TAKEN")][:2]
        if [item.argval for item in loads] != ["warnings", "warn"] or loads[0].opname != "LOAD_GLOBAL":
            return False
        return not any("JUMP" in item.opname or item.opname.startswith((*_EFFECTS, "RAISE")) for item in block)

    def joins(self, at: int, goal: Place, height: int = 0, called: bool = False, left: int = 60) -> bool:
        """Whether every way from here ends in a raise or comes to `goal` with nothing done; `height`: of the stack."""
        while left > 0:
            left -= 1
            at = self.follow(at)
            if self.place(at) == goal:
                return height == 0 and not called
            if at >= len(self.listing):
                return False
            item = self.listing[at]
            if item.opname == "RAISE_VARARGS":
                self.refuses = True
                return True
            if "JUMP" in item.opname:
                # A call among further conditions may do anything.
                if called or item.opname in _KEPT_VALUE or "IF" not in item.opname:
                    return False
                ways = at + 1, self.target(at)
                return all(self.joins(way, goal, height - 1, False, left // 2) for way in ways)
            if item.opname.startswith(_EFFECTS) or item.opname in _KEPT_VALUE:
                return False
            called = called or "CALL" in item.opname
            height += dis.stack_effect(item.opcode, item.arg)
            at += 1
        return False


def _always_jumps(item: dis.Instruction) -> bool:
    return item.opname in ("JUMP_FORWARD", "JUMP_BACKWARD", "JUMP_BACKWARD_NO_INTERRUPT", "JUMP_ABSOLUTE")
