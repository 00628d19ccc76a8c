"""Tables of parameters and buffers, and modes, that say when they change.

A replay needs every parameter at each call. Looking hundreds of them up costs a small model more than its smallest
layers, so they are looked up once, and again after any change.
"""

from __future__ import annotations

import copy
from typing import Any

from torch import nn


class Changes:
    """How many changes the tables of one traced module have seen."""

    __slots__ = ("count",)

    def __init__(self) -> None:
        self.count = 0


class ModeMark:
    """Another object after each change of the mode of a traced module, or of a part of one.

    A recording depends on the modes of hundreds of modules, and to ask them takes longer than a layer takes to run.
    """

    __slots__ = ("now",)

    def __init__(self) -> None:
        self.now = object()

    def renew(self) -> None:
        """A mode was set."""
        self.now = object()


mode_mark = ModeMark()
"""That of all traced modules: modes are seldom set between calls."""


class StateTable(dict[str, Any]):
    """A module's parameters or buffers by name; every write counts with all observers."""

    def __init__(self, items: dict[str, Any], observers: tuple[Changes, ...] = ()) -> None:
        super().__init__(items)
        self.observers = observers

    def _changed(self) -> None:
        for observer in self.observers:
            observer.count += 1

    def __setitem__(self, name: str, item: Any) -> None:
        self._changed()
        super().__setitem__(name, item)

    def __delitem__(self, name: str) -> None:
        self._changed()
        super().__delitem__(name)

    def pop(self, *args: Any) -> Any:
        self._changed()
        return super().pop(*args)

    def popitem(self) -> tuple[str, Any]:
        self._changed()
        return super().popitem()

    def clear(self) -> None:
        self._changed()
        super().clear()

    def setdefault(self, name: str, default: Any = None) -> Any:
        self._changed()
        return super().setdefault(name, default)

    def update(self, *args: Any, **kwargs: Any) -> None:
        self._changed()
        super().update(*args, **kwargs)

    def __ior__(self, other: Any) -> StateTable:  # type: ignore[override, misc]
        self.update(other)
        return self

    def __reduce__(self) -> Any:
        # Those who observe a pickled table find it again: see `observe`.
        return StateTable, (dict(self),)

    def __deepcopy__(self, memo: dict[int, Any]) -> StateTable:
        twin = memo[id(self)] = StateTable({}, copy.deepcopy(self.observers, memo))
        dict.update(twin, {name: copy.deepcopy(item, memo) for name, item in self.items()})
        return twin

    def copy(self) -> StateTable:
        return StateTable(self, self.observers)


def observe(root: nn.Module, changes: Changes) -> None:
    """Count every later change of a parameter or buffer of `root`, or of its submodules, in `changes`."""
    for module in root.modules():
        for name in ("_parameters", "_buffers"):
            table = module.__dict__[name]
            if not isinstance(table, StateTable):
                module.__dict__[name] = StateTable(table, (changes,))
            elif changes not in table.observers:
                table.observers += (changes,)
