"""Context variables as they are before a check runs the user's code."""

from __future__ import annotations

from contextvars import Context, ContextVar, copy_context
from typing import Any


class ContextVariables:
    """The values that this thread's context variables have."""

    def __init__(self) -> None:
        self._before = copy_context()

    def restore(self) -> None:
        """Set each that was set since to what it was."""
        for variable, now in copy_context().items():
            if variable in self._before:
                if self._before[variable] is not now:
                    variable.set(self._before[variable])
            else:
                _set_to_default(variable)


def _set_to_default(variable: ContextVar[Any]) -> None:
    """Give it what it is where it was never set; nothing takes a value away again."""
    try:
        variable.set(Context().run(variable.get))
    except LookupError:
        return
