"""What is replaced in torch and Python while recordings run, and put back when the last one ends.

Each stand-in asks whether *this thread* records, and is the original otherwise. Installing and removing are steps that
may be done twice: an interrupt between any two of them is mended by doing them again.
"""

from __future__ import annotations

import functools
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from typing import Any

from tracelab.capture.patches.many import Group, Late, Many
from tracelab.capture.patches.turn import Turn
from tracelab.capture.recording.recorder import active, recording_paused
from tracelab.capture.recording.replacement import Replacement
from tracelab.capture.values import listed
from tracelab.graph.intrinsics import Intrinsic


class Registry:
    """All replacements, and the recordings that need them. One is shared by all threads."""

    def __init__(self) -> None:
        self._all = self._lendable = Many()
        self._turn = Turn()
        self._users: dict[int, Any] = {}
        self._wanted: list[Late] = []
        """What waited, and was needed."""
        self._lent = False
        self._clean = True
        """Whether all was put back to the end since something was last replaced."""

    @property
    def replacements(self) -> tuple[Replacement, ...]:
        """In the order in which they are given; they may be put in in another one."""
        return self._all.items

    @replacements.setter
    def replacements(self, replacements: tuple[Replacement, ...]) -> None:
        self._all = Many(replacements)
        self._lendable = Many(item for item in replacements if item.lent)

    def enter(self, user: Any) -> None:
        """A recording begins."""
        self._turn.take()
        try:
            if not self._users or self._lent:
                self._lent = self._clean = False
                self._all.install()
            self._users[id(user)] = user
        finally:
            self._turn.leave()

    def leave(self, user: Any) -> None:
        """A recording ends; may be called again."""
        self._turn.take()
        try:
            self._users.pop(id(user), None)
            if not self._users:
                self.restore()
        finally:
            self._turn.leave()

    def want(self, late: Late) -> None:
        """A recording that runs needs what waited until now."""
        self._turn.take()
        try:
            if self._users:
                if late not in self._wanted:
                    self._wanted.append(late)
                late.put_in()
        finally:
            self._turn.leave()

    @property
    def users(self) -> list[Any]:
        """The recordings that run."""
        return list(self._users.values())

    def listed(self) -> list[str]:
        """Everything that a recording replaces, by name."""
        return [item.label for item in self._each()]

    def verify(self) -> list[str]:
        """What is replaced now: nothing while no recording runs."""
        return [item.label for item in self._each() if item.is_in()]

    def restore(self) -> None:
        """Put everything back."""
        for late in self._wanted:
            late.remove()
        self._wanted.clear()
        self._all.remove()
        self._clean = True

    def heal(self, suspected: bool = True) -> None:
        """Put back what an interrupt left replaced while no recording runs.

        Where nothing is `suspected`, only if the last time that all was put back did not come to its end.
        """
        if self._clean and not suspected:
            return
        self._turn.take()
        try:
            if not self._users and (not self._clean or self.verify()):
                self.restore()
        finally:
            self._turn.leave()

    def forget_threads(self) -> None:
        """In a process that was forked: only this thread goes on, and it records nothing."""
        self._turn = Turn()
        self._users.clear()
        self._lent = False
        self.restore()

    @contextmanager
    def originals(self) -> Iterator[None]:
        """A moment of a recording in which names of torch are as they were, and nothing is recorded.

        For code that looks torch's functions up and keeps what it finds: modules that are imported, torch's compilers.
        No lock is held meanwhile. While other threads record too, what they need stays.
        """
        recorder, session = active.recorder, active.session
        paused = recorder is not None and not recorder.paused
        # What a module makes as it is read is made once.
        epoch = session.epoch.unnoticed() if session is not None else nullcontext()
        with epoch, recording_paused(recorder) if recorder is not None and paused else nullcontext():
            lends = self._lend()
            try:
                yield
            finally:
                self._take_back(lends)

    def _lend(self) -> bool:
        self._turn.take()
        try:
            if len(self._users) != 1 or self._lent:
                return False
            self._lent = True
            self._lendable.remove()
            return True
        finally:
            self._turn.leave()

    def _take_back(self, lends: bool) -> None:
        self._turn.take()
        try:
            if lends and self._lent:
                self._lent = False
            if self._users and not self._lent:
                # Groups look again: what was imported meanwhile may hold something to replace.
                self._lendable.install()
        finally:
            self._turn.leave()

    def _each(self) -> Iterator[Replacement]:
        pending = list(reversed(self.replacements))
        while pending:
            item = pending.pop()
            if isinstance(item, (Group, Late)):
                pending += reversed(item.members())
            else:
                yield item


patched = Registry()
"""What is replaced, and by which recordings; `table` fills it."""


def recorded(intrinsic: Intrinsic) -> Callable[[Callable[..., Any]], Callable[..., Any]]:
    """Makes a stand-in that records each call of a function while this thread records."""

    def make(original: Callable[..., Any]) -> Callable[..., Any]:
        @functools.wraps(original)
        def function(*args: Any, **kwargs: Any) -> Any:
            recorder = active.recorder
            if recorder is None or recorder.paused:
                return original(*args, **kwargs)
            args, kwargs = tuple(map(listed, args)), {name: listed(item) for name, item in kwargs.items()}
            return recorder.record_intrinsic(intrinsic, args, kwargs)

        return function

    return make


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
