"""The objects and numbers that a call gives, for the graph to find again: it writes to them, computes with them."""

from __future__ import annotations

import threading
from typing import Any


class GivenArguments:
    """What the call that this thread made last gave, by its place among the arguments.

    A run that goes on in another thread than that in which it was begun finds that of the last call of all.
    """

    def __init__(self) -> None:
        self._local = threading.local()
        self._last: dict[str, Any] = {}

    def note(self, items: dict[str, Any]) -> None:
        """A call gives these."""
        self._local.items = self._last = items

    def forget(self) -> None:
        """The call is over: nothing is kept alive."""
        self._local.items = self._last = {}

    @property
    def items(self) -> dict[str, Any]:
        """All of them, by their place."""
        return getattr(self._local, "items", None) or self._last

    def __getitem__(self, place: str) -> Any:
        return self.items[place]

    def __deepcopy__(self, memo: dict[int, Any]) -> GivenArguments:
        return GivenArguments()

    def __reduce__(self) -> Any:
        return GivenArguments, ()
