"""Many replacements at once: all of them, those that are found anew, and those that wait until they are needed."""

from __future__ import annotations

import operator
import sys
from collections import deque
from collections.abc import Callable, Iterable
from typing import Any, ClassVar

from tracelab.capture.patches.attribute import ABSENT, Attribute
from tracelab.capture.patches.code import Code
from tracelab.capture.recording.replacement import Replacement


class Group(Replacement):
    """Replacements that are found anew by each recording before which modules were imported, or by `each`."""

    changes: ClassVar[int] = 0
    """How often any group found more."""

    def __init__(self, find: Callable[[], Iterable[Replacement]], lent: bool = False, each: bool = False) -> None:
        self._find, self.lent, self.each = find, lent, each
        self._found: dict[Replacement, None] = {}

    def look(self) -> None:
        """Find what there is now; what was found before is put in and out, too."""
        found = {**self._found, **dict.fromkeys(self._find())}
        if len(found) > len(self._found):
            self._found = found
            Group.changes += 1

    def install(self) -> None:
        self.look()
        for item in self._found:
            item.install()

    def remove(self) -> None:
        for item in self._found:
            item.remove()

    def is_in(self) -> bool:
        return any(item.is_in() for item in self._found)

    def members(self) -> list[Replacement]:
        """What was found so far."""
        return [*self._found]


class Many:
    """Replacements that are put in and out together.

    Functions and names of modules are most of them, and are written here: a call for each would take longer than to
    record a small function.
    """

    def __init__(self, items: Iterable[Replacement] = ()) -> None:
        self.items = tuple(items)
        self._groups = [item for item in self.items if isinstance(item, Group)]
        self._asked_always = [group for group in self._groups if group.each]
        self._modules = -1
        self._sort()

    def install(self) -> None:
        """Replace each."""
        modules = len(sys.modules)
        if modules != self._modules or self._asked_always:
            for group in self._groups if modules != self._modules else self._asked_always:
                group.look()
            self._modules = modules
        if self._changes != Group.changes:
            self._sort()
        for function, after, _ in self._codes:
            function.__code__ = after
        if not self._swap(self._before, self._stand_ins):
            for item in self._names:
                item.install()
            self._read_names()
        for other in self._others:
            other.install()

    def remove(self) -> None:
        """Put each back."""
        if self._changes != Group.changes:
            self._sort()
        for other in reversed(self._others):
            other.remove()
        if not self._swap(self._stand_ins, self._before):
            for item in self._names:
                item.remove()
        for function, after, before in self._codes:
            if function.__code__ is after:
                function.__code__ = before

    def _swap(self, held: list[Any], wanted: list[Any]) -> bool:
        """Give all names other things, in one step, where all hold these; says whether they did."""
        if not all(map(operator.is_, map(dict.get, self._tables, self._keys), held)):
            return False
        deque(map(dict.__setitem__, self._tables, self._keys, wanted), 0)
        return True

    def _sort(self) -> None:
        """Find out how each is written."""
        self._changes = Group.changes
        found = [item for item in self.items if not isinstance(item, (Group, Late))]
        found += dict.fromkeys(item for group in self._groups for item in group.members())
        self._codes = [(item.function, item.after, item.before) for item in found if type(item) is Code]
        self._names = [item for item in found if type(item) is Attribute and item.of_module]
        self._others = [item for item in found if type(item) is not Code and item not in self._names]
        self._read_names()

    def _read_names(self) -> None:
        """In columns: the tables of names, the names, what they held, and what they get."""
        # A name that was not there is taken out again, which is another step.
        self._others += [item for item in self._names if item.entry[2] is ABSENT]
        self._names = [item for item in self._names if item.entry[2] is not ABSENT]
        entries = [item.entry for item in self._names]
        self._tables: list[dict[str, Any]] = [entry[0] for entry in entries]
        self._keys: list[str] = [entry[1] for entry in entries]
        self._before: list[Any] = [entry[2] for entry in entries]
        self._stand_ins: list[Any] = [entry[3] for entry in entries]


class Late(Replacement):
    """Replacements of what only some recordings meet: they wait until one asks for them (`Registry.want`)."""

    def __init__(self, *members: Replacement) -> None:
        self._members = Many(members)

    def install(self) -> None:
        """Wait."""

    def put_in(self) -> None:
        """Replace them."""
        self._members.install()

    def remove(self) -> None:
        self._members.remove()

    def is_in(self) -> bool:
        return any(item.is_in() for item in self._members.items)

    def members(self) -> list[Replacement]:
        """All of them."""
        return list(self._members.items)
