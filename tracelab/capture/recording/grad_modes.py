"""Which gradient modes the traced code has set, and what each region restores.

A graph says it as a stack: `prim::EnterGradMode` sets a mode, `prim::ExitGradMode` restores the one before it. Python
is freer: a mode can be set by a statement, which nothing restores, and regions of generators end in any order.
"""

from __future__ import annotations

from typing import Any


class GradModes:
    """The modes that are set, innermost last, each with the context manager that set it; None for other code.

    `began` is the mode in which the recording begins.
    """

    def __init__(self, began: bool) -> None:
        self.began = began
        self._set: list[tuple[Any, bool]] = []
        self._outermost: dict[int, Any] = {}
        """Regions that found the mode in which the recording began: a replay may begin in another."""

    @property
    def is_changed(self) -> bool:
        """Whether the code set a mode that holds now."""
        return bool(self._set)

    def is_innermost(self, region: Any) -> bool:
        """Whether the region set the mode that holds now."""
        return bool(self._set) and self._set[-1][0] is region

    def enter(self, region: Any, mode: bool) -> None:
        """A mode is set."""
        self._set.append((region, mode))

    def note_found(self, region: Any) -> None:
        """The region looks at the mode that holds now, which it will restore."""
        if self._set:
            self._outermost.pop(id(region), None)
        else:
            self._outermost[id(region)] = region

    def leave(self, region: Any, mode: bool) -> tuple[int, bool]:
        """The region restores a mode.

        Returns:
            How many of the modes that are set end by it, and whether its own has then to be set again: it was left
            before together with one around it, or entered before the recording began.
        """
        places = [index for index, (other, _) in enumerate(self._set) if other is region]
        place = 0 if id(region) in self._outermost else places[-1] if places else len(self._set)
        ended = len(self._set) - place
        del self._set[place:]
        holds = self._set[-1][1] if self._set else self.began
        if holds == mode:
            return ended, False
        self.enter(region, mode)
        return ended, True
