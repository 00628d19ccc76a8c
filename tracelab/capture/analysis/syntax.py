"""The expression of the source that a frame computes now, and what it is a part of."""

from __future__ import annotations

import ast
import dis
import functools
import linecache
from itertools import islice
from types import CodeType, FrameType
from typing import Any

Parents = dict[ast.AST, ast.AST]
Span = tuple[int, ...]
"""First and last line, first and last column."""
Loop = ast.For | ast.AsyncFor | ast.comprehension


def expression_at(frame: FrameType) -> tuple[Parents, ast.expr] | None:
    """The expression that the instruction of this frame computes; None where the source cannot be read."""
    return expression_of(frame.f_code, frame.f_lasti)


def expression_of(code: CodeType, offset: int) -> tuple[Parents, ast.expr] | None:
    """The expression that the instruction at an offset computes."""
    known = _parents(code.co_filename, "".join(linecache.getlines(code.co_filename)))
    found = known[0].get(_span(code, offset)) if known is not None else None
    return None if known is None or found is None else (known[1], found)


def loop_at(frame: FrameType) -> tuple[Parents, Loop] | None:
    """The loop whose next round this frame asks for; None for anything else, and where the source cannot be read."""
    code = frame.f_code
    known = _parents(code.co_filename, "".join(linecache.getlines(code.co_filename)))
    if known is None or dis.opname[code.co_code[frame.f_lasti]] not in _NEXT_ROUND:
        return None
    span = _span(code, frame.f_lasti)
    # Up to Python 3.11 the instruction has the place of the whole statement, later that of what is iterated over.
    found = known[0].get(span)
    around = known[1].get(found) if found is not None else known[2].get(span)
    if isinstance(found, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)):
        around = found.generators[0]
    return (known[1], around) if isinstance(around, (ast.For, ast.AsyncFor, ast.comprehension)) else None


def parents_of(file: str) -> Parents | None:
    """What each expression and statement of a file is a part of; None where the source cannot be read."""
    text = "".join(linecache.getlines(file))
    known = _parents(file, text) if text else None
    return None if known is None else known[1]


def definition_of(code: CodeType) -> tuple[Parents, ast.FunctionDef | ast.AsyncFunctionDef] | None:
    """Where a function is written, and what each expression there is a part of; None where that cannot be read."""
    parents = parents_of(code.co_filename)
    for node in parents or ():
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)) and node.name == code.co_name:
            first = node.decorator_list[0].lineno if node.decorator_list else node.lineno
            if first == code.co_firstlineno:
                return parents or {}, node
    return None


def path_of(item: ast.AST) -> list[str]:
    """`["plt", "plot"]` for `plt.plot`; empty for what is no chain of names."""
    names: list[str] = []
    while isinstance(item, ast.Attribute):
        names.insert(0, item.attr)
        item = item.value
    return [item.id, *names] if isinstance(item, ast.Name) else []


def loops_of(file: str) -> list[Any]:
    """The loops and comprehensions of a file; none where the source cannot be read."""
    known = _parents(file, "".join(linecache.getlines(file)))
    return [] if known is None else [*known[2].values(), *filter(_is_comprehension, known[0].values())]


def _is_comprehension(item: ast.AST) -> bool:
    return isinstance(item, (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp))


_NEXT_ROUND = ("FOR_ITER", "SEND", "CACHE")


def _span(code: CodeType, offset: int) -> tuple[Any, ...]:
    return next(islice(code.co_positions(), offset // 2, None), (None,) * 4)


def span_of(node: ast.expr | ast.stmt) -> Span:
    """Where an expression or a statement stands in the source."""
    return node.lineno, node.end_lineno or 0, node.col_offset, node.end_col_offset or 0


def _behind_a_break(node: ast.expr) -> Span | None:
    """The place that Python gives an attribute, or a call of it, which stands in a later line than its object."""
    name = node.func if isinstance(node, ast.Call) else node
    if not isinstance(name, ast.Attribute) or name.lineno == name.end_lineno:
        return None
    line, column = name.end_lineno or 0, (name.end_col_offset or 0) - len(name.attr)
    return line, node.end_lineno or 0, column, node.end_col_offset or 0


@functools.lru_cache(maxsize=16)
def _parents(file: str, text: str) -> tuple[dict[Span, ast.expr], Parents, dict[Span, ast.AST]] | None:
    """The innermost expression of each span, what each is a part of, and the loop of each span."""
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError):
        return None
    spans: dict[Span, ast.expr] = {}
    loops: dict[Span, ast.AST] = {}
    parents: Parents = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            spans[span_of(node)] = node
            whole = _behind_a_break(node)
            if whole is not None:
                spans.setdefault(whole, node)
        elif isinstance(node, (ast.For, ast.AsyncFor, ast.While)):
            loops[span_of(node)] = node
        for child in ast.iter_child_nodes(node):
            parents[child] = node
    return spans, parents, loops
