"""What is replaced in torch and Python while recordings run, and put back when the last one ends.

Each stand-in asks whether *this thread* records, and is the original otherwise. Every name is restored on any exit.
"""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.graph.intrinsics import Intrinsic

Patch = Callable[["Registry"], None]
"""Replaces some names, by way of `Registry.set`."""


class Registry:
    """Context manager: torch as it is while recording. One is shared by all threads."""

    def __init__(self, patches: Iterable[Patch]) -> None:
        self._patches = tuple(patches)
        self._lock = threading.RLock()
        self._depth = 0
        self._lent = False
        self._undo: list[Callable[[], None]] = []

    def __enter__(self) -> None:
        with self._lock:
            if self._depth == 0:
                try:
                    self._apply()
                except BaseException:
                    self._restore()
                    raise
            self._depth += 1

    def __exit__(self, *error: Any) -> None:
        with self._lock:
            self._depth -= 1
            if self._depth == 0:
                self._restore()

    @contextmanager
    def originals(self) -> Iterator[None]:
        """A moment of a recording in which torch is as it was, and nothing is recorded.

        For code that looks torch's functions up and keeps what it finds: modules that are imported, torch's compilers.
        While other threads record too, what they need stays.
        """
        recorder = active.recorder
        with self._lock, recording_paused(recorder) if recorder is not None and not recorder.paused else nullcontext():
            alone = self._depth == 1 and not self._lent
            if alone:
                self._lent = True
                self._restore()
            try:
                yield
            finally:
                if alone:
                    self._lent = False
                    self._apply()

    def set(self, owner: Any, name: str, new: Any) -> None:
        """Replace an attribute, and remember how it was stored."""
        table = vars(owner)
        if name in table:
            old = table[name]
            self._undo.append(lambda: setattr(owner, name, old))
        else:
            self._undo.append(lambda: delattr(owner, name))
        setattr(owner, name, new)

    def undo_by(self, undo: Callable[[], None]) -> None:
        """Remember how something that is no attribute is put back."""
        self._undo.append(undo)

    def _apply(self) -> None:
        for patch in self._patches:
            patch(self)

    def _restore(self) -> None:
        while self._undo:
            self._undo.pop()()


def recorded(intrinsic: Intrinsic) -> Callable[..., Any]:
    """A stand-in that records each call of a function while this thread records."""
    original = intrinsic.function

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(*args, **kwargs)
        return recorder.record_intrinsic(intrinsic, args, kwargs)

    return function


def unseen(original: Callable[..., Any]) -> Callable[..., Any]:
    """A stand-in for a function whose inner calls are no part of the run."""

    @functools.wraps(original)
    def function(*args: Any, **kwargs: Any) -> Any:
        recorder = active.recorder
        if recorder is None or recorder.paused:
            return original(*args, **kwargs)
        with recording_paused(recorder):
            return original(*args, **kwargs)

    return function
