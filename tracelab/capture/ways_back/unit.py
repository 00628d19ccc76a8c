"""Code that is read: a function or a module, and which of its variables hold what where."""

from __future__ import annotations

import ast
import inspect
import types
from collections.abc import Iterable
from dataclasses import dataclass, field
from types import FrameType
from typing import Any

from tracelab.capture.analysis.cached_calls import resolved
from tracelab.capture.analysis.syntax import Parents
from tracelab.capture.analysis.type_comparisons import parts_of

SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.Module)


@dataclass(slots=True)
class Unit:
    """Code that is read: a function or a module; `frame` is there where it runs now."""

    file: str
    parents: Parents
    root: ast.AST
    space: dict[str, Any]
    frame: FrameType | None = None
    names: dict[str, list[ast.Name]] = field(default_factory=dict)

    def look_up(self, path: list[str]) -> Any:
        if self.frame is not None:
            return resolved(self.frame, path)
        found = self.space.get(path[0])
        for name in path[1:]:
            found = (
                vars(found).get(name)
                if isinstance(found, types.ModuleType)
                else inspect.getattr_static(found, name, None)
            )
        return found


def readers_of(unit: Unit, name: str) -> list[types.FunctionType]:
    """The functions of the same module, or notebook, that read its variable, as far as code names what leads there."""
    pending: list[Any] = [unit.space.get(node.id) for node in ast.walk(unit.root) if isinstance(node, ast.Name)]
    seen: set[int] = set()
    found: list[types.FunctionType] = []
    for item in pending:
        if id(item) in seen:
            continue
        seen.add(id(item))
        if isinstance(item, types.FunctionType):
            if item.__globals__ is unit.space:
                names = {name for part in parts_of(item.__code__) for name in part.co_names}
                pending += [unit.space.get(each) for each in names]
                if name in names:
                    found.append(item)
        elif not isinstance(item, types.ModuleType):
            cls = item if isinstance(item, type) else type(item)
            if cls.__module__ == unit.space.get("__name__"):
                pending += [part for part in vars(cls).values() if isinstance(part, types.FunctionType)]
    return found


def scope_of(parents: Parents, item: ast.AST) -> ast.AST:
    while item in parents and not isinstance(item, SCOPES):
        item = parents[item]
    return item


def uses(unit: Unit, name: str) -> Iterable[ast.Name]:
    """The places at which a variable of a function, or of a module, stands, in the order of the text."""
    if not unit.names:
        for node in ast.walk(unit.root):
            if isinstance(node, ast.Name):
                unit.names.setdefault(node.id, []).append(node)
        for nodes in unit.names.values():
            nodes.sort(key=_place)
    return unit.names.get(name, ())


def _place(item: ast.AST) -> tuple[int, int]:
    return item.lineno, item.col_offset  # type: ignore[attr-defined]


def reaches(unit: Unit, store: ast.Name | None, load: ast.Name, name: str) -> bool:
    """Whether what a variable holds from one place on (None: the beginning) is read at another.

    It is not where a new value is stored between them, whichever way the code goes.
    """
    chain = _statements(unit, load)
    last = None
    for node in uses(unit, name):
        stored = isinstance(node.ctx, ast.Store) and node is not store
        if stored and _effect(unit, node) <= _place(load) and _dominates(unit, node, chain):
            last = node
    if store is None:
        return last is None
    around = _statements(unit, store)
    loops = [item for item in chain if item in around and isinstance(item, (ast.For, ast.AsyncFor, ast.While))]
    begins = _effect(unit, store)
    if begins <= _place(load) and (last is None or _effect(unit, last) < begins):
        return True
    # In the next round, what is stored behind the place is read at it, unless it is stored anew before.
    return any(last is None or loop not in _statements(unit, last) for loop in loops)


def _effect(unit: Unit, node: ast.Name) -> tuple[int, int]:
    """From where on a store holds: behind its statement, or at the beginning of the loop whose target it is."""
    item: ast.AST = node
    while item in unit.parents:
        outer = unit.parents[item]
        if isinstance(outer, (ast.For, ast.AsyncFor)) and outer.target is item:
            return _place(node)
        if isinstance(outer, (ast.comprehension, ast.withitem)):
            return _place(node)
        if isinstance(outer, ast.stmt):
            return outer.end_lineno or outer.lineno, outer.end_col_offset or 0
        item = outer
    return _place(node)


def _statements(unit: Unit, item: ast.AST) -> list[ast.AST]:
    """The statements around a place, innermost first."""
    found: list[ast.AST] = []
    while item in unit.parents and item is not unit.root:
        item = unit.parents[item]
        if isinstance(item, (ast.stmt, ast.comprehension)):
            found.append(item)
    return found


def _dominates(unit: Unit, store: ast.Name, chain: list[ast.AST]) -> bool:
    """Whether each way to a place, whose statements are given, passes a store."""
    own, *outer = [*_statements(unit, store), unit.root]
    if own in chain:
        # The target of a loop around the place.
        return isinstance(own, (ast.For, ast.AsyncFor, ast.comprehension))
    while outer and isinstance(outer[0], (ast.With, ast.AsyncWith)) and outer[0] not in chain:
        own, *outer = outer
    block = outer[0] if outer else unit.root
    if block is not unit.root and block not in chain:
        return False
    other = next((item for item in [*chain] if unit.parents.get(item) is block), None)
    return other is not None and _suite(block, own) == _suite(block, other)


def _suite(block: ast.AST, step: ast.AST) -> str:
    """In which part of a statement another stands: `body`, `orelse`."""
    return next(
        (
            name
            for name, part in ast.iter_fields(block)
            if isinstance(part, list) and any(item is step for item in part)
        ),
        "",
    )
