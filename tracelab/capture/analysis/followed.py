"""Where a dtype or a device that the code reads goes: as an argument into calls, and nowhere else.

`torch.ones(3, dtype=x.dtype)`, and `kept = x.dtype; ...; return y.to(kept)`: what is read decides nothing but what
those calls do with it. Where each of them is recorded with the value that was read, a replay may read it anew.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from types import CodeType
from typing import Any

from tracelab.capture.analysis.syntax import Parents, Span, expression_of, span_of
from tracelab.graph.by_code import by_code
from tracelab.graph.intrinsics import LIMITS

_READS = ("dtype", "device")
_POSITIONAL = ("to", "type")
"""Methods that take a dtype or a device at any place."""
_FACTORIES = ("arange", "empty", "full", "ones", "zeros")
"""Functions of torch that are recorded with their dtype and device each time that they are called."""
_LOOPS = (ast.For, ast.AsyncFor, ast.While)
_FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
_SCOPES = (*_FUNCTIONS, ast.ClassDef, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOKS_AT_ALL = ("eval", "exec", "locals", "vars")


@dataclass(frozen=True, slots=True)
class Uses:
    """The calls that take what is read at one place.

    Attributes:
        read: The place.
        calls: Calls that run once at most for each time that it is read.
        factories: Calls of torch's factories that may run any number of times, where each of `torch_names` is torch.
    """

    read: Span
    calls: frozenset[Span]
    factories: frozenset[Span]
    torch_names: frozenset[str]


@dataclass(frozen=True, slots=True)
class Argument:
    """An argument of a call that was read elsewhere, or in the call itself.

    Attributes:
        call: The place of the call.
        read: The place where it was read.
        limit: `min` for an argument `torch.finfo(x.dtype).min`.
    """

    call: Span
    read: Span
    limit: str = ""


@by_code
def uses_of(code: CodeType, offset: int) -> Uses | None:
    """The calls that what is read by an instruction goes into; None where it may go anywhere else."""
    found = expression_of(code, offset)
    if found is None or not _is_read(found[1]):
        return None
    parents, read = found
    places = list(_places(parents, read))
    loops = set(_loops(parents, read))
    calls: set[Span] = set()
    factories: set[Span] = set()
    names: set[str] = set()
    for place in places:
        if place is None:
            return None
        if loops.issuperset(_loops(parents, place)):
            calls.add(span_of(place))
        elif (name := _factory_of(place)) and name not in (*code.co_varnames, *code.co_cellvars, *code.co_freevars):
            factories.add(span_of(place))
            names.add(name)
        else:
            return None
    return Uses(span_of(read), frozenset(calls), frozenset(factories), frozenset(names)) if places else None


@by_code
def arguments_at(code: CodeType, offset: int) -> tuple[Argument, ...]:
    """The arguments of the call that an instruction makes which may have been read to that end."""
    found = expression_of(code, offset)
    call = None if found is None else found[1]
    if found is None or not isinstance(call, ast.Call):
        return ()
    parents = found[0]
    given = [*call.args, *(keyword.value for keyword in call.keywords)]
    return tuple(
        Argument(span_of(call), span_of(read), limit)
        for item in given
        for read, limit in _origins(parents, item)
        if _takes(call, parents, item, limit)
    )


def _is_read(item: ast.AST) -> bool:
    return isinstance(item, ast.Attribute) and item.attr in _READS and isinstance(item.ctx, ast.Load)


def _places(
    parents: Parents, item: ast.expr, limit: str = "", names: tuple[str, ...] = ()
) -> Iterator[ast.Call | None]:
    """The calls that an expression is an argument of, by way of variables too; None for any other use of it."""
    parent = parents.get(item)
    whole = _limit_of(parents, item)
    if whole is not None:
        yield from _places(parents, whole, whole.attr, names)
    elif isinstance(parent, (ast.IfExp, ast.BoolOp)) and _is_handed_on(item, parent):
        yield from _places(parents, parent, limit, names)
    elif isinstance(parent, ast.keyword) and isinstance(call := parents.get(parent), ast.Call):
        yield call if _takes(call, parents, item, limit) else None
    elif isinstance(parent, ast.Call) and item is not parent.func:
        yield parent if _takes(parent, parents, item, limit) else None
    else:
        name = _assigned(parents, item)
        loads = None if name is None or name in names else _loads(parents, item, name)
        if not loads:
            yield None
        for load in loads or ():
            yield from _places(parents, load, limit, (*names, str(name)))


def _is_handed_on(item: ast.expr, whole: ast.IfExp | ast.BoolOp) -> bool:
    """Whether it is the value of `a if b else item`, or of `a or item`, without being looked at."""
    return item is not whole.test if isinstance(whole, ast.IfExp) else item is whole.values[-1]


def _takes(call: ast.Call, parents: Parents, item: ast.expr, limit: str) -> bool:
    """Whether an argument stands where a call takes a dtype or a device; a limit may stand anywhere."""
    parent = parents.get(item)
    if limit:
        return True
    if isinstance(parent, ast.keyword):
        return parent.arg in _READS
    return parent is call and isinstance(call.func, ast.Attribute) and call.func.attr in _POSITIONAL


def _limit_of(parents: Parents, item: ast.expr) -> ast.Attribute | None:
    """The `torch.finfo(d).min` that an expression `d` is a part of."""
    call = parents.get(item)
    whole = parents.get(call) if call is not None else None
    if not (isinstance(call, ast.Call) and call.args == [item] and not call.keywords):
        return None
    named = isinstance(call.func, ast.Attribute) and call.func.attr == "finfo" and isinstance(call.func.value, ast.Name)
    return whole if named and isinstance(whole, ast.Attribute) and whole.attr in LIMITS else None


def _assigned(parents: Parents, item: ast.expr) -> str | None:
    """The variable that an expression alone is assigned to."""
    parent = parents.get(item)
    if isinstance(parent, ast.Tuple) and isinstance(step := parents.get(parent), ast.Assign):
        target = step.targets[0]
        if len(step.targets) != 1 or step.value is not parent or not isinstance(target, ast.Tuple):
            return None
        starred = any(isinstance(part, ast.Starred) for part in (*target.elts, *parent.elts))
        if len(target.elts) != len(parent.elts) or starred:
            return None
        target = target.elts[parent.elts.index(item)]
    elif isinstance(parent, ast.Assign) and len(parent.targets) == 1 and parent.value is item:
        target = parent.targets[0]
    elif isinstance(parent, ast.AnnAssign) and parent.value is item:
        target = parent.target
    else:
        return None
    return target.id if isinstance(target, ast.Name) else None


def _loads(parents: Parents, item: ast.expr, name: str) -> list[ast.Name] | None:
    """Where the function asks for a variable that is assigned at one place; None where it may be more than that."""
    function = _scope(parents, item)
    if not isinstance(function, _FUNCTIONS):
        return None
    loads: list[ast.Name] = []
    stores = 0
    for node in ast.walk(function):
        if isinstance(node, ast.Name):
            if node.id in _LOOKS_AT_ALL:
                return None
            if node.id != name:
                continue
            if _scope(parents, node) is not function:
                return None
            if isinstance(node.ctx, ast.Load):
                loads.append(node)
            stores += isinstance(node.ctx, ast.Store)
        elif name in _names_bound(node) and node is not function:
            return None
    return loads if stores == 1 else None


def _names_bound(node: ast.AST) -> list[Any]:
    """The names that a piece of syntax binds beside `ast.Name`."""
    if isinstance(node, (ast.Global, ast.Nonlocal)):
        return list(node.names)
    if isinstance(node, ast.alias):
        return [node.asname or node.name]
    found = (getattr(node, word, None) for word in ("arg", "name", "rest"))
    return [] if isinstance(node, ast.keyword) else [item for item in found if isinstance(item, str)]


def _scope(parents: Parents, item: ast.AST) -> ast.AST | None:
    """The function, class or comprehension that an expression stands in; None for a file's own level."""
    up = parents.get(item)
    while up is not None and not isinstance(up, _SCOPES):
        up = parents.get(up)
    return up


def _loops(parents: Parents, item: ast.AST) -> Iterator[ast.AST]:
    """The loops of the same function that an expression stands in: it may be computed more than once in them."""
    up = parents.get(item)
    while up is not None and not isinstance(up, _SCOPES):
        if isinstance(up, _LOOPS) and (item in up.body or item is getattr(up, "test", None)):
            yield up
        item, up = up, parents.get(up)


def _factory_of(call: ast.Call) -> str:
    """What the code calls torch, where the call is of one of torch's factories."""
    function = call.func
    if isinstance(function, ast.Attribute) and function.attr in _FACTORIES and isinstance(function.value, ast.Name):
        return function.value.id
    return ""


def _origins(
    parents: Parents, item: ast.expr, limit: str = "", names: tuple[str, ...] = ()
) -> Iterator[tuple[ast.expr, str]]:
    """Where an argument may have been read; `names` are variables that it came through."""
    if _is_read(item):
        yield item, limit
    elif isinstance(item, ast.IfExp):
        yield from _origins(parents, item.body, limit, names)
        yield from _origins(parents, item.orelse, limit, names)
    elif isinstance(item, ast.BoolOp):
        yield from _origins(parents, item.values[-1], limit, names)
    elif isinstance(item, ast.Attribute) and not limit and isinstance(item.value, ast.Call) and item.value.args:
        inner = item.value.args[0]
        if _limit_of(parents, inner) is item:
            yield from _origins(parents, inner, item.attr, names)
    elif isinstance(item, ast.Name) and item.id not in names:
        function = _scope(parents, item)
        for node in ast.walk(function) if isinstance(function, _FUNCTIONS) else ():
            if isinstance(node, ast.expr) and _assigned(parents, node) == item.id:
                yield from _origins(parents, node, limit, (*names, item.id))
