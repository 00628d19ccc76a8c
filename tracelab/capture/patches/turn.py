"""One thread at a time, in a way that an interrupt cannot break."""

from __future__ import annotations

import time
from threading import get_ident

_WAIT = 0.0002
_LOST = 5.0
"""Seconds after which a turn is taken over: its thread was cut short beside a step."""


class Turn:
    """A lock whose both steps may be repeated by the thread that holds it.

    An interrupt beside a step of an ordinary lock leaves it held for ever, or releases it twice. Nothing of the user's
    runs while it is held, so that nobody waits long.
    """

    def __init__(self) -> None:
        self._held: dict[str, int] = {}

    def take(self) -> None:
        """Wait for the turn."""
        me = get_ident()
        began = 0.0
        while (holder := self._held.setdefault("by", me)) != me:
            began = began or time.monotonic()
            if time.monotonic() - began > _LOST and self._held.get("by") == holder:
                self._held.pop("by", None)
            time.sleep(_WAIT)

    def leave(self) -> None:
        """Give the turn up."""
        if self._held.get("by") == get_ident():
            self._held.pop("by", None)
