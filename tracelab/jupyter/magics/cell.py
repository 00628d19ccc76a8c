"""A notebook cell as something to trace: what it reads, what it makes, and how it runs."""

from __future__ import annotations

import ast
import asyncio
import inspect
import re
from collections import deque
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, is_dataclass
from types import CodeType, SimpleNamespace
from typing import Any

import numpy
import torch

from tracelab.capture.outside.owners import is_own_object
from tracelab.capture.recording.outputs import was_taken_out
from tracelab.capture.recording.sym_numbers import was_read
from tracelab.capture.values import SYMBOLIC
from tracelab.errors import InputError
from tracelab.graph.objects import attributes_of, holds_tensor
from tracelab.graph.tree import AS_GIVEN, VALUES


@dataclass(slots=True)
class Cell:
    """A compiled cell. `reads` and `assigns` are names in the order in which they first occur."""

    body: CodeType
    last: CodeType | None
    """The last expression, whose value is an output of the cell."""
    last_name: str
    """The variable that the last expression is, if it is nothing more."""
    reads: list[str]
    assigns: list[str]
    calls: bool
    """Whether it calls anything."""

    def run(
        self, namespace: dict[str, Any], given: list[Any] | None = None, wanted: list[str] | None = None
    ) -> dict[str, Any]:
        """Run it once in `namespace`; gives its outputs by name, the last expression as `result`.

        The value of the last expression is appended to `given`. The outputs are those that are `wanted`, if that is
        known, or else what there is to see.
        """
        run_code(self.body, namespace)
        result = run_code(self.last, namespace) if self.last is not None else None
        if given is not None:
            given.append(result)
        if wanted is not None:
            values = {**namespace, "result": result} if "result" not in self.assigns else namespace
            return {name: values[name] for name in wanted if name in values}
        outputs = {name: namespace[name] for name in self.assigns if _is_result(namespace.get(name))}
        if _is_result(result) and self.last_name not in outputs:
            outputs["result"] = result
        return outputs


def compile_cell(tree: ast.Module, filename: str) -> Cell:
    """Take a parsed cell apart."""
    names = _Names()
    names.visit(tree)
    calls = any(isinstance(node, ast.Call) for node in ast.walk(tree))
    last = tree.body[-1] if tree.body else None
    last_code = None
    last_name = ""
    if isinstance(last, ast.Expr):
        tree = ast.Module(body=tree.body[:-1], type_ignores=[])
        last_code = compile(ast.Expression(last.value), filename, "eval", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        last_name = last.value.id if isinstance(last.value, ast.Name) else ""
    body = compile(tree, filename, "exec", ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
    return Cell(body, last_code, last_name, list(names.reads), list(names.assigns), calls)


def run_code(code: CodeType, namespace: dict[str, Any]) -> Any:
    """Run compiled code; what it awaits runs to its end.

    The event loop of a kernel goes on when the cell is over, so that a loop of its own runs what the cell awaits.
    Raises `InputError` for a task of another cell.
    """
    result = eval(code, namespace)
    if not code.co_flags & inspect.CO_COROUTINE:
        return result
    outer = asyncio.events._get_running_loop()
    asyncio.events._set_running_loop(None)
    try:
        with asyncio.Runner() as runner:
            return runner.run(result)
    except RuntimeError as error:
        if outer is None or "attached to a different loop" not in str(error):
            raise
        for waiting in (*asyncio.all_tasks(outer), *filter(asyncio.isfuture, namespace.values())):
            # It was told that somebody waits for it; the next one who does would be refused.
            waiting._asyncio_future_blocking = False
        raise InputError(
            "this cell awaits a task that another cell began, whose event loop stands still while a trace runs: await "
            "it in a cell without %%trace first, or begin it in this cell"
        ) from error
    finally:
        asyncio.events._set_running_loop(outer)


_WORD = re.compile(r"[^\W\d]\w*")
_Function = ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda
_Comprehension = ast.ListComp | ast.SetComp | ast.DictComp | ast.GeneratorExp


class _Names(ast.NodeVisitor):
    """Names that the cell may read before it assigns them, and names that it assigns at its own level."""

    def __init__(self) -> None:
        self.reads: dict[str, None] = {}
        self.assigns: dict[str, None] = {}
        self.certain: set[str] = set()
        """What is assigned by now on every way through the cell."""
        self.local: list[set[str]] = []
        """Names of the functions and comprehensions around this place."""

    def visit_Name(self, node: ast.Name) -> None:
        if any(node.id in names for names in self.local):
            return
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.certain:
                self.reads[node.id] = None
        elif not self.local:
            self.assigns[node.id] = None
            self.certain.add(node.id)

    def visit_Call(self, node: ast.Call) -> None:
        # `%time y = f(x)`: the shell has made it a call with the code as text.
        if isinstance(node.func, ast.Attribute) and node.func.attr in ("run_line_magic", "run_cell_magic"):
            for argument in node.args:
                if isinstance(argument, ast.Constant) and isinstance(argument.value, str):
                    self.reads.update(dict.fromkeys(_WORD.findall(argument.value)))
        self.generic_visit(node)

    def visit_Assign(self, node: ast.Assign) -> None:
        # The value is read before the targets are bound: `x = x + 1` reads x.
        self._all([node.value, *node.targets])

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self._all([node.value, node.target])

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name):
            self.visit_Name(ast.Name(node.target.id, ast.Load()))
        self._all([node.value, node.target])

    def visit_If(self, node: ast.If) -> None:
        self.visit(node.test)
        self._branches(node.body, node.orelse)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self._branches([node.target, *node.body], [])
        self._branches(node.orelse, [])

    def visit_While(self, node: ast.While) -> None:
        self.visit(node.test)
        self._branches(node.body, [])
        self._branches(node.orelse, [])

    def visit_Try(self, node: ast.Try) -> None:
        self._branches([*node.body, *node.orelse], [])
        for handler in node.handlers:
            self._branches([handler], [])
        self._all(node.finalbody)

    def visit_Match(self, node: ast.Match) -> None:
        self.visit(node.subject)
        for case in node.cases:
            self._branches([case], [])

    def _branches(self, first: Sequence[ast.AST], second: Sequence[ast.AST]) -> None:
        """One of the two runs: only what both assign is certain afterwards."""
        before = set(self.certain)
        self._all(first)
        after_first, self.certain = self.certain, before
        self._all(second)
        self.certain &= after_first

    def _all(self, nodes: Sequence[ast.AST]) -> None:
        for node in nodes:
            self.visit(node)

    def _function(self, node: _Function) -> None:
        arguments = node.args
        given = [*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs, arguments.vararg, arguments.kwarg]
        names = {argument.arg for argument in given if argument is not None}
        self._inner(node, names | _stored(node))

    def _comprehension(self, node: _Comprehension) -> None:
        self._inner(node, set().union(*(_stored(generator.target) for generator in node.generators)))

    def _inner(self, node: ast.AST, names: set[str]) -> None:
        self.local.append(names)
        self.generic_visit(node)
        self.local.pop()

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inner(node, _stored(node))

    visit_FunctionDef = visit_AsyncFunctionDef = visit_Lambda = _function
    visit_ListComp = visit_SetComp = visit_DictComp = visit_GeneratorExp = _comprehension


def _stored(node: ast.AST) -> set[str]:
    """Names bound somewhere inside."""
    return {item.id for item in ast.walk(node) if isinstance(item, ast.Name) and isinstance(item.ctx, ast.Store)}


def _is_result(item: Any) -> bool:
    """Whether it is something to see of what a cell did: data with tensors, or a result of a class of its own."""
    if is_own_object(item) and not is_dataclass(item) and type(item) is not SimpleNamespace:
        return False
    seen = isinstance(item, (torch.Tensor, *_PLAIN, *_WITHOUT_FIELDS)) or holds_tensor(item, set(), 0)
    if seen and holds_tensors(item):
        return True
    is_result = isinstance(item, (Mapping, tuple)) and type(item) not in (dict, tuple)
    return (is_result or is_dataclass(item)) and holds_tensor(item, set(), 0)


def own_parts(item: Any) -> dict[str, Any] | None:
    """What stands in an object of a class of the user's; None for anything else."""
    return attributes_of(item) if is_own_object(item) else None


def is_written(item: Any, before: Mapping[str, Any]) -> bool:
    """Whether other things stand in an object than did before."""
    now = own_parts(item)
    return now is not None and (
        now.keys() != before.keys() or any(part is not before[name] for name, part in now.items())
    )


def holds_tensors(item: Any) -> bool:
    """Whether it is a tensor, or data that holds some: containers and data classes of tensors and plain values.

    A number that the cell read from a tensor counts as one.
    Modules, optimizers, loaders and other objects with tensors inside are none.
    """
    found: list[bool] = []
    return _is_data(item, found, set()) and any(found)


def _is_data(item: Any, found: list[bool], around: set[int]) -> bool:
    """Whether it is made of tensors and plain values alone; `found` gets which of its parts are tensors."""
    if isinstance(item, (torch.Tensor, *_PLAIN)) or item is None:
        found.append(isinstance(item, torch.Tensor) or was_read(item) or was_taken_out(item))
        return True
    if was_taken_out(item):
        found.append(True)
        return True
    if isinstance(item, AS_GIVEN) or id(item) in around:
        return False
    if isinstance(item, Mapping):
        parts: Iterable[Any] = item.values()
    elif isinstance(item, (tuple, list, deque)):
        parts = item
    elif isinstance(item, torch.utils.data.Dataset):
        # What it holds is data, which is drawn from it.
        return False
    elif (
        isinstance(item, SimpleNamespace) or is_own_object(item) or (is_dataclass(item) and not isinstance(item, type))
    ):
        parts = attributes_of(item).values()
    else:
        return False
    inner = {*around, id(item)}
    if not isinstance(item, _WITHOUT_FIELDS) and not holds_tensor(item, set(), 0):
        # Such an object is no part of a graph: what is in it is a constant.
        found = []
    return all(_is_data(part, found, inner) for part in parts)


_WITHOUT_FIELDS = (Mapping, tuple, list, deque)
_PLAIN = (*(kind for kind in VALUES if kind not in AS_GIVEN), numpy.generic, numpy.ndarray, *SYMBOLIC)
