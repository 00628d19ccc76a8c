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
        self.owner, self.name, self.lent = owner, name, lent
        self.table: Any = vars(owner)
        """Its attributes as they are at any time."""
        self.of_module = type(owner) is ModuleType
        """Whether to write to the table is the same as to set an attribute."""
        self.label = f"{owner.__name__}.{name}"
        self._make = make
        self.before: Any = self
        """What it held; the first time, nothing that can be found."""
        self.stand_in: Any = self

    def install(self) -> None:
        now = self.table.get(self.name, ABSENT)
        if now is self.stand_in:
            return
        if now is not self.before:
            self.before, self.stand_in = now, self._make(getattr(self.owner, self.name, None))
        setattr(self.owner, self.name, self.stand_in)

    def remove(self) -> None:
        if self.table.get(self.name) is not self.stand_in:
            return
        if self.before is ABSENT:
            delattr(self.owner, self.name)
        else:
            setattr(self.owner, self.name, self.before)

    def is_in(self) -> bool:
        return self.table.get(self.name) is self.stand_in
