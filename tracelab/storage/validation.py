"""Checks of what a file says: each gives the item back with its type known, or raises `TracelabFileError`.

A file may come from anywhere. Nothing of it is used before it went through one of these.
"""

from __future__ import annotations

import contextlib
import contextvars
import keyword
from collections.abc import Iterator
from typing import Any, NoReturn

from tracelab.errors import TracelabFileError

LARGEST = 2**63 - 1


_format = contextvars.ContextVar("format", default=".tlab")


@contextlib.contextmanager
def reading(kind: str) -> Iterator[None]:
    """What the file is, as messages call it (`.pt2`); else it is a `.tlab` file."""
    before = _format.set(kind)
    try:
        yield
    finally:
        _format.reset(before)


def bad(where: str, problem: str) -> NoReturn:
    """Raise the error for one unsound place of a file."""
    raise TracelabFileError(f"not a sound {_format.get()} file: {where} {problem}")


def text(item: Any, where: str) -> str:
    if not isinstance(item, str):
        bad(where, f"should be text, but is {_kind(item)}")
    return item


def boolean(item: Any, where: str) -> bool:
    if not isinstance(item, bool):
        bad(where, f"should be true or false, but is {_kind(item)}")
    return item


def integer(item: Any, where: str, low: int = 0, high: int = LARGEST) -> int:
    """A whole number from `low` to `high`, both included."""
    if type(item) is not int:
        bad(where, f"should be a whole number, but is {_kind(item)}")
    if not low <= item <= high:
        bad(where, f"is out of range: {str(item)[:20]} is not in {low} to {high}")
    return item


def index(item: Any, where: str, size: int) -> int:
    """A place in a table of `size` rows."""
    if type(item) is not int:
        bad(where, f"should be a row number, but is {_kind(item)}")
    if not 0 <= item < size:
        bad(where, f"points to row {str(item)[:20]} of a table of {size}")
    return item


def rows(item: Any, where: str, size: int | None = None) -> list[Any]:
    """A list, of `size` items where that is known."""
    if not isinstance(item, list):
        bad(where, f"should be a list, but is {_kind(item)}")
    if size is not None and len(item) != size:
        bad(where, f"should have {size} items, but has {len(item)}")
    return item


def table(item: Any, where: str) -> dict[str, Any]:
    if not isinstance(item, dict):
        bad(where, f"should be an object, but is {_kind(item)}")
    return item


def field(item: dict[str, Any], name: str, where: str) -> Any:
    """What the object holds under `name`, which must be there."""
    if name not in item:
        bad(where, f"lacks `{name}`")
    return item[name]


def identifier(item: Any, where: str) -> str:
    """A Python name: such a text may become part of generated code."""
    name = text(item, where)
    if not name.isidentifier() or keyword.iskeyword(name):
        bad(where, f"is no Python name: {name[:40]!r}")
    return name


def fields(item: Any, where: str) -> list[str]:
    """The field names of a named tuple: distinct, and none private."""
    names = [identifier(name, where) for name in rows(item, where)]
    if len(set(names)) != len(names) or any(name.startswith("_") for name in names):
        bad(where, "are no field names of a named tuple")
    return names


def _kind(item: Any) -> str:
    words = {
        bool: "true or false",
        int: "a number",
        float: "a number",
        str: "text",
        list: "a list",
        dict: "an object",
    }
    return "null" if item is None else words.get(type(item), type(item).__name__)
