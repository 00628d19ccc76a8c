"""A name of a class or module that holds something else while recordings run."""

from __future__ import annotations

from collections.abc import Callable
from types import ModuleType
from typing import Any

from tracelab.capture.recording.replacement import Replacement

ABSENT: Any = object()


class Attribute(Replacement):
    """An attribute of a class or module that holds a stand-in; only for what no Python code and no layer can see."""

    def __init__(self, owner: Any, name: str, make: Callable[[Any], Any], lent: bool = False) -> None:
        self.owner, self.lent = owner, lent
        self.of_module = type(owner) is ModuleType
        """Whether to write to the table is the same as to set an attribute."""
        self.label = f"{owner.__name__}.{name}"
        self._make = make
        # What it held and what it gets are, before the first time, nothing that can be found.
        self.entry: tuple[Any, str, Any, Any] = (vars(owner), name, self, self)
        """Its table and name, what it held, and what it gets."""

    def install(self) -> None:
        table, name, before, stand_in = self.entry
        now = table.get(name, ABSENT)
        if now is stand_in:
            return
        if now is not before:
            stand_in = self._make(getattr(self.owner, name, None))
            self.entry = (table, name, now, stand_in)
        setattr(self.owner, name, stand_in)

    def remove(self) -> None:
        table, name, before, stand_in = self.entry
        if table.get(name) is not stand_in:
            return
        if before is ABSENT:
            delattr(self.owner, name)
        else:
            setattr(self.owner, name, before)

    def is_in(self) -> bool:
        table, name, _, stand_in = self.entry
        return table.get(name) is stand_in
