"""The expression of the source that a frame computes now, and what it is a part of."""

from __future__ import annotations

import ast
import functools
import linecache
from itertools import islice
from types import CodeType, FrameType
from typing import Any

_SPAN = ("lineno", "end_lineno", "col_offset", "end_col_offset")

Parents = dict[ast.AST, ast.AST]


def expression_at(frame: FrameType) -> tuple[Parents, ast.expr] | None:
    """The expression that the instruction of this frame computes; None where the source cannot be read."""
    return expression_of(frame.f_code, frame.f_lasti)


def expression_of(code: CodeType, offset: int) -> tuple[Parents, ast.expr] | None:
    """The expression that the instruction at an offset computes."""
    span: tuple[Any, ...] = next(islice(code.co_positions(), offset // 2, None), (None,) * 4)
    known = _parents(code.co_filename, "".join(linecache.getlines(code.co_filename)))
    found = known[0].get(span) if known is not None else None
    return None if known is None or found is None else (known[1], found)


@functools.lru_cache(maxsize=16)
def _parents(file: str, text: str) -> tuple[dict[tuple[int, ...], ast.expr], Parents] | None:
    """The innermost expression of each span, and what each is a part of."""
    try:
        tree = ast.parse(text, file)
    except (SyntaxError, ValueError):
        return None
    spans: dict[tuple[int, ...], ast.expr] = {}
    parents: Parents = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.expr):
            spans[tuple(getattr(node, name) for name in _SPAN)] = node
        for child in ast.iter_child_nodes(node):
            parents[child] = node
    return spans, parents
