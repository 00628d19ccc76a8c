"""What is worked out from a trace and kept with it, so that both are gone together."""

from __future__ import annotations

import weakref
from typing import Any


class _Beside:
    """Items by name; a copy or a pickle of the owner starts with none."""

    __slots__ = ("items", "owner")

    def __init__(self, owner: Any = None) -> None:
        self.items: dict[str, dict[Any, Any]] = {}
        self.owner = (lambda: None) if owner is None else weakref.ref(owner)

    def __deepcopy__(self, memo: dict[int, Any]) -> _Beside:
        return _Beside()

    def __reduce__(self) -> tuple[Any, ...]:
        return _Beside, ()


def kept_beside(owner: Any, what: str) -> dict[Any, Any]:
    """The table called `what` of a trace, which may be written to.

    A table elsewhere with weak keys would not do: its items lead back to their owner, and the garbage collector frees
    such an owner's tensors a collection late, or never.

    Args:
        owner: A traced function or module.
        what: The name of the table.

    Returns:
        The table, empty at first.

    >>> import copy
    >>> traced = tracelab.trace(lambda x: x * 2, torch.ones(2))
    >>> kept_beside(traced, "squares")[3] = 9
    >>> kept_beside(traced, "squares"), kept_beside(copy.deepcopy(traced), "squares")
    ({3: 9}, {})
    """
    beside = owner.__dict__.get("_beside")
    if beside is None or beside.owner() is not owner:
        beside = owner.__dict__["_beside"] = _Beside(owner)
    found: dict[Any, Any] = beside.items.setdefault(what, {})
    return found
