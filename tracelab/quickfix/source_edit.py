"""The code around a diagnostic, parsed: the expression at a span, what holds it, and its text."""

from __future__ import annotations

import ast
import functools
import io
import linecache
import tokenize
from collections.abc import Iterator
from dataclasses import dataclass

from tracelab.graph.source import Source


@dataclass(frozen=True, slots=True)
class Edit:
    """Lines count from 1, columns from 0 in characters: what stands between them is replaced by `text`."""

    line: int
    column: int
    end_line: int
    end_column: int
    text: str


class Code:
    """A parsed file or cell. Positions of `ast` count bytes; people and editors count characters."""

    def __init__(self, lines: tuple[str, ...]) -> None:
        self.lines = lines
        self.tree = ast.parse("".join(lines))
        self.parents = {child: node for node in ast.walk(self.tree) for child in ast.iter_child_nodes(node)}
        self.starting: dict[int, list[ast.expr | ast.If]] = {}
        """By line the expressions and conditions that begin there, outer ones first."""
        for node in self.parents:
            if isinstance(node, (ast.expr, ast.If)):
                self.starting.setdefault(node.lineno, []).append(node)

    def expression_at(self, source: Source) -> ast.expr | None:
        """The outermost expression that takes up exactly the span of a source; the condition of an `if` that does."""
        wanted = (source.line, source.column, source.end_line, source.end_column)
        for node in self.starting.get(source.line, ()):
            if self.span(node) == wanted:
                return node.test if isinstance(node, ast.If) else node
        return None

    def span(self, node: ast.expr | ast.stmt) -> tuple[int, int, int, int]:
        """First line and column, last line and column, in characters."""
        assert node.end_lineno is not None
        assert node.end_col_offset is not None
        first, last = self.lines[node.lineno - 1], self.lines[node.end_lineno - 1]
        return (
            node.lineno,
            len(first.encode()[: node.col_offset].decode(errors="replace")),
            node.end_lineno,
            len(last.encode()[: node.end_col_offset].decode(errors="replace")),
        )

    def text(self, node: ast.expr) -> str:
        """The expression as it is written, without parentheses around it."""
        line, column, end_line, end_column = self.span(node)
        rows = [row.rstrip("\r\n") for row in self.lines[line - 1 : end_line]]
        rows[-1] = rows[-1][:end_column]
        rows[0] = rows[0][column:]
        return "\n".join(rows)

    def edit(self, first: ast.expr | ast.stmt, last: ast.expr | ast.stmt, text: str) -> Edit:
        """Put `text` in the place of all from one node to another."""
        line, column, _, _ = self.span(first)
        _, _, end_line, end_column = self.span(last)
        return Edit(line, column, end_line, end_column, text)

    def has_comment(self, edit: Edit) -> bool:
        """Whether what an edit replaces holds a comment, which would be lost."""
        rows = [row.rstrip("\r\n") for row in self.lines[edit.line - 1 : edit.end_line]]
        rows[-1] = rows[-1][: edit.end_column]
        rows[0] = " " * edit.column + rows[0][edit.column :]
        reading = tokenize.generate_tokens(io.StringIO("\n".join(rows)).readline)
        try:
            return any(token.type == tokenize.COMMENT for token in reading)
        except (tokenize.TokenError, IndentationError):
            return any("#" in row for row in rows)

    def around(self, node: ast.AST) -> Iterator[ast.AST]:
        """What holds a node, innermost first."""
        at = self.parents.get(node)
        while at is not None:
            yield at
            at = self.parents.get(at)

    def function_of(self, node: ast.AST) -> ast.AST:
        """The function that it stands in, or the whole file or cell."""
        functions = (ast.FunctionDef, ast.AsyncFunctionDef, ast.Lambda)
        return next((holder for holder in self.around(node) if isinstance(holder, functions)), self.tree)


@functools.lru_cache(maxsize=64)
def _parsed(lines: tuple[str, ...]) -> Code | None:
    try:
        return Code(lines)
    except (SyntaxError, ValueError, RecursionError):
        return None


def code_of(source: Source) -> Code | None:
    """The code that a source points into; None where it cannot be read."""
    return _parsed(tuple(linecache.getlines(source.file)))


PRIMARY = (ast.Name, ast.Attribute, ast.Call, ast.Subscript)
"""Expressions to which `.name` can be written without parentheses."""


def dotted(node: ast.expr) -> str:
    """`torch.nn.functional` of such an expression; empty for any other."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute) and (owner := dotted(node.value)):
        return f"{owner}.{node.attr}"
    return ""
