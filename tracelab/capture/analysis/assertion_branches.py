"""What a branch decides, read from the code that takes it: assertions and `raise` guards do not warn."""

from __future__ import annotations

import dis
import enum
from types import CodeType, FrameType

from tracelab.capture.analysis.instructions import listing_at
from tracelab.graph.by_code import by_code
from tracelab.graph.source import is_inner

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


class Check(enum.Enum):
    """What is behind the other way of a branch that only checks."""

    RAISES = enum.auto()
    """An error, and nothing else."""
    MAY_RAISE = enum.auto()
    """More conditions, or what the code does where it did not raise the error that it caught."""
    GOES_ON = enum.auto()
    """What is behind this way, too."""


def check_at(frame: FrameType, truth: bool, compares: str = "") -> Check:
    """What another answer would lead to at a branch that only checks; `truth` is the answer.

    `compares` says by what operator: `a.shape != b.shape` compares each pair by `==`, which turns the answer around.
    """
    return _check_at(frame.f_code, frame.f_lasti, truth, compares)


@by_code
def _check_at(code: CodeType, offset: int, truth: bool, compares: str) -> Check:
    listing, index = listing_at(code, offset)
    assert index is not None
    item = listing[index]
    if item.opname == "CONTAINS_OP":
        # The answer is of one comparison of several, up to the first that is true.
        found = (item.arg or 0) == 0
        while "IF" not in listing[index].opname:
            found = found is not (listing[index].opname == "UNARY_NOT")
            index += 1
        if_found = _Branches(listing).behind(index, found is not ("IF_TRUE" in listing[index].opname))
        return Check.MAY_RAISE if truth else if_found if if_found is Check.RAISES else Check.GOES_ON
    if compares == "==" and item.opname == "COMPARE_OP" and str(item.argval).endswith("!="):
        truth = not truth
    at = index
    while "IF" not in listing[at].opname:
        truth = truth is not (listing[at].opname == "UNARY_NOT")
        at += 1
    return _Branches(listing).behind(at, truth is ("IF_TRUE" in listing[at].opname))


_COMPARES = ("COMPARE_OP", "CONTAINS_OP", "IS_OP")
_LOADS = ("LOAD_CONST", "LOAD_SMALL_INT", "LOAD_FAST", "LOAD_GLOBAL", "LOAD_ATTR")


def is_read_to_check(frame: FrameType | None) -> bool:
    """Whether what this frame just read (`x.dim()`) is only compared, to decide if an error is raised.

    Where nothing but one value passes (`assert x.dim() == 2`), it is read as anywhere else, except by torch's layers,
    each of which looks at its input.
    """
    return frame is not None and _is_read_to_check(frame.f_code, frame.f_lasti)


@by_code
def _is_read_to_check(code: CodeType, offset: int) -> bool:
    listing, index = listing_at(code, offset)
    if index is None:
        return False
    compared = False
    passes: bool | None = None
    for at in range(index + 1, min(index + 7, len(listing))):
        item = listing[at]
        if "JUMP" in item.opname and "IF" in item.opname:
            branches = _Branches(listing)
            if not compared or not branches.check(at, False):
                return False
            return (
                is_inner(code)
                or passes is None
                or branches.behind(at, passes is ("IF_TRUE" in item.opname)) is not Check.RAISES
            )
        compared = compared or item.opname in _COMPARES
        if item.opname == "COMPARE_OP":
            sign = str(item.argval)
            passes = True if sign.endswith("==") else False if sign.endswith("!=") else None
        elif item.opname == "UNARY_NOT" and passes is not None:
            passes = not passes
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

    def behind(self, at: int, jumps: bool) -> Check:
        """What is behind the way that is not taken of the conditional jump there."""
        taken, other = (self.target(at), at + 1) if jumps else (at + 1, self.target(at))
        if self.raises(other):
            return Check.MAY_RAISE if self.is_among_others(at) else Check.RAISES
        if self.raises(taken):
            return Check.MAY_RAISE
        if self.warns(at + 1, self.target(at)):
            return Check.GOES_ON
        self.refuses = False
        # `if n != m and n != 1: raise`: where `n` is `m`, nothing more is asked.
        harmless = self.joins(taken, self.place(other)) and self.refuses
        return Check.GOES_ON if harmless else Check.MAY_RAISE

    def is_among_others(self, at: int) -> bool:
        """Whether a condition before this one may pass without it: `n == m or n == 1`."""
        for before in range(at - 1, -1, -1):
            item = self.listing[before]
            if item.opname.startswith((*_EFFECTS, "RAISE", "POP_TOP")) or item.opname in ("NOP", "RESUME"):
                return False
            if "JUMP" in item.opname and not self.raises(self.target(before)):
                return "IF" in item.opname and self.target(before) > at
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
