"""Sources of the view document: where in the user's code, in words that are the same on every machine."""

from __future__ import annotations

import linecache
import os
import sys
from typing import Any

from tracelab.graph.graph import Graph
from tracelab.graph.source import Source, is_cell
from tracelab.protocol.view_document import SourceColumns, SourceFile

AROUND = 2
"""Lines shown before and after a line that is pointed at."""
_LONGEST_SPAN = 40
_LONGEST_LINE = 400


class SourceTable:
    """The table of sources and files, filled as nodes and warnings ask for their place."""

    def __init__(self, graph: Graph) -> None:
        self.columns: SourceColumns = {
            "file": [],
            "line": [],
            "end_line": [],
            "column": [],
            "end_column": [],
            "function": [],
            "caller": [],
        }
        self.functions: list[str | None] = []
        """Names, of which the document makes its column."""
        self.files: list[str] = []
        self._file_index: dict[str, int] = {}
        self._frames: dict[tuple[int, int, int], int] = {}
        self._rows: dict[tuple[Any, ...], int] = {}
        self._known: dict[int, int] = {}
        self._lines: list[set[int]] = []
        self._graph = graph

    def index(self, source: Source | None) -> int:
        """The row of a source (and, before it, rows of its callers); -1 for none."""
        if source is None:
            return -1
        known = self._known.get(id(source))
        if known is None:
            known = self._known[id(source)] = self._add(source)
        return known

    def _add(self, source: Source) -> int:
        row = -1
        if not source.stack:
            # Read from a file, where no code is.
            chain = [source]
            while (caller := chain[-1].caller) is not None:
                chain.append(caller)
            for place in reversed(chain):
                row = self._row(place, row)
            return row
        # Outermost frame first: a frame is one row for each way to reach it.
        for code, offset in reversed(source.stack):
            key = (row, id(code), offset)
            found = self._frames.get(key)
            if found is None:
                found = self._frames[key] = self._row(Source(((code, offset),)), row)
            row = found
        return row

    def _row(self, source: Source, caller: int) -> int:
        place = (source.line, source.end_line, source.column, source.end_column)
        key = (source.file, *place, source.function, caller)
        row = self._rows.get(key)
        if row is None:
            file = self._file(source.file)
            row = self._rows[key] = len(self._rows)
            columns = self.columns
            columns["file"].append(file)
            columns["line"].append(source.line)
            columns["end_line"].append(source.end_line)
            columns["column"].append(source.column)
            columns["end_column"].append(source.end_column)
            columns["caller"].append(caller)
            self.functions.append(source.function)
            last = min(max(source.end_line, source.line), source.line + _LONGEST_SPAN)
            self._lines[file].update(range(max(1, source.line - AROUND), last + AROUND + 1))
        return row

    def show(self, file: str, first: int, last: int) -> None:
        """Keep lines of a file, too."""
        self._lines[self._file(file)].update(range(first, last + 1))

    def _file(self, name: str) -> int:
        index = self._file_index.get(name)
        if index is None:
            index = self._file_index[name] = len(self.files)
            self.files.append(name)
            self._lines.append(set())
        return index

    def file_rows(self) -> list[SourceFile]:
        """The `files` table: names for people, and the lines that are pointed at with two around each."""
        names = file_names(self.files, self._graph.cell)
        rows: list[SourceFile] = []
        for file, name, wanted in zip(self.files, names, self._lines, strict=True):
            # A cell's text lives in linecache only; IPython keeps it there.
            text = linecache.getlines(file)
            lines = {str(n): _line(text[n - 1]) for n in sorted(wanted) if n <= len(text)}
            rows.append({"name": name, "lines": lines})
        return rows


def _line(text: str) -> str:
    text = text.rstrip("\r\n")
    return text if len(text) <= _LONGEST_LINE else text[: _LONGEST_LINE - 1] + "…"


def file_names(files: list[str], own: str = "") -> list[str]:
    """Names for people: `this cell` for the traced cell, `cell`, `cell 2` … for others, short paths for files.

    Cells are numbered as they first occur in the graph: their execution counts change from run to run.
    """
    names = []
    cells = 0
    for file in files:
        if file == own:
            names.append("this cell")
        elif is_cell(file):
            cells += 1
            names.append("cell" if cells == 1 else f"cell {cells}")
        else:
            names.append(short_path(file))
    return names


def short_path(file: str) -> str:
    """A file name without what is particular to this machine.

    Relative to the working directory, else to the entry of `sys.path` that it was imported from, else the
    base name; `<string>` and the like stay as they are.
    """
    if file.startswith("<"):
        return file
    path = os.path.abspath(file)
    directory = os.getcwd()
    if _inside(path, directory) and "site-packages" not in path:
        return os.path.relpath(path, directory).replace(os.sep, "/")
    entries = [os.path.abspath(entry) for entry in sys.path if entry]
    holding = [entry for entry in entries if _inside(path, entry)]
    if holding:
        return os.path.relpath(path, max(holding, key=len)).replace(os.sep, "/")
    return os.path.basename(path)


def _inside(path: str, directory: str) -> bool:
    """Whether it is below: on Windows, whatever the case of its letters."""
    return os.path.normcase(path).startswith(os.path.normcase(directory).rstrip(os.sep) + os.sep)
