"""Many replacements at once: all of them, those that are found anew, and those that wait until they are needed."""

from __future__ import annotations

from collections.abc import Callable, Iterable

from tracelab.capture.patches.attribute import ABSENT, Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.replacement import Replacement


def install_all(items: Iterable[Replacement]) -> None:
    """Install each.

    Functions and names of modules are most of them, and are written here: a call for each would take longer than to
    record a small function.
    """
    for item in items:
        if type(item) is Code:
            item.function.__code__ = item.after
        elif type(item) is Attribute and item.of_module and item.table.get(item.name) is item.before:
            item.table[item.name] = item.stand_in
        else:
            item.install()


def remove_all(items: Iterable[Replacement]) -> None:
    """Put each back."""
    for item in items:
        if type(item) is Code:
            if item.function.__code__ is item.after:
                item.function.__code__ = item.before
        elif type(item) is Attribute and item.of_module and item.before is not ABSENT:
            if item.table.get(item.name) is item.stand_in:
                item.table[item.name] = item.before
        else:
            item.remove()


class Group(Replacement):
    """Replacements that are found anew at each recording: of modules that may be imported, or not."""

    def __init__(self, find: Callable[[], Iterable[Replacement]], lent: bool = False) -> None:
        self._find, self.lent = find, lent
        self._found: dict[Replacement, None] = {}
        self._last: Iterable[Replacement] = ()

    def install(self) -> None:
        found = self._find()
        if found is not self._last:
            self._found.update(dict.fromkeys(found))
            self._last = found
        install_all(found)

    def remove(self) -> None:
        remove_all(self._found)

    def is_in(self) -> bool:
        return any(item.is_in() for item in self._found)

    def members(self) -> list[Replacement]:
        """What was found so far."""
        return list(self._found)


class Late(Replacement):
    """Replacements of what only some recordings meet: they wait until one asks for them (`Registry.want`)."""

    def __init__(self, *members: Replacement) -> None:
        self._members = members
        self._begun = False
        """Whether one of them may be replaced."""

    def install(self) -> None:
        """Wait."""

    def put_in(self) -> None:
        """Replace them."""
        self._begun = True
        install_all(self._members)

    def remove(self) -> None:
        if self._begun:
            remove_all(reversed(self._members))
            self._begun = False

    def is_in(self) -> bool:
        return any(item.is_in() for item in self._members)

    def members(self) -> list[Replacement]:
        """All of them."""
        return list(self._members)
