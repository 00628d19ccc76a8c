"""The keys of a dict that a call gives, beyond those that were traced: code may have asked for more of them."""

from __future__ import annotations

import functools
import threading
from collections.abc import Callable, Iterable
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


def key_probe(given: GivenKeys, ask: Callable[[list[Any]], Any], constant: Any) -> Callable[[], Any]:
    """What asks a call's keys as the traced code did, which was answered with `constant`."""
    return functools.partial(_now, given, ask, constant)


def question(subject: str, place: str) -> Callable[[list[Any]], Any] | None:
    """What an assumption about the dict at `place` asks of its keys, from its words; None for one about something else.

    >>> question("'mask' in batch", "batch")(["ids", "mask"])
    True
    """
    if subject == f"list({place})":
        return list
    if subject == f"len({place})":
        return len
    key = subject.removesuffix(f" in {place}")
    return functools.partial(_is_among, key) if key != subject else None


def _now(given: GivenKeys, ask: Callable[[list[Any]], Any], constant: Any) -> Any:
    return constant if given.keys is None else ask(given.keys)


def _is_among(key: str, keys: list[Any]) -> bool:
    return any(repr(item) == key for item in keys)
