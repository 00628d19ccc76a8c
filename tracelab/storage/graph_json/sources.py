"""Source places in a file: a table in which every place points to the place that called it."""

from __future__ import annotations

from typing import Any

from tracelab.graph.source import Source
from tracelab.storage import validation


class StoredSource(Source):
    """A place read from a file, with its callers and the text of its line.

    The text comes out of the file too: a path that a file names is never opened on this machine.
    """

    __slots__ = ("_caller", "_text")

    def __init__(
        self, place: tuple[str, str, int, int, int, int], text: str = "", caller: StoredSource | None = None
    ) -> None:
        super().__init__(())
        self._place = place
        self._text = text
        self._caller = caller

    @property
    def text(self) -> str:
        return self._text

    @property
    def caller(self) -> Source | None:
        return self._caller

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, StoredSource):
            return False
        mine: StoredSource | None = self
        theirs: StoredSource | None = other
        while mine is not None and theirs is not None and mine is not theirs:
            if mine._place != theirs._place:
                return False
            mine, theirs = mine._caller, theirs._caller
        return mine is theirs

    def __hash__(self) -> int:
        return hash(self._place)


class SourceTable:
    """Collects the places that a graph names; each is written once."""

    def __init__(self) -> None:
        self.rows: list[list[Any]] = []
        self._places: dict[tuple[Any, ...], int] = {}
        self._known: dict[int, int] = {}

    def number(self, source: Source | None) -> int:
        """The row of a place, -1 for None. The source must stay alive while the table is built."""
        if source is None:
            return -1
        known = self._known.get(id(source))
        if known is not None:
            return known
        chain: list[Source] = []
        step: Source | None = source
        while step is not None:
            chain.append(step)
            step = step.caller
        row = -1
        for place in reversed(chain):
            key = (
                *(place.file, place.function, place.line, place.end_line, place.column, place.end_column),
                place.text,
                row,
            )
            found = self._places.get(key)
            if found is None:
                found = self._places[key] = len(self.rows)
                self.rows.append(list(key))
            row = found
        self._known[id(source)] = row
        return row


def read_sources(item: Any) -> list[StoredSource]:
    """The table again; a row's caller stands before it, so that no place can call itself."""
    made: list[StoredSource] = []
    for entry in validation.rows(item, "sources"):
        file, function, line, end_line, column, end_column, text, caller = validation.rows(entry, "a source", 8)
        place = (
            validation.text(file, "a source's file"),
            validation.text(function, "a source's function"),
            validation.integer(line, "a source's line"),
            validation.integer(end_line, "a source's last line"),
            validation.integer(column, "a source's column"),
            validation.integer(end_column, "a source's last column"),
        )
        above = None if caller == -1 else made[validation.index(caller, "a source's caller", len(made))]
        made.append(StoredSource(place, validation.text(text, "a source's text"), above))
    return made
