"""Attributes of objects that the code sets: while a recording runs, each tells whether it was read before it was set.

What a call sets before it reads it decides nothing at the next call; what it reads first does. Python tells nobody of
either, so that a descriptor stands in the class meanwhile, under the attribute's name. It keeps the values where they
are, in the objects, and is what an attribute is to all threads that record nothing.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from tracelab.capture.outside.attributes import WATCHED
from tracelab.capture.patches.many import Late
from tracelab.capture.patches.registry import patched
from tracelab.capture.recording.recorder import Recorder, active
from tracelab.capture.recording.replacement import Replacement


class Watched:
    """An attribute whose first use is noted."""

    __slots__ = ("name",)

    def __init__(self, name: str) -> None:
        self.name = name

    def __get__(self, item: Any, owner: Any = None) -> Any:
        name = self.name
        if item is None:
            raise AttributeError(f"type object {owner.__name__!r} has no attribute {name!r}")
        recorder = active.recorder
        if recorder is not None:
            recorder.read_first.setdefault((id(item), name), True)
        try:
            return item.__dict__[name]
        except KeyError:
            pass
        raise AttributeError(f"{type(item).__name__!r} object has no attribute {name!r}", name=name, obj=item)

    def __set__(self, item: Any, value: Any) -> None:
        recorder = active.recorder
        if recorder is not None:
            recorder.read_first.setdefault((id(item), self.name), False)
        item.__dict__[self.name] = value

    def __delete__(self, item: Any) -> None:
        recorder = active.recorder
        if recorder is not None:
            recorder.read_first.setdefault((id(item), self.name), False)
        try:
            del item.__dict__[self.name]
        except KeyError:
            pass
        else:
            return
        raise AttributeError(f"{type(item).__name__!r} object has no attribute {self.name!r}", name=self.name, obj=item)


class _InClass(Replacement):
    """A watched attribute in one class, which has none of that name itself."""

    def __init__(self, owner: type, name: str) -> None:
        self.owner, self.name = owner, name
        self.label = f"{owner.__name__}.{name}"
        self.stand_in = Watched(name)

    def install(self) -> None:
        if self.name not in vars(self.owner):
            # Not what a metaclass makes of it.
            type.__setattr__(self.owner, self.name, self.stand_in)

    def remove(self) -> None:
        if self.is_in():
            type.__delattr__(self.owner, self.name)

    def is_in(self) -> bool:
        return vars(self.owner).get(self.name) is self.stand_in


class _Attributes(Late):
    """Those of the classes whose objects recordings reach; none of them are known while no recording runs."""

    def __init__(self) -> None:
        self._found: dict[tuple[type, str], _InClass] = {}

    def watch(self, wanted: Iterable[tuple[type, str]]) -> None:
        """Watch these from here to the end of the last recording that runs."""
        fresh = False
        for key in wanted:
            if key not in self._found:
                self._found[key] = _InClass(*key)
                fresh = True
        if fresh:
            patched.want(self)

    def put_in(self) -> None:
        for item in [*self._found.values()]:
            item.install()

    def remove(self) -> None:
        for item in [*self._found.values()]:
            item.remove()
        self._found.clear()

    def is_in(self) -> bool:
        return any(item.is_in() for item in [*self._found.values()])

    def members(self) -> list[Replacement]:
        return [*self._found.values()]


_attributes = _Attributes()

ATTRIBUTES = (_attributes,)
"""Note what is read before it is set."""

WATCHED.append(Watched)
Recorder.watch_attributes = staticmethod(_attributes.watch)
