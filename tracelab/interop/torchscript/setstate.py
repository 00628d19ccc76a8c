"""Code that a TorchScript file runs as it is read, `__setstate__`, cut down to what only places the saved state.

torch's reader calls the method of each class that has one. Where it takes the state apart and gives the parts to
attributes, those statements stay; what prints, writes or computes beside them is left out. Where code makes an
attribute, the file cannot be read without running it, and is refused.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator

import torch

from tracelab.compat.operators import OpOverloadPacket

_NAME = "__setstate__"
_PLAIN = re.compile(r"[\n -~]*")
"""What is read alike by Python, which takes the code apart here, and by TorchScript: ASCII, without tabs."""
_IDENTIFIER = re.compile(r"[A-Za-z_][A-Za-z0-9_]*")


class RunsCode(Exception):
    """A class cannot be read without running its code; the message says what that does."""


def placed_only(content: bytes) -> bytes:
    """A code file of an archive whose `__setstate__` methods only place the state.

    Raises:
        RunsCode: One of them makes an attribute by other code, or the file is not written as torch writes it.
    """
    text = content.decode("latin-1")
    if not _PLAIN.fullmatch(text) or '"""' in text or "'''" in text or "\\\n" in text:
        raise RunsCode("its code is not written as torch writes it")
    try:
        tree = ast.parse(text)
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise RunsCode("its code is not written as torch writes it") from None
    lines = text.split("\n")
    methods = list(_methods(tree))
    for cls, method in reversed(methods):
        body = [f"    {line}" for line in _Placing(cls, method).lines()]
        last = method.end_lineno or method.lineno
        lines[method.body[0].lineno - 1 : last] = body
    made = "\n".join(lines)
    if made.count(_NAME) != len(methods):
        raise RunsCode(f"it names `{_NAME}` elsewhere, too")
    return made.encode("latin-1")


def _methods(tree: ast.Module) -> Iterator[tuple[ast.ClassDef, ast.FunctionDef]]:
    for cls in tree.body:
        if isinstance(cls, ast.ClassDef):
            for item in cls.body:
                if isinstance(item, ast.FunctionDef) and item.name == _NAME:
                    yield cls, item


class _Placing:
    """The statements of one method that place the state."""

    def __init__(self, cls: ast.ClassDef, method: ast.FunctionDef) -> None:
        self.cls = cls
        self.method = method
        names = [argument.arg for argument in method.args.args]
        if (
            len(names) != 2
            or method.args.vararg
            or method.args.kwarg
            or method.args.kwonlyargs
            or method.decorator_list
        ):
            raise RunsCode(f"`{_NAME}` takes other arguments than the state")
        first = method.body[0]
        if first.lineno == method.lineno or first.col_offset != 4:
            raise RunsCode("its code is not written as torch writes it")
        self.own, state = names
        self.known = {state}
        """Names that stand for the state or parts of it."""
        self.made: list[str] = []
        """Names that other code makes."""
        self.placed: set[str] = set()

    def lines(self) -> list[str]:
        """The lines of its body."""
        kept = [line for statement in self.method.body if (line := self._statement(statement))]
        for name in self._attributes():
            if name not in self.placed:
                raise RunsCode(f"its attribute `{name}` is not in the saved state")
        return [*kept, "return None"]

    def _attributes(self) -> Iterator[str]:
        for item in self.cls.body:
            if isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name):
                kind = ast.unparse(item.annotation)
                # Constants of the class have their value there; what may be None need not be given one.
                if item.value is None and not kind.startswith("Optional[") and kind != "NoneType":
                    yield item.target.id

    def _statement(self, statement: ast.stmt) -> str:
        match statement:
            case ast.Return(value=None | ast.Constant(value=None)):
                return ""
            case ast.Assign(targets=[ast.Attribute(value=ast.Name(id=self.own), attr=name)], value=value):
                self.placed.add(name)
                return f"{self.own}.{_identifier(name)} = {self._part(value, name)}"
            case ast.Assign(targets=[ast.Tuple(elts=targets)], value=ast.Name(id=source)) if source in self.known:
                names = [target.id for target in targets if isinstance(target, ast.Name)]
                if len(names) == len(targets):
                    self.known.update(names)
                    return f"{', '.join(map(_identifier, names))}, = {_identifier(source)}"
            case ast.Assign(targets=[ast.Name(id=name)], value=value):
                if self._is_part(value):
                    self.known.add(name)
                    return f"{_identifier(name)} = {self._part(value, name)}"
                self.known.discard(name)
                self._left_out(value)
                return ""
            case ast.Expr(value=value):
                self._left_out(value)
                return ""
        raise RunsCode(f"`{_NAME}` holds more than assignments and calls")

    def _is_part(self, value: ast.expr) -> bool:
        match value:
            case ast.Name(id=name):
                return name in self.known
            case ast.Subscript(value=inner, slice=ast.Constant(value=int() | str())):
                return self._is_part(inner)
            case ast.Constant(value=bool() | int() | float() | str() | None):
                return True
        return False

    def _part(self, value: ast.expr, name: str) -> str:
        if not self._is_part(value):
            raise RunsCode(f"its attribute `{name}` is made by code (`{_cut(ast.unparse(value))}`)")
        match value:
            case ast.Subscript(value=inner, slice=ast.Constant(value=key)):
                return f"({self._part(inner, name)})[{_literal(key)}]"
            case ast.Name(id=word):
                return _identifier(word)
            case ast.Constant(value=constant):
                return _literal(constant)
        raise AssertionError(value)

    def _left_out(self, value: ast.expr) -> None:
        """Refuse a call that may write into the state."""
        for item in ast.walk(value):
            if isinstance(item, ast.Call) and not _writes_nothing(item):
                raise RunsCode(f"`{_NAME}` calls `{_cut(ast.unparse(item.func))}`, which may change what it is given")
            if isinstance(item, (ast.Lambda, ast.NamedExpr, ast.Await, ast.Yield, ast.YieldFrom)):
                raise RunsCode(f"`{_NAME}` holds more than assignments and calls")


def _writes_nothing(call: ast.Call) -> bool:
    """Whether a call is of an operator of torch's whose schemas write into no argument."""
    name = ast.unparse(call.func)
    if name in ("print", "annotate", "torch.save", "ops.aten.save"):
        return True
    word = name.removeprefix("torch.").removeprefix("ops.aten.")
    if word == name or not _IDENTIFIER.fullmatch(word):
        return False
    packet = getattr(torch.ops.aten, word, None)
    if not isinstance(packet, OpOverloadPacket):
        return False
    schemas = [getattr(packet, overload)._schema for overload in packet.overloads()]
    given = {keyword.arg for keyword in call.keywords}
    # What is written to by keyword, `out`, is so only where it is given.
    return not any(
        item.alias_info is not None and item.alias_info.is_write and (not item.kwarg_only or item.name in given)
        for schema in schemas
        for item in schema.arguments
    )


def _identifier(name: str) -> str:
    if not _IDENTIFIER.fullmatch(name):
        raise RunsCode("its code is not written as torch writes it")
    return name


def _literal(constant: object) -> str:
    if isinstance(constant, str) and not re.fullmatch(r"[ -!#-\[\]-~]*", constant):
        raise RunsCode("its code is not written as torch writes it")
    return f'"{constant}"' if isinstance(constant, str) else repr(constant)


def _cut(text: str) -> str:
    return text if len(text) <= 60 else f"{text[:57]}..."
