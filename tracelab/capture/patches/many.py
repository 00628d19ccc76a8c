"""Many replacements at once: all of them, those that are found anew, and those that wait until they are needed."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterable

from tracelab.capture.patches.attribute import ABSENT, Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.replacement import Replacement


class Many:
    """Replacements that are put in and out together.

    Functions and names of modules are most of them, and are written here: a call for each would take longer than to
    record a small function.
    """

    def __init__(self, items: Iterable[Replacement] = ()) -> None:
        self.items = tuple(items)
        self._codes = [(item.function, item.after, item.before) for item in self.items if type(item) is Code]
        self._names = [item for item in self.items if type(item) is Attribute and item.of_module]
        self._others = [item for item in self.items if type(item) is not Code and item not in self._names]

    def install(self) -> None:
        """Replace each."""
        for function, after, _ in self._codes:
            function.__code__ = after
        for item in self._names:
            table, name, before, stand_in = item.entry
            if table.get(name) is before:
                table[name] = stand_in
            else:
                item.install()
        for other in self._others:
            other.install()

    def remove(self) -> None:
        """Put each back."""
        for other in reversed(self._others):
            other.remove()
        for item in self._names:
            table, name, before, stand_in = item.entry
            if table.get(name) is stand_in:
                if before is ABSENT:
                    item.remove()
                else:
                    table[name] = before
        for function, after, before in self._codes:
            if function.__code__ is after:
                function.__code__ = before


class Group(Replacement):
    """Replacements that are found anew by each recording before which modules were imported, or by `each`."""

    def __init__(self, find: Callable[[], Iterable[Replacement]], lent: bool = False, each: bool = False) -> None:
        self._find, self.lent, self._each = find, lent, each
        self._modules = 0
        self._found = Many()

    def install(self) -> None:
        modules = len(sys.modules)
        if modules != self._modules or self._each:
            # What was found before is put back, too.
            found = dict.fromkeys((*self._found.items, *self._find()))
            if len(found) != len(self._found.items):
                self._found = Many(found)
            self._modules = modules
        self._found.install()

    def remove(self) -> None:
        self._found.remove()

    def is_in(self) -> bool:
        return any(item.is_in() for item in self._found.items)

    def members(self) -> list[Replacement]:
        """What was found so far."""
        return list(self._found.items)


class Late(Replacement):
    """Replacements of what only some recordings meet: they wait until one asks for them (`Registry.want`)."""

    def __init__(self, *members: Replacement) -> None:
        self._members = Many(members)
        self._begun = False
        """Whether one of them may be replaced."""

    def install(self) -> None:
        """Wait."""

    def put_in(self) -> None:
        """Replace them."""
        self._begun = True
        self._members.install()

    def remove(self) -> None:
        if self._begun:
            self._members.remove()
            self._begun = False

    def is_in(self) -> bool:
        return any(item.is_in() for item in self._members.items)

    def members(self) -> list[Replacement]:
        """All of them."""
        return list(self._members.items)
