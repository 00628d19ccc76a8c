"""Tensors of the user's classes, whose `__torch_function__` runs as part of the recorded code.

torch takes a mode off the stack while it runs, and with it what `__torch_function__` of an argument calls: a size
that is read there would be a constant in silence. So the class is asked first, with the mode on.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

from tracelab.compat.modes import pop_function_mode, push_function_mode
from tracelab.compat.tensors import has_rules


def by_rules(
    mode: Any,
    function: Callable[..., Any],
    types: Iterable[type],
    args: tuple[Any, ...],
    kwargs: dict[str, Any] | None,
    of_torch: bool = False,
) -> Any:
    """What the classes of the arguments make of a call; `NotImplemented` where none has a rule for it."""
    own: list[Any] = [cls for cls in types if has_rules(cls, of_torch)]
    if not own:
        return NotImplemented
    push_function_mode(mode)
    try:
        for cls in own:
            result = cls.__torch_function__(function, types, args, kwargs or {})
            if result is not NotImplemented:
                return result
    finally:
        pop_function_mode()
    return NotImplemented
