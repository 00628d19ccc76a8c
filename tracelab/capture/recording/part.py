"""What the parts of a recording ask of it."""

from __future__ import annotations

import weakref
from types import FrameType
from typing import Any, Protocol

from torch import Tensor

from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.graph import Graph
from tracelab.graph.intrinsics import Intrinsic
from tracelab.graph.ir import Node, NodeList, Role, Value
from tracelab.graph.scope import Scope
from tracelab.graph.source import Source


class Recording(Protocol):
    """The recording, as its parts know it: see `state`."""

    graph: Graph
    nodes: NodeList
    scope: Scope
    names: dict[int, tuple[str, Role]]
    numbers: list[weakref.ref[Any]]
    hashed: dict[Value, Source | None]

    def known(self, tensor: Tensor) -> Value | None: ...

    def value_of(self, tensor: Tensor) -> Value: ...

    def source(self, frame: FrameType | None) -> Source | None: ...

    def first_assumed(self, value: Value, test: str) -> bool: ...

    def assume(
        self,
        kind: AssumptionKind,
        test: str,
        value: Value | None,
        constant: Any,
        frame: FrameType | None,
        *,
        subject: str = "",
    ) -> None: ...

    def assume_at(
        self, kind: AssumptionKind, test: str, value: Value, constant: Any, source: Source | None, subject: str
    ) -> None: ...


def add_node(
    recording: Recording, intrinsic: Intrinsic, args: tuple[Any, ...], type_: str, source: Source | None
) -> Value:
    """Add a node that the code did not call as such; gives what it makes."""
    node = Node(intrinsic.kind, intrinsic.function, args, None, (), recording.scope, source)
    value = Value(node.name, type_, node)
    node.outputs = (value,)
    recording.nodes.append(node)
    return value
