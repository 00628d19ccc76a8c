"""A branch on a tensor, `if x.sum() > 0: y = a else: y = b`, as `y = torch.where(x.sum() > 0, a, b)`."""

from __future__ import annotations

import ast
import dataclasses
import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import torch

from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.types import TensorType, Type
from tracelab.quickfix.safety import NotSafe, Proof
from tracelab.quickfix.source_edit import PRIMARY, Code, Edit, dotted

_WHY = "both sides have the same shape and type, and neither has a side effect"


@dataclass(frozen=True, slots=True)
class _Choice:
    """A condition and what is chosen by it; `first` to `last` is replaced, `before` is written in front."""

    first: ast.expr | ast.stmt
    last: ast.expr | ast.stmt
    before: str
    yes: ast.expr
    no: ast.expr


def branch_fix(code: Code, test: ast.expr, warning: TraceDiagnostic) -> tuple[Edit, str] | None:
    """The edit for a branch at `test`, and why it may be made; None where that is not certain."""
    names, turned = warning.names, False
    at: ast.expr = test
    while isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Not):
        test, turned = test.operand, not turned
    holder = code.parents.get(at)
    while isinstance(holder, ast.UnaryOp) and isinstance(holder.op, ast.Not):
        at, turned, holder = holder, not turned, code.parents.get(holder)
    choice = _choice(code, at, holder)
    name = next((name for name, item in names.items() if item is torch), "")
    if choice is None or not name:
        return None
    yes, no = (choice.no, choice.yes) if turned else (choice.yes, choice.no)
    asked = warning.value.type if warning.value is not None else ""
    try:
        if isinstance(asked, TensorType):
            condition = _condition(code, test, names, asked)
        else:
            condition = _size_condition(code, test, names, name)
        _same(yes, no, names, asked)
    except NotSafe:
        return None
    if _written_to(code, choice, (yes, no)):
        return None
    text = f"{choice.before}{name}.where({condition}, {code.text(yes)}, {code.text(no)})"
    edit = code.edit(choice.first, choice.last, text)
    return None if code.has_comment(edit) else (edit, _WHY)


def _choice(code: Code, at: ast.expr, holder: ast.AST | None) -> _Choice | None:
    if isinstance(holder, ast.IfExp) and holder.test is at:
        return _Choice(holder, holder, "", holder.body, holder.orelse)
    if not isinstance(holder, ast.If) or holder.test is not at or len(holder.body) != 1 or _is_elif(code, holder):
        return None
    yes = holder.body[0]
    no: ast.stmt | None = None
    last: ast.stmt = holder
    if holder.orelse:
        no = holder.orelse[0] if len(holder.orelse) == 1 else None
        if no is None:
            return None
    elif isinstance(yes, ast.Return):
        no = last = _after(code, holder)
    if isinstance(yes, ast.Return) and isinstance(no, ast.Return) and yes.value is not None and no.value is not None:
        return _Choice(holder, last, "return ", yes.value, no.value)
    chosen = _assigned(yes)
    if chosen is None:
        return None
    # `if c: y = f(y)`: without the branch y stays.
    other = (chosen[0], chosen[0]) if no is None else _assigned(no)
    if other is None or other[0].id != chosen[0].id:
        return None
    return _Choice(holder, holder, f"{chosen[0].id} = ", chosen[1], other[1])


def _assigned(node: ast.stmt) -> tuple[ast.Name, ast.expr] | None:
    """The variable and the expression of `name = expression`."""
    if isinstance(node, ast.Assign) and len(node.targets) == 1 and isinstance(node.targets[0], ast.Name):
        return node.targets[0], node.value
    return None


def _is_elif(code: Code, node: ast.If) -> bool:
    return code.lines[node.lineno - 1].lstrip().startswith("elif")


def _after(code: Code, node: ast.stmt) -> ast.stmt:
    for block in ("body", "orelse", "finalbody"):
        rows = getattr(code.parents[node], block, [])
        if isinstance(rows, list) and node in rows and rows.index(node) + 1 < len(rows):
            following: ast.stmt = rows[rows.index(node) + 1]
            return following
    return node


_TENSOR_VALUED = frozenset("any all sum mean max min amax amin norm gt lt ge le eq ne isnan logical_not".split())
_COMPARISONS = (ast.Lt, ast.LtE, ast.Gt, ast.GtE, ast.Eq, ast.NotEq)


def _condition(code: Code, test: ast.expr, names: Mapping[str, Any], asked: TensorType) -> str:
    """The condition as a tensor of one boolean. It is computed once, before the sides, as in the branch."""
    if asked.shape or not _gives_tensor(test, names):
        raise NotSafe
    text = code.text(test)
    if asked.dtype is torch.bool:
        return text
    return f"{text} != 0" if isinstance(test, PRIMARY) else f"({text}) != 0"


def _gives_tensor(test: ast.expr, names: Mapping[str, Any]) -> bool:
    """Whether the expression is the tensor itself, not what a function made of it: `bool(x)` is a Python value."""
    if isinstance(test, (ast.Name, ast.Attribute)):
        return isinstance(names.get(dotted(test)), TensorType)
    if isinstance(test, ast.Call):
        return isinstance(test.func, ast.Attribute) and test.func.attr in _TENSOR_VALUED
    if isinstance(test, ast.Compare):
        return len(test.ops) == 1 and isinstance(test.ops[0], _COMPARISONS)
    return isinstance(test, (ast.Subscript, ast.BinOp)) or (
        isinstance(test, ast.UnaryOp) and isinstance(test.op, ast.Invert)
    )


def _size_condition(code: Code, test: ast.expr, names: Mapping[str, Any], torch_name: str) -> str:
    """`x.shape[0] > 4` as `torch.tensor(x.shape[0]) > 4`: a comparison of tensors, which is traced."""
    if not isinstance(test, ast.Compare) or len(test.ops) != 1:
        raise NotSafe
    left, right = test.left, test.comparators[0]
    operator = code.text(test)[len(code.text(left)) :]
    if not isinstance(right, ast.Constant) or type(right.value) is not int or not is_size(left, names):
        raise NotSafe
    return f"{torch_name}.tensor({code.text(left)}){operator}"


def is_size(node: ast.expr, names: Mapping[str, Any]) -> bool:
    """Whether it is `x.shape[0]` or `x.size(0)` of a tensor: a whole number that is not negative."""
    if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
        owner, place = node.value.value, node.slice
    elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr == "size":
        if len(node.args) != 1 or node.keywords:
            return False
        owner, place = node.func.value, node.args[0]
    else:
        return False
    return dotted(owner) != "" and isinstance(names.get(dotted(owner)), TensorType) and _is_whole(place)


def _is_whole(node: ast.expr) -> bool:
    try:
        return type(ast.literal_eval(node)) is int
    except ValueError:
        return False


def _same(yes: ast.expr, no: ast.expr, names: Mapping[str, Any], asked: Type) -> None:
    """Both sides are tensors of one shape, type and device, whatever the input; raises `NotSafe` otherwise."""
    one, other = Proof(names), Proof(names)
    a, b = one.tensor(yes), other.tensor(no)
    if a.shape != b.shape or a.dtype != b.dtype:
        raise NotSafe
    read = [{name for name, leaf in proof.leaves.items() if leaf.shape} for proof in (one, other)]
    if read[0] != read[1]:
        # A tensor that only one side reads may have any shape when the other side is taken.
        raise NotSafe
    elsewhere = {**names, **_other_sizes({**one.leaves, **other.leaves})}
    if Proof(elsewhere).tensor(yes).shape != Proof(elsewhere).tensor(no).shape:
        raise NotSafe
    devices = {leaf.device for proof in (one, other) for leaf in proof.leaves.values()}
    if isinstance(asked, TensorType):
        devices.add(asked.device)
    elif one.leaves.keys() != other.leaves.keys() or devices != {torch.device("cpu")}:
        # At other sizes a tensor of its own in one side might no longer fit.
        raise NotSafe
    if len(devices) != 1:
        raise NotSafe


_SIZES = (5, 7, 11, 13, 17, 19, 23, 29)


def _other_sizes(leaves: Mapping[str, TensorType]) -> dict[str, TensorType]:
    """The tensors at other sizes, no two dimensions alike, none of size one: sizes that were equal by chance differ.

    Counted from the right, as broadcasting counts. Tensors that are broadcast to each other raise `NotSafe`.
    """
    rank = max((len(leaf.shape) for leaf in leaves.values()), default=0)
    if rank > len(_SIZES):
        raise NotSafe
    found: dict[str, TensorType] = {}
    extents: dict[int, int] = {}
    for name, leaf in leaves.items():
        for place, extent in enumerate(reversed(leaf.shape)):
            if extents.setdefault(place, extent) != extent:
                raise NotSafe
        shape = tuple(reversed(_SIZES[: len(leaf.shape)]))
        stride = tuple(math.prod(shape[place + 1 :]) for place in range(len(shape)))
        found[name] = dataclasses.replace(leaf, shape=shape, stride=stride)
    return found


def _written_to(code: Code, choice: _Choice, sides: tuple[ast.expr, ast.expr]) -> bool:
    """Whether a side is a tensor that has another name, too, and something is written to in place nearby.

    `torch.where` makes a new tensor; who wrote to the chosen one would no longer write to the other name.
    """
    if not any(dotted(side) for side in sides):
        return False
    for node in ast.walk(code.function_of(choice.first)):
        if isinstance(node, ast.AugAssign):
            return True
        if isinstance(node, (ast.Subscript, ast.Attribute)) and isinstance(node.ctx, ast.Store):
            return True
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
            if node.func.attr.endswith("_") and not node.func.attr.endswith("__"):
                return True
            if any(word.arg in ("out", "inplace") for word in node.keywords):
                return True
    return False
