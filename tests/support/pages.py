"""The code of documentation pages: found in Markdown, run, and what it prints compared with what the page says.

A block of `python` runs, all of a page in one namespace and in one folder. A block of `text` right behind it is what it
prints, where `...` stands for anything. A block of `console` has commands behind `$`, and what they print.
"""

from __future__ import annotations

import contextlib
import doctest
import io
import re
import shlex
import types
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from tracelab.cli import main

_FENCE = re.compile(r"^(`{3,})(\S*)[^\n]*\n(.*?)^\1[ ]*$", re.MULTILINE | re.DOTALL)
_FLAGS = doctest.ELLIPSIS | doctest.NORMALIZE_WHITESPACE


@dataclass(frozen=True)
class Block:
    """A block of code of a page; `expected` is the text behind it, None where there is none."""

    language: str
    code: str
    line: int
    expected: str | None = None


def blocks_of(text: str) -> list[Block]:
    found: list[Block] = []
    end = 0
    for match in _FENCE.finditer(text):
        line = text.count("\n", 0, match.start(3))
        between = text[end : match.start()]
        end = match.end()
        if match[2] == "text" and found and found[-1].language == "python" and not between.strip():
            before = found.pop()
            found.append(Block(before.language, before.code, before.line, match[3]))
        else:
            found.append(Block(match[2].strip("{}"), match[3], line))
    return found


def run_page(path: Path, folder: Path) -> Iterator[str]:
    """Run what a page holds, in a folder; gives a sentence for each block that does not do what the page says."""
    blocks = blocks_of(path.read_text(encoding="utf-8"))
    file = folder / (path.stem + ".py")
    file.write_text(_as_python(blocks), encoding="utf-8")
    module = types.ModuleType("page")
    for block in blocks:
        if block.language == "python":
            code = compile("\n" * block.line + block.code, str(file), "exec")
            printed = io.StringIO()
            with contextlib.redirect_stdout(printed), warnings.catch_warnings():
                warnings.simplefilter("ignore")
                exec(code, module.__dict__)
            if block.expected is not None:
                yield from _difference(path, block.line, block.expected, printed.getvalue())
        elif block.language == "console":
            yield from _commands(path, block)


def _as_python(blocks: list[Block]) -> str:
    """The page as a file of Python: the code alone, at the lines where it stands."""
    lines: list[str] = []
    for block in blocks:
        if block.language == "python":
            lines += [""] * (block.line - len(lines)) + block.code.splitlines()
    return "\n".join(lines) + "\n"


def _commands(path: Path, block: Block) -> Iterator[str]:
    for part in re.split(r"^\$ ", block.code, flags=re.MULTILINE)[1:]:
        command, _, expected = part.partition("\n")
        words = shlex.split(command)
        if words[0] != "tracelab":
            continue
        printed = io.StringIO()
        with contextlib.redirect_stdout(printed), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            status = main(words[1:])
        # `tracelab diff` and `check` say by 1 that they found something.
        if status not in (0, 1):
            yield f"{path.name}:{block.line}: {command} ended with {status}"
        if expected.strip():
            yield from _difference(path, block.line, expected, printed.getvalue())


def _difference(path: Path, line: int, expected: str, printed: str) -> Iterator[str]:
    if not doctest.OutputChecker().check_output(expected.strip() + "\n", printed.strip() + "\n", _FLAGS):
        yield f"{path.name}:{line}: the page says\n{expected}\nbut it prints\n{printed}"
