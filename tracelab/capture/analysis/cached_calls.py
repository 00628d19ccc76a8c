"""Whether a line of code calls a function of `functools.lru_cache`, which hashes its arguments.

Such a call is followed into the function: what the cache holds for this size is no part of the trace.
"""

from __future__ import annotations

import ast
import builtins
import functools
import inspect
import linecache
from collections.abc import Mapping, Sequence
from itertools import islice
from types import CodeType, FrameType, ModuleType
from typing import Any

from tracelab.graph.by_code import by_code

CACHED: Any = type(functools.lru_cache(lambda: None))


def cached_callee(frame: FrameType) -> Any:
    """The cached function that the instruction of this frame calls; None where it does something else."""
    path = _callee(frame.f_code, frame.f_lasti)
    if not path:
        return None
    found = resolved(frame, path)
    return found if type(found) is CACHED else None


def resolved(frame: FrameType, path: Sequence[str]) -> Any:
    """What names lead to in a frame, without running code of the user's: `("self", "table")`; None for nothing."""
    found = _looked_up(frame, path[0])
    for name in path[1:]:
        found = _attribute(found, name)
    return found


def resolved_in(names: Mapping[str, Any], path: Sequence[str]) -> Any:
    """What names lead to from those of a module, without running code of the user's."""
    found = names.get(path[0], vars(builtins).get(path[0]))
    for name in path[1:]:
        found = _attribute(found, name)
    return found


@by_code
def _callee(code: CodeType, offset: int) -> tuple[str, ...]:
    """The names that lead to what is called: `("self", "table")`; none for a call of anything else, and no call."""
    first, last, start, end = next(islice(code.co_positions(), offset // 2, None), (None,) * 4)
    if first is None or last is None or start is None or end is None:
        return ()
    lines = [linecache.getline(code.co_filename, line) for line in range(first, last + 1)]
    # Columns count bytes.
    parts = [line.encode() for line in lines]
    parts[-1] = parts[-1][:end]
    parts[0] = parts[0][start:]
    try:
        tree = ast.parse(b"(" + b"".join(parts) + b")", mode="eval")
    except SyntaxError:
        return ()
    names: list[str] = []
    item = tree.body.func if isinstance(tree.body, ast.Call) else None
    while isinstance(item, ast.Attribute):
        names.append(item.attr)
        item = item.value
    return (item.id, *reversed(names)) if isinstance(item, ast.Name) else ()


def _looked_up(frame: FrameType, name: str) -> Any:
    for space in (frame.f_locals, frame.f_globals, vars(builtins)):
        if name in space:
            return space[name]
    return None


def _attribute(owner: Any, name: str) -> Any:
    """An attribute, without running code of the user's."""
    if isinstance(owner, ModuleType):
        return vars(owner).get(name)
    return inspect.getattr_static(owner, name, None)
