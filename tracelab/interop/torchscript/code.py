"""The code of a TorchScript file, measured before torch's own reader gets it.

That reader is C++: it follows nested code by recursion, and spells out each type. Small texts overflow its stack
or keep it busy for ever. What is measured here is far beyond anything that torch writes.
"""

from __future__ import annotations

import ast
import keyword
import re
import warnings
from collections.abc import Iterator

_MOST_BYTES = 64 * 2**20
_DEEPEST = 150
"""Brackets in brackets, and parts of an expression or statement in others."""
_LARGEST_TYPE = 2_000
"""Parts of a type."""
_LARGEST_NAMED = 500
"""Parts of a named tuple, those of its fields' named tuples too."""
_TOKEN = re.compile(r""""(?:[^"\\\n]|\\.)*"|'(?:[^'\\\n]|\\.)*'|#[^\n]*|[()\[\]{}]""")
_NAME = re.compile(
    rf"\.(?=(?:{'|'.join(keyword.kwlist)})\b)|\b(?=(?:try|except|finally|lambda|yield|async|await|nonlocal|global)\b)"
)
"""A member may have a name that only Python keeps for itself."""


class BadCode(Exception):
    """Not code as torch writes it; the message says what is wrong."""


def check_code(name: str, content: bytes, named: dict[str, list[str]]) -> int:
    """Raise `BadCode` for code that is nested too deeply, or makes too large types.

    Args:
        name: The entry of the archive, `code/__torch__/net.py`.
        content: The code.
        named: Where to put the named tuples that it defines: the names in the types of their fields.

    Returns:
        How many statements it has.
    """
    if len(content) > _MOST_BYTES:
        raise BadCode(f"it has {len(content):,} bytes of code")
    text = content.decode("utf-8", "replace")
    _check_brackets(text)
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            tree = ast.parse(_NAME.sub(lambda found: f"{found[0]}_", text))
    except (RecursionError, MemoryError):
        raise BadCode("its code is nested too deeply") from None
    except (SyntaxError, ValueError) as error:
        if "too many" in str(error):
            raise BadCode("its code is nested too deeply") from None
        raise BadCode(f"its code is none that torch writes ({str(error)[:80]})") from None
    _check_depth(tree)
    statements = 0
    module = name.removeprefix("code/").removesuffix(".py").replace("/", ".")
    for cls in tree.body:
        if isinstance(cls, ast.ClassDef):
            kinds = [item.annotation for item in cls.body if isinstance(item, ast.AnnAssign)]
            if any(isinstance(base, ast.Name) and base.id == "NamedTuple" for base in cls.bases):
                named[f"{module}.{cls.name}"] = [word for kind in kinds for word in _names_in(kind)]
    for item in ast.walk(tree):
        statements += isinstance(item, ast.stmt)
        if isinstance(item, ast.FunctionDef):
            _Sizes().block(item.body)
    return statements


def check_named(named: dict[str, list[str]]) -> None:
    """Raise `BadCode` for named tuples whose fields have too many parts: torch spells them out."""
    sizes: dict[str, int] = {}

    def size(name: str, depth: int) -> int:
        if name not in named:
            return 1
        if depth > _DEEPEST:
            raise BadCode("its named tuples hold each other too deeply")
        if name not in sizes:
            sizes[name] = 1 + sum(size(part, depth + 1) for part in named[name])
        return sizes[name]

    if any(size(name, 0) > _LARGEST_NAMED for name in named):
        raise BadCode("its code makes a type of too many parts")


def _names_in(kind: ast.expr) -> Iterator[str]:
    """The names in a type, with their dots."""
    if isinstance(kind, (ast.Name, ast.Attribute)):
        yield ast.unparse(kind)
        return
    for child in ast.iter_child_nodes(kind):
        if isinstance(child, ast.expr):
            yield from _names_in(child)


def _check_brackets(text: str) -> None:
    depth = 0
    for found in _TOKEN.finditer(text):
        token = found[0]
        if token in "([{":
            depth += 1
            if depth > _DEEPEST:
                raise BadCode("its code is nested too deeply")
        elif token in ")]}":
            depth = max(depth - 1, 0)


def _check_depth(tree: ast.AST) -> None:
    left: list[tuple[ast.AST, int]] = [(tree, 0)]
    while left:
        item, depth = left.pop()
        if depth > 2 * _DEEPEST:
            raise BadCode("its code is nested too deeply")
        left += [(child, depth + 1) for child in ast.iter_child_nodes(item)]


class _Sizes:
    """How many parts the type of each variable of a function has, at most."""

    def __init__(self) -> None:
        self.of: dict[str, int] = {}

    def block(self, statements: list[ast.stmt]) -> None:
        for statement in statements:
            for value in _values_of(statement):
                size = self.size(value)
                if size > _LARGEST_TYPE:
                    raise BadCode("its code makes a type of too many parts")
                if isinstance(statement, (ast.Assign, ast.AnnAssign, ast.AugAssign)):
                    targets = statement.targets if isinstance(statement, ast.Assign) else [statement.target]
                    for target in targets:
                        self.give(target, size)
            for name in ("body", "orelse"):
                self.block(getattr(statement, name, []))

    def give(self, target: ast.expr, size: int) -> None:
        for item in ast.walk(target):
            if isinstance(item, ast.Name):
                self.of[item.id] = max(size, self.of.get(item.id, 0))

    def size(self, value: ast.AST) -> int:
        if isinstance(value, ast.Name):
            return self.of.get(value.id, 1)
        parts = [self.size(child) for child in ast.iter_child_nodes(value)]
        if isinstance(value, ast.Tuple):
            return 1 + sum(parts)
        if isinstance(value, (ast.List, ast.Dict)):
            return 1 + max(parts, default=0)
        return max(parts, default=1)


def _values_of(statement: ast.stmt) -> Iterator[ast.expr]:
    """The expressions that stand in a statement itself."""
    for child in ast.iter_child_nodes(statement):
        if isinstance(child, ast.expr):
            yield child
