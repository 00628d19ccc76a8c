"""Sources: where in the user's code a node was called, resolved only when somebody asks."""

from __future__ import annotations

import dis
import linecache
import os
import re
import sys
from collections.abc import Iterator
from types import CodeType

from tracelab.graph.by_code import by_code

_CELL = re.compile(r"<ipython-input-|[/\\]ipykernel_\d+[/\\]\d+\.py$|__marimo__cell_\w+")
"""How IPython, ipykernel and marimo name the file of a cell."""

Position = tuple[CodeType, int]
"""A code object and the byte offset of the instruction that was running in it."""


class Source:
    """A place in the user's code: file or cell, first and last line and column, function, and its callers.

    Lines count from 1, columns from 0 in characters of the line. `stack` is innermost first; the frames of
    torch and tracelab are left out of it.
    """

    __slots__ = ("_place", "stack")

    def __init__(self, stack: tuple[Position, ...]) -> None:
        self.stack = stack
        self._place: tuple[str, str, int, int, int, int] | None = None

    @classmethod
    def at(cls, file: str, function: str, line: int, end_line: int, column: int, end_column: int) -> Source:
        """A source read back from a file, where no code object exists."""
        source = cls(())
        source._place = (file, function, line, end_line, column, end_column)
        return source

    def _resolved(self) -> tuple[str, str, int, int, int, int]:
        if self._place is None:
            code, offset = self.stack[0]
            self._place = (code.co_filename, code.co_qualname, *_span(code, offset))
        return self._place

    @property
    def file(self) -> str:
        """The file name, or the name that the notebook gave the cell."""
        return self._resolved()[0]

    @property
    def short_file(self) -> str:
        """The file's own name without its folder; `cell` for a notebook's cell, whose file name is made up anew."""
        return "cell" if is_cell(self.file) else os.path.basename(self.file)

    @property
    def function(self) -> str:
        return self._resolved()[1]

    @property
    def line(self) -> int:
        return self._resolved()[2]

    @property
    def end_line(self) -> int:
        return self._resolved()[3]

    @property
    def column(self) -> int:
        return self._resolved()[4]

    @property
    def end_column(self) -> int:
        return self._resolved()[5]

    @property
    def expression(self) -> str:
        """The expression itself, where it stands in one line; else the line."""
        line = linecache.getline(self.file, self.line).rstrip("\n")
        whole = line.encode()[self.column : self.end_column].decode(errors="ignore") if line.isascii() else ""
        return (whole or line).strip() if self.line == self.end_line else line.strip()

    @property
    def text(self) -> str:
        """The source line, or an empty string where it cannot be read."""
        return linecache.getline(self.file, self.line).rstrip("\n")

    @property
    def caller(self) -> Source | None:
        """The frame of the user's that called this one."""
        return Source(self.stack[1:]) if len(self.stack) > 1 else None

    def __repr__(self) -> str:
        return f"{self.file}:{self.line}:{self.column}"

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Source) and self._resolved() == other._resolved() and self.stack == other.stack

    def __hash__(self) -> int:
        return hash(self._resolved())


@by_code
def _spans(code: CodeType) -> list[tuple[int, int, int, int]]:
    first = code.co_firstlineno
    return [
        (line or first, end or line or first, column or 0, last or 0) for line, end, column, last in code.co_positions()
    ]


def _span(code: CodeType, offset: int) -> tuple[int, int, int, int]:
    spans = _spans(code)
    index = offset // 2
    line, end, column, last = spans[index] if 0 <= index < len(spans) else (code.co_firstlineno,) * 2 + (0, 0)
    # co_positions counts UTF-8 bytes; people and editors count characters.
    text = linecache.getline(code.co_filename, line)
    if text and not text.isascii():
        column = len(text.encode()[:column].decode(errors="replace"))
        tail = text if end == line else linecache.getline(code.co_filename, end)
        last = len(tail.encode()[:last].decode(errors="replace"))
    return line, end, column, last


def is_cell(file: str) -> bool:
    """Whether a file name is one that a notebook made up for a cell."""
    return _CELL.search(file) is not None


_STORES = {"STORE_FAST", "STORE_NAME", "STORE_GLOBAL", "STORE_DEREF", "STORE_ATTR"}


@by_code
def _instructions(code: CodeType) -> tuple[dict[int, int], list[dis.Instruction]]:
    listing = list(dis.get_instructions(code))
    table = {instruction.offset: index for index, instruction in enumerate(listing)}
    # While a Python function runs, the calling frame stands at the last cache entry behind its call.
    for offset in range(0, len(code.co_code), 2):
        if offset not in table and offset - 2 in table:
            table[offset] = table[offset - 2]
    return table, listing


@by_code
def bound_names(code: CodeType, offset: int) -> tuple[str, ...]:
    """The variables that the result of the call at `offset` is bound to, if it is bound at once.

    `h = self.fc(x)` gives `("h",)`; `a, b = f(x)` gives `("a", "b")`; `return f(x)` gives `()`.
    """
    index, listing = _instructions(code)
    at = index.get(offset)
    if at is None:
        return ()
    names: list[str] = []
    wanted = 1
    for instruction in _following(listing, at):
        name = instruction.opname
        if name in _STORES:
            names.append(str(instruction.argval))
        elif name in ("STORE_FAST_STORE_FAST", "STORE_FAST_LOAD_FAST"):
            stored = instruction.argval if isinstance(instruction.argval, tuple) else (instruction.argval,)
            names.extend(map(str, stored if name == "STORE_FAST_STORE_FAST" else stored[:1]))
        elif name == "UNPACK_SEQUENCE" and not names:
            wanted = int(instruction.arg or 0)
            continue
        elif name in ("LOAD_FAST", "LOAD_FAST_BORROW", "LOAD_NAME", "LOAD_GLOBAL", "LOAD_DEREF") and not names:
            # `self.x = f(y)` loads `self` between the call and the store.
            continue
        else:
            return ()
        if len(names) >= wanted:
            return tuple(names[:wanted])
    return ()


def _following(listing: list[dis.Instruction], at: int) -> Iterator[dis.Instruction]:
    start = at + 1
    if listing[at].opname == "SEND":
        # `await`: what it gives is there where the waiting ends.
        end = listing[at].argval
        start = next((place for place in range(start, len(listing)) if listing[place].offset >= end), len(listing))
        start += start < len(listing) and listing[start].opname == "END_SEND"
    for instruction in listing[start : start + 39]:
        if instruction.opname not in ("CACHE", "EXTENDED_ARG", "NOP", "COPY", "DUP_TOP", "PRECALL", "NOT_TAKEN"):
            yield instruction


_TORCH_DIRECTORY = os.path.dirname(sys.modules["torch"].__file__ or "") + os.sep if "torch" in sys.modules else "\0"
_TRITON_DIRECTORY = _TORCH_DIRECTORY.removesuffix("torch" + os.sep) + "triton" + os.sep
"""Triton comes with torch, and lies beside it."""
_OWN_DIRECTORY = os.path.dirname(os.path.dirname(os.path.abspath(__file__))) + os.sep
_MADE_UP = ("<frozen", "<attrs", "<eval_with_key>")
"""Files of code that libraries write as they run: dataclasses, and graphs of torch.fx."""
INNER: dict[int, tuple[CodeType, bool]] = {}
"""What `is_inner` answered, by identity (see `by_code`), for loops that ask it of each frame of a stack."""


def is_inner(code: CodeType) -> bool:
    """Whether a frame belongs to torch, Triton or tracelab rather than to the user."""
    known = INNER.get(id(code))
    if known is None:
        name = code.co_filename
        own = name.startswith(_OWN_DIRECTORY) and not name.startswith(_OWN_DIRECTORY + "demo")
        known = INNER[id(code)] = (code, own or name.startswith((_TORCH_DIRECTORY, _TRITON_DIRECTORY, *_MADE_UP)))
    return known[1]


def short_place(source: Source | None) -> str:
    """`net.py:12`; empty where there is none."""
    return f"{source.short_file}:{source.line}" if source is not None else ""
