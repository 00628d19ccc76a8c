"""Who takes over the assumptions of a trace that is called while another is recorded: the recording, on its own values.

What runs graphs knows nothing of recordings, and they know nothing of it: both know this.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any, Protocol

from tracelab.graph.assumptions import Assumption
from tracelab.graph.ir import Node


class Taker(Protocol):
    """A recording that runs."""

    def again(self, node: Node, args: tuple[Any, ...]) -> Any:
        """Record arithmetic that only assumptions need on values of the recording; gives a number that stays traced."""

    def assume(self, item: Assumption, subject: Any) -> Any:
        """Note the assumption of one of its values; gives the value as Python would have it."""

    def paused(self) -> AbstractContextManager[None]:
        """While values are asked what they are."""


class Takers:
    """Finds the recording of this thread."""

    find: Callable[[], Taker | None] = staticmethod(lambda: None)


takers = Takers()
