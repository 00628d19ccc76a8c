"""Higher-order operators (`cond`, `while_loop`, `map`): one node each, with the graphs that it calls as text."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from tracelab.errors import TracelabError


class Block:
    """A graph that a higher-order operator calls: its name, its text, and what runs it where that is at hand."""

    def __init__(self, name: str, text: str, run: Callable[..., Any] | None = None) -> None:
        self.__name__ = name
        self.__qualname__ = name
        self.text = text
        self.run = run

    def __repr__(self) -> str:
        return f"<block {self.__name__}>"


class HigherOrder:
    """What runs the one node: the operator itself, on the blocks' own modules.

    `outputs` is how many results the node has: a single one is taken out of the tuple that the operator gives.
    """

    def __init__(self, operator: Callable[..., Any], name: str, outputs: int) -> None:
        self.operator = operator
        self.__name__ = name
        self.outputs = outputs

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.operator(*map(_runnable, args), **{name: _runnable(item) for name, item in kwargs.items()})
        if self.outputs == 1 and isinstance(result, (tuple, list)) and len(result) == 1:
            return result[0]
        return result

    def __repr__(self) -> str:
        return f"<{self.__name__}>"


def _runnable(item: Any) -> Any:
    if not isinstance(item, Block):
        return item
    if item.run is None:
        raise TracelabError(f"the block {item.__name__} was read without code that runs it")
    return item.run
