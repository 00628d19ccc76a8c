"""Where an iterator or a context variable stands: code that takes the next item changes it at each call."""

from __future__ import annotations

import itertools
import types
from contextvars import ContextVar
from typing import Any

_LISTED: tuple[type, ...] = (type(iter([])), type(iter(())), type(iter(range(0))), type(iter({})), type(iter("")))
POSITIONED: tuple[type, ...] = (itertools.count, types.GeneratorType, ContextVar, *_LISTED)
"""What has a place where it stands, which can be asked for without a change."""
_PLAIN = (bool, int, float, str, type(None))
_UNSET = object()


class Position:
    """Where one of them stood."""

    __slots__ = ("kind", "state")

    def __init__(self, item: Any) -> None:
        self.kind = "a context variable" if isinstance(item, ContextVar) else "an iterator"
        self.state = _state_of(item)

    def is_same(self, now: Any) -> bool:
        """Whether it stands there still."""
        return isinstance(now, POSITIONED) and _state_of(now) == self.state

    @property
    def now(self) -> str:
        """What it is where it stands elsewhere."""
        return f"{self.kind} that {'was set' if self.kind.startswith('a ') else 'has gone on'}"

    def __repr__(self) -> str:
        return f"{self.kind} as it stood"


def _state_of(item: Any) -> Any:
    if isinstance(item, itertools.count):
        return repr(item)
    if isinstance(item, ContextVar):
        found = item.get(_UNSET)
        return found if isinstance(found, _PLAIN) else id(found)
    if isinstance(item, types.GeneratorType):
        frame = item.gi_frame
        if frame is None:
            return None
        return frame.f_lasti, {name: each for name, each in frame.f_locals.items() if isinstance(each, _PLAIN)}
    return item.__length_hint__()
