"""A dict among the arguments of a recording: which keys the code asks for, and whether it goes through all of them.

A call may give more keys than were traced, or in another order: the recording is right where the code cannot tell.
"""

from __future__ import annotations

import functools
import sys
from collections.abc import Callable, Iterator
from types import FrameType
from typing import Any

from tracelab.capture.recording.recorder import active
from tracelab.compat.pytrees import register_dict
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.given_keys import GivenKeys, key_probe
from tracelab.graph.tree import Tree


class DictArgument(dict[Any, Any]):
    """A dict that notes what is asked of its keys."""

    tree: Tree | None = None
    """That of the argument; None for a dict that the code made of this class."""
    where = ""

    def note_all(self, frame: FrameType | None = None) -> None:
        """The code goes through the keys, or gives back the dict, for which there is no frame."""
        self._note(f"list({self.where})", self._traced_keys(), _all, frame)

    def _traced_keys(self) -> list[Any]:
        return self.tree.keys if self.tree is not None else []

    def _note_key(self, key: Any) -> None:
        if key not in self._traced_keys() and isinstance(key, (str, int, float, tuple)):
            self._note(f"{key!r} in {self.where}", False, functools.partial(_is_there, key), sys._getframe(2))

    def _note(self, subject: str, constant: Any, ask: Callable[[list[Any]], Any], frame: FrameType | None) -> None:
        recorder, tree = active.recorder, self.tree
        if recorder is None or recorder.paused or tree is None or not recorder.in_code:
            return
        if tree.given is None:
            tree.given = GivenKeys()
        probe = key_probe(tree.given, ask, constant)
        recorder.assume_outside(AssumptionKind.KEYS, subject, constant, probe, frame)

    def __missing__(self, key: Any) -> Any:
        self._note_key(key)
        raise KeyError(key)

    def __contains__(self, key: object) -> bool:
        self._note_key(key)
        return dict.__contains__(self, key)

    def get(self, key: Any, default: Any = None) -> Any:
        self._note_key(key)
        return dict.get(self, key, default)

    def pop(self, key: Any, *default: Any) -> Any:
        self._note_key(key)
        return dict.pop(self, key, *default)

    def setdefault(self, key: Any, default: Any = None) -> Any:
        self._note_key(key)
        return dict.setdefault(self, key, default)

    def __len__(self) -> int:
        self._note(f"len({self.where})", len(self._traced_keys()), len, sys._getframe(1))
        return dict.__len__(self)

    def __bool__(self) -> bool:
        return dict.__len__(self) > 0

    def __iter__(self) -> Iterator[Any]:
        self.note_all(sys._getframe(1))
        return dict.__iter__(self)

    def __eq__(self, other: object) -> bool:
        self.note_all(sys._getframe(1))
        return dict.__eq__(self, other)

    __hash__ = None

    def copy(self) -> dict[Any, Any]:
        self.note_all(sys._getframe(1))
        return dict(dict.items(self))


def _all(keys: list[Any]) -> list[Any]:
    return keys


def _is_there(key: Any, keys: list[Any]) -> bool:
    return key in keys


def _going_through(name: str) -> Callable[..., Any]:
    original = getattr(dict, name)

    @functools.wraps(original)
    def method(self: DictArgument, *args: Any) -> Any:
        self.note_all(sys._getframe(1))
        return original(self, *args)

    return method


for _name in ("keys", "values", "items", "popitem", "__reversed__", "__or__", "__ror__"):
    setattr(DictArgument, _name, _going_through(_name))
register_dict(DictArgument)
