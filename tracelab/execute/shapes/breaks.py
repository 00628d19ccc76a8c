"""Breaks of work in the background: it rests while something else runs, and ends when nobody wants it any more."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager


class Ended(Exception):
    """The work is not wanted any more."""


class Breaks:
    """Tells work in a thread of its own when to rest.

    What has to run undisturbed calls `busy`, or `begin` and `end`; the work asks `wanted` at each step, and where it is
    so, leaves everything as it found it and calls `wait`.
    """

    def __init__(self) -> None:
        self._free = threading.Condition()
        self._running = 0
        self._over = False

    @property
    def wanted(self) -> bool:
        """Whether something else runs."""
        return self._running > 0 or self._over

    def begin(self) -> None:
        """Something else runs from now on."""
        with self._free:
            self._running += 1

    def end(self) -> None:
        """It ended."""
        with self._free:
            self._running = max(0, self._running - 1)
            self._free.notify_all()

    @contextmanager
    def busy(self) -> Iterator[None]:
        """Something else runs inside of this."""
        self.begin()
        try:
            yield
        finally:
            self.end()

    def finish(self) -> None:
        """End the work for good: the process ends."""
        with self._free:
            self._over = True
            self._free.notify_all()

    def wait(self) -> None:
        """Wait until nothing else runs.

        Raises:
            Ended: The work is not wanted any more.
        """
        with self._free:
            self._free.wait_for(lambda: self._running == 0 or self._over)
            if self._over:
                raise Ended
