"""A notebook cell as something to trace: what it reads, what it makes, and how it runs."""

from __future__ import annotations

import ast
from collections.abc import Mapping
from dataclasses import dataclass
from types import CodeType
from typing import Any

import torch


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

    def run(self, namespace: dict[str, Any]) -> dict[str, Any]:
        """Run it once in `namespace`; gives its outputs by name, the last expression as `result`."""
        exec(self.body, namespace)
        result = eval(self.last, namespace) if self.last is not None else None
        outputs = {name: namespace[name] for name in self.assigns if holds_tensors(namespace.get(name))}
        if holds_tensors(result) and self.last_name not in outputs:
            outputs["result"] = result
        return outputs


def compile_cell(tree: ast.Module, filename: str) -> Cell:
    """Take a parsed cell apart."""
    names = _Names()
    names.visit(tree)
    last = tree.body[-1] if tree.body else None
    last_code = None
    last_name = ""
    if isinstance(last, ast.Expr):
        tree = ast.Module(body=tree.body[:-1], type_ignores=[])
        last_code = compile(ast.Expression(last.value), filename, "eval")
        last_name = last.value.id if isinstance(last.value, ast.Name) else ""
    body = compile(tree, filename, "exec")
    return Cell(body, last_code, last_name, list(names.reads), list(names.assigns))


def has_top_level_await(tree: ast.Module) -> bool:
    """Whether the cell awaits outside of any function."""
    stack: list[ast.AST] = list(tree.body)
    while stack:
        node = stack.pop()
        if isinstance(node, (ast.Await, ast.AsyncFor, ast.AsyncWith)):
            return True
        if not isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda, ast.ClassDef)):
            stack.extend(ast.iter_child_nodes(node))
    return False


class _Names(ast.NodeVisitor):
    """Names that the cell reads before it assigns them, and names that it assigns at its own level."""

    def __init__(self) -> None:
        self.reads: dict[str, None] = {}
        self.assigns: dict[str, None] = {}
        self.depth = 0

    def visit_Name(self, node: ast.Name) -> None:
        if isinstance(node.ctx, ast.Load):
            if node.id not in self.assigns:
                self.reads[node.id] = None
        elif self.depth == 0:
            self.assigns[node.id] = None

    def visit_Assign(self, node: ast.Assign) -> None:
        # The value is read before the targets are bound: `x = x + 1` reads x.
        self.visit(node.value)
        for target in node.targets:
            self.visit(target)

    def visit_AnnAssign(self, node: ast.AnnAssign) -> None:
        if node.value is not None:
            self.visit(node.value)
            self.visit(node.target)

    def visit_AugAssign(self, node: ast.AugAssign) -> None:
        if isinstance(node.target, ast.Name) and node.target.id not in self.assigns:
            self.reads[node.target.id] = None
        self.visit(node.value)
        self.visit(node.target)

    def visit_For(self, node: ast.For) -> None:
        self.visit(node.iter)
        self.visit(node.target)
        for child in (*node.body, *node.orelse):
            self.visit(child)

    def _inner(self, node: ast.AST) -> None:
        self.depth += 1
        self.generic_visit(node)
        self.depth -= 1

    def visit_FunctionDef(self, node: ast.FunctionDef) -> None:
        self._inner(node)

    def visit_AsyncFunctionDef(self, node: ast.AsyncFunctionDef) -> None:
        self._inner(node)

    def visit_Lambda(self, node: ast.Lambda) -> None:
        self._inner(node)

    def visit_ClassDef(self, node: ast.ClassDef) -> None:
        self._inner(node)

    def visit_ListComp(self, node: ast.ListComp) -> None:
        self._inner(node)

    def visit_SetComp(self, node: ast.SetComp) -> None:
        self._inner(node)

    def visit_DictComp(self, node: ast.DictComp) -> None:
        self._inner(node)

    def visit_GeneratorExp(self, node: ast.GeneratorExp) -> None:
        self._inner(node)


def holds_tensors(item: Any) -> bool:
    """Whether it is a tensor, or a container of tensors and nothing else."""
    if isinstance(item, torch.Tensor):
        return True
    if isinstance(item, Mapping):
        return bool(item) and all(map(holds_tensors, item.values()))
    if isinstance(item, (tuple, list)):
        return bool(item) and all(map(holds_tensors, item))
    return False
