"""What the code does with the text of a number or a tensor: text that people read decides nothing.

`print(f"{n}")`, a message of a log, a warning or an error say nothing about what is computed. Any other text may be a
key, be compared, or become a number again. Where the source cannot be read, text is taken for more than a message.
"""

from __future__ import annotations

import ast
import dis
import logging
import sys
import warnings
from collections.abc import Callable
from types import FrameType, FunctionType, MethodType
from typing import Any

import torch

from tracelab.capture.analysis.cached_calls import resolved, resolved_in
from tracelab.capture.analysis.syntax import Parents, definition_of, expression_at, path_of
from tracelab.compat.operators import assert_true

_DEPTH = 6
_PASSES_ON = (
    ast.FormattedValue,
    ast.JoinedStr,
    ast.BinOp,
    ast.Tuple,
    ast.List,
    ast.Starred,
    ast.IfExp,
    ast.keyword,
    ast.GeneratorExp,
    ast.ListComp,
)
"""Text inside of these is part of the text, or of the items, that they give."""
_TEXT = frozenset({"str", "repr", "format", "ascii"})
_SHOWN_BY = (
    print,
    warnings.warn,
    warnings.warn_explicit,
    assert_true,
    torch.autograd.profiler.record_function,
    torch.cuda.nvtx.range_push,
    torch.cuda.nvtx.mark,
)
_SHOWN_IN = frozenset({"logging", "warnings", "traceback", "pprint", "tqdm", "unittest"})
"""Modules whose functions, given something to say, say it."""


def is_only_shown(frame: FrameType | None, depth: int = _DEPTH) -> bool:
    """Whether the text that is made at this frame's instruction is only printed, logged, or said in an error."""
    if frame is None or depth == 0:
        return False
    if _home(frame.f_globals.get("__name__")) in _SHOWN_IN:
        return True
    found = expression_at(frame)
    return found is not None and _Uses(frame, found[0], depth).shown(found[1])


def is_formatted_to_show(frame: FrameType | None) -> bool:
    """Whether the instruction of this frame formats a number, `"%d" % n`, for people only."""
    if frame is None:
        return False
    if _home(frame.f_globals.get("__name__")) in _SHOWN_IN:
        return True
    code = frame.f_code
    return dis.opname[code.co_code[frame.f_lasti]] == "BINARY_OP" and is_only_shown(frame)


def _home(name: Any) -> str:
    return str(name or "").partition(".")[0]


class _Uses:
    def __init__(
        self,
        frame: FrameType | FunctionType,
        parents: Parents,
        depth: int,
        is_result_shown: Callable[[], bool] | None = None,
    ) -> None:
        self.frame = frame
        """Where names are looked up: what runs, or a function that it calls."""
        self.is_result_shown = is_result_shown
        """Whether what a function that it calls returns is only shown."""
        self.parents = parents
        self.depth = depth
        self.names: set[str] = set()
        """Variables that held the text, and were looked at."""

    def shown(self, node: ast.AST) -> bool:
        """Whether what this expression gives is only shown; an expression that is a call may itself show it."""
        if isinstance(node, ast.Call) and self.shows(node.func):
            return True
        while True:
            child, node = node, self.parents[node]
            if isinstance(node, (ast.Expr, ast.Raise, ast.Assert)):
                return True
            if isinstance(node, ast.Call):
                if child is not node.func and not self.makes_text(node.func):
                    return (
                        self.shows(node.func)
                        or isinstance(self.parents[node], ast.Raise)
                        or self.is_shown_by_callee(node, child)
                    )
            elif isinstance(node, ast.comprehension):
                node = self.parents[node]
            elif isinstance(node, ast.Attribute):
                # A method of a text: `"{}".format`, `text.rjust`.
                if not isinstance(self.parents[node], ast.Call):
                    return False
            elif isinstance(node, ast.Return):
                # Whoever called gets it.
                if isinstance(self.frame, FrameType):
                    return is_only_shown(self.frame.f_back, self.depth - 1)
                return self.is_result_shown is not None and self.is_result_shown()
            elif isinstance(node, (ast.Assign, ast.AugAssign, ast.AnnAssign)):
                targets = node.targets if isinstance(node, ast.Assign) else [node.target]
                return all(isinstance(item, ast.Name) and self.variable(item) for item in targets)
            elif isinstance(node, ast.IfExp):
                if child is node.test:
                    return False
            elif isinstance(node, ast.BinOp):
                if not isinstance(node.op, (ast.Add, ast.Mod)):
                    return False
            elif not isinstance(node, _PASSES_ON):
                return False

    def variable(self, name: ast.Name) -> bool:
        """Whether each use of a variable of this function only shows it."""
        if name.id in self.names:
            return True
        self.names.add(name.id)
        owner: ast.AST = name
        while owner in self.parents and not isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)):
            owner = self.parents[owner]
        return isinstance(owner, (ast.FunctionDef, ast.AsyncFunctionDef)) and self.all_shown(owner, name.id)

    def all_shown(self, function: ast.AST, name: str) -> bool:
        """Whether each read of a variable in a function only shows it; to ask whether there is a text is none."""
        reads = [item for item in ast.walk(function) if isinstance(item, ast.Name) and item.id == name]
        return all(self.is_asked_for(item) or self.shown(item) for item in reads if isinstance(item.ctx, ast.Load))

    def is_asked_for(self, name: ast.Name) -> bool:
        """Whether it is only asked whether there is a text: `message is None`, `callable(message)`."""
        around = self.parents[name]
        if isinstance(around, ast.Call):
            return isinstance(around.func, ast.Name) and around.func.id in ("callable", "isinstance")
        return isinstance(around, ast.Compare) and all(isinstance(item, (ast.Is, ast.IsNot)) for item in around.ops)

    def is_shown_by_callee(self, call: ast.Call, given: ast.AST) -> bool:
        """Whether a Python function is given the text as a message: `check(n > 0, f"{n} rows")`."""
        path = path_of(call.func)
        found = self.resolved(path) if path and self.depth else None
        first = 0
        if isinstance(found, MethodType):
            found, first = found.__func__, 1
        if not isinstance(found, FunctionType) or any(isinstance(item, ast.Starred) for item in call.args):
            return False
        code = found.__code__
        names = code.co_varnames[: code.co_argcount + code.co_kwonlyargcount]
        if isinstance(given, ast.keyword):
            name = given.arg if given.arg in names else None
        else:
            place = call.args.index(given) + first if given in call.args else len(names)
            name = names[place] if place < code.co_argcount else None
        written = definition_of(code) if name else None
        if name is None or written is None:
            return False
        uses = _Uses(found, written[0], self.depth - 1, lambda: self.shown(call))
        return uses.all_shown(written[1], name)

    def resolved(self, path: list[str]) -> Any:
        """What names lead to."""
        if isinstance(self.frame, FrameType):
            return resolved(self.frame, path)
        return resolved_in(self.frame.__globals__, path)

    def makes_text(self, function: ast.expr) -> bool:
        """Whether a call gives the text of what it is given: `str(n)`, `"{}".format(n)`, `", ".join(...)`."""
        if isinstance(function, ast.Attribute):
            return isinstance(function.value, (ast.Constant, ast.JoinedStr)) or function.attr in ("join", "format")
        return isinstance(function, ast.Name) and function.id in _TEXT

    def shows(self, function: ast.expr) -> bool:
        """Whether calling this shows people what it is given."""
        path = path_of(function)
        if not path:
            return False
        found = self.resolved(path)
        owner = self.resolved(path[:-1]) if len(path) > 1 else None
        if any(found is item for item in _SHOWN_BY) or isinstance(owner, (logging.Logger, logging.LoggerAdapter)):
            return True
        if path[-1] == "write" and (owner is sys.stdout or owner is sys.stderr):
            return True
        return found is not None and _home(getattr(found, "__module__", None)) in _SHOWN_IN
