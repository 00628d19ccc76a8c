"""What a person sees of a trace that takes long: after a second, how many operators ran, and in which module it is.

The recorder looks at the clock once every few dozen operators, where somebody can see a bar: at a terminal or in a
notebook. `TRACELAB_PROGRESS=1` in the environment shows it anywhere, `TRACELAB_PROGRESS=0` nowhere.
"""

from __future__ import annotations

import os
import sys
import time
from typing import Any

from tqdm.auto import tqdm

EVERY = 64
"""Operators between two looks at the clock; a power of two."""
_DELAY = 1.0
_INTERVAL = 0.1


class Progress:
    """The bar of one recording, which is made when a second has gone."""

    __slots__ = ("_bar", "_next", "_seen", "name")

    def __init__(self, name: str) -> None:
        self.name = name
        self._bar: Any = None
        self._seen = 0
        self._next = time.perf_counter() + _DELAY

    def look(self, count: int, module: str) -> None:
        """Show it, where it is time: so many operators ran, and the module of this path runs."""
        now = time.perf_counter()
        if now < self._next:
            return
        self._next = now + _INTERVAL
        try:
            self._show(count, module)
        except Exception:
            # A terminal that is gone, or a notebook without widgets, is no reason to end a trace.
            self._next = float("inf")

    def _show(self, count: int, module: str) -> None:
        if self._bar is None:
            self._bar = tqdm(desc=f"trace {self.name}", unit=" operators", initial=count, leave=False)
            self._seen = count
        self._bar.set_postfix_str(module, refresh=False)
        self._bar.update(count - self._seen)
        self._bar.refresh()
        self._seen = count

    def close(self) -> None:
        """Take the bar away."""
        bar, self._bar = self._bar, None
        if bar is not None:
            bar.close()


def progress_of(name: str) -> Progress | None:
    """The progress of a recording; None where nobody would see it."""
    asked = os.environ.get("TRACELAB_PROGRESS", "")
    if asked:
        return Progress(name) if asked not in ("0", "false", "no") else None
    if "PYTEST_CURRENT_TEST" in os.environ:
        return None
    return Progress(name) if _is_seen() else None


def _is_seen() -> bool:
    try:
        if sys.stderr.isatty():
            return True
    except (AttributeError, ValueError):
        # There is none, or it is closed.
        return False
    ipython = sys.modules.get("IPython")
    shell = ipython.get_ipython() if ipython is not None else None
    return shell is not None and hasattr(shell, "kernel")
