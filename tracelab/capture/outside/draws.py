"""Numbers that the code draws from Python's and NumPy's generators, which a replay does not draw."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from tracelab.capture.outside.generator_memory import numpy_stands, python_stands


class PlainDraws:
    """Where these generators stand as a recording begins."""

    def __init__(self) -> None:
        self.before = _states()

    def drawn_from(self) -> list[str]:
        """The modules that the code drew from."""
        return [name for name, now in _states().items() if now != self.before[name]]

    @contextmanager
    def apart(self) -> Iterator[None]:
        """What is drawn inside counts for nothing: the data that is made there is given to a replay."""
        drawn = self.drawn_from()
        try:
            yield
        finally:
            self.before.update((name, now) for name, now in _states().items() if name not in drawn)


def _states() -> dict[str, Any]:
    return {"random": python_stands(), "numpy.random": numpy_stands()}
