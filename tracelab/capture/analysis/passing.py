"""Which values pass a check: of `if x.dim() not in (3, 4): raise`, three and four dimensions.

The test is computed for every value that there is, as far as it is made of what was read, of constants, and of numbers
and dtypes in variables.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from types import CodeType, FrameType
from typing import Any

import torch

from tracelab.capture.analysis.instructions import listing_at
from tracelab.capture.analysis.operands import comparison_before
from tracelab.capture.analysis.syntax import Parents, expression_of
from tracelab.graph.by_code import by_code

_COMPARE: Mapping[type[ast.cmpop], Callable[[Any, Any], bool]] = {
    ast.Eq: operator.eq,
    ast.NotEq: operator.ne,
    ast.Lt: operator.lt,
    ast.LtE: operator.le,
    ast.Gt: operator.gt,
    ast.GtE: operator.ge,
    ast.Is: operator.is_,
    ast.IsNot: operator.is_not,
    ast.In: lambda item, whole: item in whole,
    ast.NotIn: lambda item, whole: item not in whole,
}
_OF_A_DTYPE = ("is_floating_point", "is_complex", "is_signed", "itemsize")
_LARGEST = 1024
"""Of checks with larger numbers, not every size is tried."""
_SOON = 8
"""So many instructions behind the read, a test has begun to compare it."""


Reads = frozenset[ast.expr]
"""The parts of a test that read the same."""


@dataclass(frozen=True, slots=True)
class Passing:
    """A test that decides if an error is raised, and what passes it.

    Attributes:
        text: The test as the code writes it.
        truth: What it is for what passes.
        values: What passes.
        raises: Whether the error was raised, and the code caught it.
    """

    text: str
    truth: bool
    values: tuple[Any, ...]
    raises: bool = False


class _Unknown(Exception):
    """A part of a test that is not known."""


_UNSET: Any = object()


def passing(frame: FrameType, candidates: Iterable[Any], now: Any = _UNSET) -> Passing | None:
    """Of all values that this frame may just have read, those that pass; None where that is no check, or not known.

    With what it has read `now`, those that take the same way at any `if`.
    """
    found = _test_at(frame.f_code, frame.f_lasti)
    if found is None:
        return None
    test, truth, reads = found
    if truth is None and now is _UNSET:
        return None
    try:
        branches = truth is None
        if truth is None:
            truth = bool(_value(test, reads, now, frame))
        values = tuple(item for item in candidates if bool(_value(test, reads, item, frame)) is truth)
    except (_Unknown, TypeError, AttributeError):
        return None
    return Passing(ast.unparse(test), truth, values, branches)


def passing_sizes(frame: FrameType, signed: bool, now: int) -> tuple[Passing, bool] | None:
    """Of all sizes that this frame has just compared one of, those that pass, or, where the bool is True, do not.

    At an `if` that raises no error, those pass that take the same way as the size that it is `now`.

    None where the test compares anything but one size with whole numbers, or with too large ones, or where what is
    `signed` would be treated otherwise below zero than above all of them.
    """
    found = _sizes_test(frame.f_code, frame.f_lasti)
    if found is None:
        return None
    test, truth, reads, beyond = found
    branches = truth is None
    try:
        if truth is None:
            truth = bool(_value(test, reads, now, frame))
        passes = [bool(_value(test, reads, size, frame)) is truth for size in range(beyond + 1)]
        below = bool(_value(test, reads, -1, frame)) is truth
    except (_Unknown, TypeError):
        return None
    if signed and below is not passes[beyond]:
        return None
    # From there on, each comparison is what it is there.
    listed = tuple(size for size in range(beyond) if passes[size] is not passes[beyond])
    return Passing(ast.unparse(test), truth, listed, branches), passes[beyond]


@by_code
def _sizes_test(code: CodeType, offset: int) -> tuple[ast.expr, bool | None, Reads, int] | None:
    """The check that an instruction compares for, what it is where it passes, the size, and a number above all."""
    compared = comparison_before(code, offset)
    found = expression_of(code, offset if compared is None else compared)
    if found is None or not isinstance(found[1], ast.Compare):
        return None
    top = _top(found[0], found[1])
    truth = _passes_where(found[0], top)
    if not isinstance(top, ast.expr) or (truth is None and not (_branches_at(found[0], top) and _has_parts(top))):
        return None
    numbers = [0]
    others: dict[str, ast.expr] = {}
    pending: list[ast.expr] = [top]
    for item in pending:
        if isinstance(item, ast.BoolOp):
            pending += item.values
        elif isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.Not):
            pending.append(item.operand)
        elif isinstance(item, ast.Compare):
            pending += [item.left, *item.comparators]
        elif isinstance(item, (ast.Tuple, ast.List, ast.Set)):
            pending += item.elts
        elif isinstance(item, ast.Constant) and type(item.value) is int:
            numbers.append(item.value)
        else:
            others[ast.unparse(item)] = item
    if len(others) != 1 or not 0 <= min(numbers) <= max(numbers) <= _LARGEST:
        return None
    (size,) = others.values()
    return (top, truth, _equal_parts(top, size), max(numbers) + 1) if _is_size(size) else None


def _is_size(item: ast.expr) -> bool:
    """Whether an expression is the same whenever it is asked: `n`, `x.shape[0]`, `x.size(0)`."""
    if isinstance(item, ast.Subscript):
        item = item.value if isinstance(item.slice, (ast.Constant, ast.UnaryOp)) else item
    elif isinstance(item, ast.Call) and isinstance(item.func, ast.Attribute) and item.func.attr == "size":
        item = item.func.value
    if isinstance(item, ast.Attribute) and item.attr == "shape":
        item = item.value
    return isinstance(item, ast.Name)


@by_code
def _test_at(code: CodeType, offset: int) -> tuple[ast.expr, bool | None, Reads] | None:
    """The test of the `assert` or `if` which an instruction reads for, what it is where no error is raised, and reads.

    It is None where both ways go on.
    """
    listing, index = listing_at(code, offset)
    if index is None or not any(
        item.opname in ("COMPARE_OP", "CONTAINS_OP", "IS_OP") or "JUMP" in item.opname
        for item in listing[index + 1 : index + 1 + _SOON]
    ):
        return None
    found = expression_of(code, offset)
    if found is None:
        return None
    parents, read = found
    top = _top(parents, read)
    truth = _passes_where(parents, top)
    if not isinstance(top, ast.expr) or (truth is None and not _branches_at(parents, top)):
        return None
    return top, truth, _equal_parts(top, read)


def _top(parents: Parents, item: ast.AST) -> ast.AST:
    """The whole test that an expression is a part of."""
    while isinstance(parent := parents.get(item), (ast.BoolOp, ast.Compare, ast.UnaryOp, ast.Attribute, ast.Tuple)):
        item = parent
    return item


def _equal_parts(whole: ast.expr, part: ast.expr) -> Reads:
    """The parts of an expression that are written alike."""
    text = ast.unparse(part)
    return frozenset(
        item
        for item in ast.walk(whole)
        if type(item) is type(part) and isinstance(item, ast.expr) and ast.unparse(item) == text
    )


def _passes_where(parents: Parents, test: ast.AST) -> bool | None:
    """What a test is where no error is raised; None where it is no such test."""
    step = parents.get(test)
    if isinstance(step, ast.Assert) and step.test is test:
        return True
    if isinstance(step, ast.If) and step.test is test and isinstance(step.body[-1], ast.Raise):
        return False if all(isinstance(line, (ast.Assign, ast.Expr)) for line in step.body[:-1]) else None
    return None


def _branches_at(parents: Parents, test: ast.AST) -> bool:
    """Whether it is the test of an `if` whose ways both go on."""
    step = parents.get(test)
    return isinstance(step, (ast.If, ast.IfExp)) and step.test is test


def _has_parts(test: ast.expr) -> bool:
    """Whether Python asks for the truth of several comparisons: `n in (2, 3)`, `n == 2 or n == 3`."""
    return any(
        isinstance(item, ast.BoolOp)
        or (isinstance(item, ast.Compare) and (len(item.ops) > 1 or isinstance(item.ops[0], (ast.In, ast.NotIn))))
        for item in ast.walk(test)
    )


def _value(item: ast.expr, reads: Reads, candidate: Any, frame: FrameType) -> Any:
    """What a part of a test is, where `candidate` is what is read."""

    def part(child: ast.expr) -> Any:
        return _value(child, reads, candidate, frame)

    if item in reads:
        return candidate
    if isinstance(item, ast.Constant):
        return item.value
    if isinstance(item, (ast.Tuple, ast.List, ast.Set)):
        return [part(child) for child in item.elts]
    if isinstance(item, ast.BoolOp):
        found = (bool(part(child)) for child in item.values)
        return all(found) if isinstance(item.op, ast.And) else any(found)
    if isinstance(item, ast.UnaryOp) and isinstance(item.op, ast.Not):
        return not part(item.operand)
    if isinstance(item, ast.Compare):
        sides = [part(item.left), *map(part, item.comparators)]
        return all(_COMPARE[type(sign)](*sides[at : at + 2]) for at, sign in enumerate(item.ops))
    if isinstance(item, ast.Attribute) and item.attr in _OF_A_DTYPE and item.value in reads:
        return getattr(candidate, item.attr)
    if isinstance(item, ast.Attribute) and isinstance(item.value, ast.Name) and _held(item.value.id, frame) is torch:
        return _plain(getattr(torch, item.attr, None))
    if isinstance(item, ast.Name):
        return _plain(_held(item.id, frame))
    raise _Unknown


def _held(name: str, frame: FrameType) -> Any:
    """What a variable holds."""
    known = frame.f_locals
    return known[name] if name in known else frame.f_globals.get(name)


def _plain(item: Any) -> Any:
    """A number or a dtype, or several; anything else is not known."""
    if type(item) in (int, bool, str, torch.dtype):
        return item
    if type(item) in (tuple, list, set, frozenset):
        return [_plain(part) for part in item]
    raise _Unknown
