"""Which objects were there before a recording began.

A tensor that the recorder does not know is a constant of the trace where it is older than the recording, and was made
in a way that tracing does not see where it is not: by another thread, inside a call that stays one node, by a class
that wraps tensors. Python's garbage collector can set all objects that there are aside at once (`gc.freeze`), at no
cost; those that it lists then are newer.
"""

from __future__ import annotations

import gc
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, ClassVar


class Epoch:
    """From the beginning of a recording to its end."""

    _going: ClassVar[set[int]] = set()
    """The epochs of all threads that go on; the last to end sets everything free again."""
    _set_aside = False
    used = False
    """Whether the user was seen to set objects aside."""

    def __init__(self) -> None:
        self._before: set[int] | None = None
        """The ids of what was not set aside, where it was for another recording, or by the user."""
        self._depth = 0

    def begin(self) -> None:
        """Everything that there is now is from before."""
        if Epoch._going or _is_used():
            self._before = _listed()
        else:
            Epoch._set_aside = True
            gc.freeze()
        Epoch._going.add(id(self))

    def renew(self) -> None:
        """So is everything that was made since."""
        if self._before is None and Epoch._set_aside:
            gc.freeze()
        else:
            self._before = _listed()

    @contextmanager
    def unnoticed(self) -> Iterator[None]:
        """What is made inside is from before, too. A module imports others: only the outermost has the list renewed."""
        self._depth += 1
        try:
            yield
        finally:
            self._depth -= 1
            if not self._depth:
                self.renew()

    def made_since(self, items: list[Any]) -> list[Any]:
        """Those of these objects that are newer."""
        if not items:
            return []
        new = _listed() - (self._before or set())
        found = [item for item in items if id(item) in new]
        if found and self._before is None and not gc.get_freeze_count():
            # The traced code set everything free.
            return []
        return found

    def end(self) -> None:
        """Everything is as it was; may be called again."""
        Epoch._going.discard(id(self))
        if Epoch._set_aside and not Epoch._going:
            gc.unfreeze()
            Epoch._set_aside = False


_OF_PYTHON = 1000
"""Python 3.12 sets some hundred objects of its own aside as it starts; a program that does so has many more."""


def _is_used() -> bool:
    """Whether the user sets objects aside: counting them is slow, so that it is asked until it is so."""
    Epoch.used = Epoch.used or gc.get_freeze_count() > _OF_PYTHON
    return Epoch.used


def _listed() -> set[int]:
    return set(map(id, gc.get_objects()))
