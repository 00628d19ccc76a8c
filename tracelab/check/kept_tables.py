"""Tables that code makes once and keeps: the angles of rotary embeddings, masks, positions.

The first call makes such a table and keeps it in an attribute; later calls take what is kept, where it is large enough.
A trace of the first call makes the table anew at each call. Both are the same as long as the table that is kept begins
as the one that was made.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import torch
from torch import Tensor

from tracelab.graph.aliasing import Aliasing, is_random
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT

_ORDERS = frozenset({"lt", "le", "gt", "ge"})
_EQUALITIES = frozenset({"eq", "ne"})
_WHOLE = 2**31
"""A slice that ends there ends with the tensor."""


@dataclass(frozen=True, slots=True)
class Remakes:
    """Where the code makes a table anew, by what it compares before it takes the one that is kept."""

    small: bool
    """Where the one that is kept is too small."""
    other: bool
    """Where it has any other size."""
    cast: bool
    """Where it has another dtype, or is on another device."""


class KeptTable:
    """Whether the table that is kept now is as good as the one that a replay made.

    `sliced` are the dimensions along which only a first part of the table is used.
    """

    def __init__(self, get: Callable[[], Any], sliced: frozenset[int], remakes: Remakes) -> None:
        self.get = get
        self.sliced = sliced
        self.remakes = remakes

    def __call__(self) -> Any:
        return self.get()

    def fits(self, made: Tensor, check_values: bool) -> bool:
        """Whether the code would compute the same with what it keeps."""
        kept = self.get()
        if not isinstance(kept, Tensor):
            # Not there: the code makes it, as the trace does.
            return True
        if kept.dtype is not made.dtype or kept.device != made.device:
            return self.remakes.cast
        if kept.dim() != made.dim():
            return False
        theirs, mine = tuple(kept.shape), tuple(made.shape)
        if theirs != mine:
            if self.remakes.other or (self.remakes.small and any(a < b for a, b in zip(theirs, mine, strict=True))):
                return True
            if any(
                a < b or (a > b and at not in self.sliced) for at, (a, b) in enumerate(zip(theirs, mine, strict=True))
            ):
                return False
            for at, size in enumerate(mine):
                kept = kept.narrow(at, 0, size)
        if made.is_meta or not (made.device.type == "cpu" or check_values):
            return True
        try:
            return _equal(kept, made)
        except RuntimeError:
            # Inside of a transform, one of each example of a batch.
            return False


_OF_NUMPY = frozenset({torch.float32, torch.float64, torch.int64, torch.int32, torch.bool})


def _equal(kept: Tensor, made: Tensor) -> bool:
    if made.device.type == "cpu" and made.dtype in _OF_NUMPY and type(made) is type(kept) is Tensor:
        # Three times as fast on one core.
        return bool(numpy.array_equal(kept.detach().numpy(), made.detach().numpy()))
    return torch.equal(kept, made)


def kept_tables(graph: Graph, again: Graph) -> dict[Value, Tensor] | None:
    """The tables that a graph makes, by their values, each with the tensor that another recording took in its place.

    None where the recordings are different otherwise.
    """
    pairs = _Pairs(graph, again)
    return pairs.tables if pairs.found() else None


class _Pairs:
    """Which values of two graphs are the same, where the second takes tensors that the first one makes."""

    def __init__(self, graph: Graph, again: Graph) -> None:
        self.graph, self.again = graph, again
        self.same: dict[Value, Value] = {}
        self.tables: dict[Value, Tensor] = {}

    def found(self) -> bool:
        graph, again = self.graph, self.again
        mine, theirs = graph.user_inputs, again.user_inputs
        if len(mine) != len(theirs) or len(graph.outputs) != len(again.outputs):
            return False
        self.same.update(zip(mine, theirs, strict=True))
        rest = iter(graph.nodes)
        for node in again.nodes:
            if node.kind == CONSTANT and node.outputs and _held(node.outputs[0], again) is not None:
                continue
            if not self._reach(node, rest):
                return False
        if not all(map(_may_be_left_out, rest)):
            return False
        if not all(map(self.fit, graph.outputs, again.outputs)):
            return False
        memory = Aliasing(graph)
        return not any(memory.written(value) for value in self.tables)

    def _reach(self, wanted: Node, rest: Iterator[Node]) -> bool:
        """Go on to the node that is the same as one of the second graph's, past those that make tables."""
        regions = 0
        for node in rest:
            if not regions and self._are_same(node, wanted):
                self.same.update(zip(node.outputs, wanted.outputs, strict=True))
                return True
            if node.traits.opens:
                regions += 1
            elif node.traits.closes:
                regions -= 1
            elif not _may_be_left_out(node):
                return False
            if regions < 0:
                return False
        return False

    def _are_same(self, mine: Node, theirs: Node) -> bool:
        if mine.kind != theirs.kind or mine.overload != theirs.overload or len(mine.outputs) != len(theirs.outputs):
            return False
        if mine.target is not theirs.target and mine.target != theirs.target:
            return False
        before = dict(self.tables)
        if self.fit(mine.args, theirs.args) and self.fit(mine.kwargs, theirs.kwargs):
            return True
        self.tables = before
        return False

    def fit(self, mine: Any, theirs: Any) -> bool:
        """Whether two arguments are the same."""
        if isinstance(mine, Value) and isinstance(theirs, Value):
            return self._values_fit(mine, theirs)
        if type(mine) is not type(theirs):
            return False
        if isinstance(mine, (list, tuple)):
            return len(mine) == len(theirs) and all(map(self.fit, mine, theirs))
        if isinstance(mine, dict):
            return list(mine) == list(theirs) and all(self.fit(item, theirs[key]) for key, item in mine.items())
        if isinstance(mine, Tensor):
            return mine is theirs
        return mine is theirs or bool(mine == theirs)

    def _values_fit(self, mine: Value, theirs: Value) -> bool:
        known = self.same.get(mine)
        if known is not None:
            return known is theirs
        held = _held(theirs, self.again)
        if held is None:
            return False
        own = _held(mine, self.graph)
        if own is not None:
            return own is held or (mine.role is theirs.role and bool(mine.path) and mine.path == theirs.path)
        if mine.role is not Role.COMPUTED or not mine.is_tensor:
            return False
        return self.tables.setdefault(mine, held) is held


def _may_be_left_out(node: Node) -> bool:
    return not node.traits.effect and not is_random(node) and not _writes(node)


def _writes(node: Node) -> bool:
    return node.schema is not None and node.schema.is_mutable


def _held(value: Value, graph: Graph) -> Tensor | None:
    """The tensor that a graph holds: a constant, a parameter or a buffer."""
    found = graph.state.get(value)
    if found is None and value.node is not None and value.node.kind == CONSTANT:
        found = next((item for item in value.node.args if isinstance(item, Tensor)), None)
        if found is None:
            found = value.node.attributes.get("value")
    return found if isinstance(found, Tensor) else None


def sliced_dimensions(graph: Graph, value: Value) -> frozenset[int]:
    """The dimensions along which each use of a value takes a first part, whose length is computed."""
    return frozenset() if value in graph.outputs else _sliced(graph.uses(), value, set(graph.outputs))


def _sliced(uses: dict[Value, list[Node]], value: Value, outputs: set[Value]) -> frozenset[int]:
    users = uses.get(value, [])
    found: frozenset[int] | None = None
    for node in users:
        here = _sliced_by(uses, node, value, outputs)
        found = here if found is None else found & here
    return found or frozenset()


def _sliced_by(uses: dict[Value, list[Node]], node: Node, value: Value, outputs: set[Value]) -> frozenset[int]:
    if node.name != "slice" or not node.args or node.args[0] is not value or len(node.args) < 4:
        return frozenset()
    dim, start, end = node.args[1:4]
    step = node.args[4] if len(node.args) > 4 else 1
    if not isinstance(dim, int) or not (start is None or start == 0) or step != 1:
        return frozenset()
    out = node.outputs[0]
    further = frozenset() if out in outputs else _sliced(uses, out, outputs)
    if isinstance(end, Value):
        rank = len(value.shape or ())
        return further | {dim % rank if rank else dim}
    return further if end is None or end >= _WHOLE else frozenset()


def assumed_only_by(again: Graph, graph: Graph) -> list[Assumption]:
    """What a recording assumes that another one does not."""
    known = {_place(item) for item in graph.assumptions}
    return [item for item in again.assumptions if _place(item) not in known]


def remakes(graph: Graph, again: Graph) -> Remakes:
    """What the code asks of a table before it takes it: what only the second recording assumes."""
    fresh = assumed_only_by(again, graph)
    asked = {
        item.value.node.name
        for item in fresh
        if item.kind is AssumptionKind.BRANCH and item.value is not None and item.value.node is not None
    }
    cast = any(item.kind in (AssumptionKind.DTYPE, AssumptionKind.DEVICE) for item in fresh)
    return Remakes(bool(asked & _ORDERS), bool(asked & _EQUALITIES), cast)


def _place(item: Assumption) -> tuple[Any, ...]:
    source = item.source
    at = (source.file, source.line, source.column) if source is not None else ()
    return item.kind, item.subject, repr(item.constant), at
