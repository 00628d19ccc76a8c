"""Branches that do nothing where they need not: `if x.shape[0] != n: x = x.expand(n, -1)`.

Where the sizes are equal, expanding to them gives the same tensor: a recording in which the branch was taken is right
for those sizes too. So it is with a crop, `if x.shape[1] > n: x = x[:, :n]`, of what is not longer.
"""

from __future__ import annotations

import ast
from types import FrameType
from typing import Any

import torch

from tracelab.capture.analysis.syntax import expression_at


def is_idle_otherwise(frame: FrameType | None) -> bool:
    """Whether the test that this frame computes, and that holds, is of a branch that does nothing where it fails."""
    found = None if frame is None else expression_at(frame)
    if frame is None or found is None:
        return False
    parents, test = found
    branch = parents.get(test)
    if not (isinstance(branch, ast.If) and branch.test is test and not branch.orelse and len(branch.body) == 1):
        return False
    step = branch.body[0]
    if not (isinstance(step, ast.Assign) and len(step.targets) == 1 and isinstance(step.targets[0], ast.Name)):
        return False
    name = step.targets[0].id
    sides = _sides(test)
    tensor = frame.f_locals.get(name)
    if sides is None or not isinstance(tensor, torch.Tensor):
        return False
    sign, one, other = sides
    for size, wanted, signs in ((one, other, (ast.NotEq, ast.Gt)), (other, one, (ast.NotEq, ast.Lt))):
        dim = _dimension(size, name)
        if dim is None or dim >= tensor.dim():
            continue
        if isinstance(sign, ast.NotEq) and _expands(step.value, name, dim, wanted, tensor.dim()):
            return True
        if isinstance(sign, signs) and _crops(step.value, name, dim, wanted):
            return True
    return False


def _sides(test: ast.expr) -> tuple[ast.cmpop, ast.expr, ast.expr] | None:
    if isinstance(test, ast.Compare) and len(test.ops) == 1:
        return test.ops[0], test.left, test.comparators[0]
    return None


def _dimension(item: ast.expr, name: str) -> int | None:
    """Which size of the variable an expression is: `x.shape[1]`, `x.size(1)`."""
    place: Any = None
    if isinstance(item, ast.Subscript) and _is_of(item.value, name, "shape"):
        place = item.slice
    elif isinstance(item, ast.Call) and len(item.args) == 1 and not item.keywords:
        place = item.args[0] if _is_of(item.func, name, "size") else None
    if isinstance(place, ast.Constant) and type(place.value) is int and place.value >= 0:
        return place.value
    return None


def _expands(item: ast.expr, name: str, dim: int, wanted: ast.expr, dims: int) -> bool:
    """Whether it is `x.expand(-1, n)`: this size alone becomes the wanted one."""
    if not (isinstance(item, ast.Call) and _is_of(item.func, name, "expand") and not item.keywords):
        return False
    sizes = [-1 if ast.unparse(size) == "-1" else size for size in item.args]
    return (
        len(sizes) == dims
        and all(size == -1 for place, size in enumerate(sizes) if place != dim)
        and isinstance(sizes[dim], ast.expr)
        and ast.unparse(item.args[dim]) == ast.unparse(wanted)
    )


def _crops(item: ast.expr, name: str, dim: int, wanted: ast.expr) -> bool:
    """Whether it is `x[:, :n]`: as many as are wanted, from the first on."""
    if not (isinstance(item, ast.Subscript) and _is_name(item.value, name)):
        return False
    entries = item.slice.elts if isinstance(item.slice, ast.Tuple) else [item.slice]
    if len(entries) <= dim or not all(isinstance(entry, ast.Slice) for entry in entries):
        return False
    texts = [ast.unparse(entry) for entry in entries]
    return texts.pop(dim) == f":{ast.unparse(wanted)}" and all(text == ":" for text in texts)


def _is_of(item: ast.expr, name: str, attribute: str) -> bool:
    return isinstance(item, ast.Attribute) and item.attr == attribute and _is_name(item.value, name)


def _is_name(item: ast.expr, name: str) -> bool:
    return isinstance(item, ast.Name) and item.id == name
