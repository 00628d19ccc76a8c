"""Collectives of `torch.distributed`: operators that wait for what they start.

An operator of `c10d` starts communication and gives back a `Work`, on which the Python function around it waits.
That wait is no operator, so a graph of operators alone would read tensors before they have arrived. Here the node
does both. A process group and a reduction are opaque objects to operators; the graph holds them with their names.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed

NAMESPACE = "c10d"


class DistributedHandle:
    """A process group or a reduction as an argument: `held` is what the operator takes, `__name__` says which it is."""

    __slots__ = ("__name__", "held")

    def __init__(self, held: Any, label: str) -> None:
        self.held = held
        self.__name__ = label

    def __repr__(self) -> str:
        return self.__name__

    def __eq__(self, other: object) -> bool:
        return isinstance(other, DistributedHandle) and self.__name__ == other.__name__

    def __hash__(self) -> int:
        return hash(self.__name__)


class Collective:
    """An operator of `c10d` that returns when its communication is done."""

    __slots__ = ("__name__", "_schema", "operator")

    def __init__(self, operator: Any) -> None:
        self.operator = operator
        self._schema = operator._schema
        self.__name__ = operator._schema.name.partition("::")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        result = self.operator(*map(_held, args), **{name: _held(item) for name, item in kwargs.items()})
        for item in result if isinstance(result, tuple) else (result,):
            if isinstance(item, torch.ScriptObject):
                torch.distributed.Work.unbox(item).wait()
        return result


def is_collective(target: Any) -> bool:
    """Whether an overload is one of torch's own collectives."""
    return bool(target._schema.name.startswith(NAMESPACE + "::")) and torch.distributed.is_available()


def _held(item: Any) -> Any:
    return item.held if isinstance(item, DistributedHandle) else item
