"""The keys of a dict that a call gives, beyond those that were traced: code may have asked for more of them."""

from __future__ import annotations

import threading
from collections.abc import Iterable
from typing import Any


class GivenKeys:
    """The keys of one dict argument at the call that this thread made last; None before the first."""

    def __init__(self) -> None:
        self._local = threading.local()

    def note(self, item: Iterable[Any]) -> None:
        """A call gives it."""
        self._local.keys = list(item)

    @property
    def keys(self) -> list[Any] | None:
        return getattr(self._local, "keys", None)

    def __deepcopy__(self, memo: dict[int, Any]) -> GivenKeys:
        return self

    def __reduce__(self) -> Any:
        return GivenKeys, ()
