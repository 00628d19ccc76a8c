"""What is different between two nodes that belong together."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from types import CodeType
from typing import Any, NamedTuple

import torch

from tracelab.comparison.align.alignment import Alignment
from tracelab.compat.tensors import is_fake
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.source import Source
from tracelab.graph.text.arguments import filled_arguments, text_of
from tracelab.graph.types import TensorType

ABSENT = "nothing"
"""Stands for what one of two has not."""
TYPES = frozenset({"dtype", "shape", "stride", "device", "requires_grad", "type"})
"""Changes of what a node made; those of one node change what the next makes."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that is different.

    `what` is `operator`, `overload`, `argument` (named by the schema), `input` (an argument that now comes from an
    added, removed or moved node), `dtype`, `shape`, `stride`, `device`, `requires_grad`, `type`, `value` (of a
    constant), `outputs`, `line`, `scope`, `order`, `name` or `path`. `before` and `after` are what the graphs hold:
    constants, values, dtypes, shapes, lines.
    """

    what: str
    name: str
    before: Any
    after: Any

    def mirrored(self) -> Change:
        return Change(self.what, self.name, self.after, self.before)

    @property
    def label(self) -> str:
        """`shape`, `argument dim`."""
        return f"{self.what} {self.name}" if self.name else self.what

    @property
    def descriptions(self) -> tuple[str, str]:
        """Before and after as text."""
        return _shown(self.before), _shown(self.after)

    def __str__(self) -> str:
        """`argument dim: 1 → -1`."""
        return f"{self.label}: {' → '.join(self.descriptions)}"


class ChangedNode(NamedTuple):
    """A node, the node that it became, and what is different."""

    before: Node
    after: Node
    changes: tuple[Change, ...]


class ChangedValue(NamedTuple):
    """An input or parameter, what it became, and what is different; None for what one graph has not."""

    before: Value | None
    after: Value | None
    changes: tuple[Change, ...]


def _shown(item: Any) -> str:
    if isinstance(item, str):
        return item
    if isinstance(item, torch.Size) or (type(item) is tuple and all(type(part) is int for part in item)):
        return f"[{', '.join(map(str, item))}]"
    if isinstance(item, torch.dtype):
        return str(item).removeprefix("torch.")
    return text_of(item)


def node_changes(alignment: Alignment, moved: frozenset[Any] = frozenset()) -> Iterator[ChangedNode]:
    """Every pair of nodes with a difference, in the order of the first graph.

    `moved` holds scopes and nodes, of both graphs, whose place among their neighbours changed.
    """
    compare = _Comparison(alignment, moved)
    for before, after in alignment.pairs:
        changes = tuple(compare.changes(before, after))
        if changes:
            yield ChangedNode(before, after, changes)


def output_changes(alignment: Alignment, moved: frozenset[Any] = frozenset()) -> list[Change]:
    """Which of the graph's outputs is another value now; what an added node made in its place is no change."""
    compare = _Comparison(alignment, moved)
    found = []
    a, b = alignment.a.outputs, alignment.b.outputs
    for place in range(max(len(a), len(b))):
        before = a[place] if place < len(a) else ABSENT
        after = b[place] if place < len(b) else ABSENT
        if compare.kind_of_difference(before, after, None, None) == "argument":
            found.append(Change("output", str(place) if len(a) > 1 or len(b) > 1 else "", before, after))
    return found


class _Comparison:
    def __init__(self, alignment: Alignment, moved: frozenset[Any]) -> None:
        self.alignment = alignment
        self.moved = moved
        self.matched = set(alignment.partner.values())
        self.codes: dict[tuple[int, int], bool] = {}
        self.in_moved: dict[Any, bool] = {None: False}

    def changes(self, before: Node, after: Node) -> Iterator[Change]:
        operator = before.kind != after.kind
        if operator:
            yield Change("operator", "", before.kind, after.kind)
        yield from self.arguments(before, after, operator)
        for name in sorted({*before.attributes, *after.attributes}):
            x, y = before.attributes.get(name, ABSENT), after.attributes.get(name, ABSENT)
            if type(x) in (str, int, bool) and type(y) in (str, int, bool) and x != y:
                yield Change("argument", name, x, y)
        if before.kind == after.kind == CONSTANT:
            yield from self.constant(before, after)
        yield from outputs_of(before, after)
        line = self.line(before.source, after.source)
        if line is not None:
            yield line
        yield from self.scope(before, after)
        if before in self.moved:
            yield Change("order", "", *self.places(before, after))

    def arguments(self, before: Node, after: Node, operator: bool) -> Iterator[Change]:
        given = dict(filled_arguments(after))
        arguments = filled_arguments(before)
        differing = False
        for name, item in arguments:
            if name not in given:
                # Another operator has other arguments.
                if not operator:
                    differing = True
                    yield Change("argument", name, item, ABSENT)
                continue
            other = given.pop(name)
            if item is other and type(item) is not Value:
                continue
            kind = self.kind_of_difference(item, other, before, after)
            if kind:
                differing = True
                yield Change(kind, name, item, other)
        if not operator:
            for name, other in given.items():
                differing = True
                yield Change("argument", name, ABSENT, other)
            if not differing and before.overload != after.overload:
                yield Change("overload", "", before.overload or "default", after.overload or "default")

    def kind_of_difference(self, mine: Any, theirs: Any, before: Node | None, after: Node | None) -> str:
        """Empty where two arguments are the same; `input` where the difference lies with another node."""
        if type(mine) is Value and type(theirs) is Value:
            if self.alignment.values.get(mine) is theirs:
                return ""
            if self.is_removed(mine) or self.is_added(theirs):
                return "input"
            moved = any(map(self.is_in_moved, (mine.node, theirs.node, before, after)))
            return "input" if moved and not self.is_exchanged(mine, theirs, before, after) else "argument"
        if isinstance(mine, (list, tuple)) and isinstance(theirs, (list, tuple)):
            return self.lists(list(mine), list(theirs), before, after)
        if isinstance(mine, dict) and isinstance(theirs, dict):
            if list(mine) != list(theirs):
                return "argument"
            return self.lists(list(mine.values()), list(theirs.values()), before, after)
        if isinstance(mine, slice) and isinstance(theirs, slice):
            ends, others = [mine.start, mine.stop, mine.step], [theirs.start, theirs.stop, theirs.step]
            return self.lists(ends, others, before, after)
        return "" if type(mine) is type(theirs) and text_of(mine) == text_of(theirs) else "argument"

    def lists(self, mine: list[Any], theirs: list[Any], before: Node | None, after: Node | None) -> str:
        if len(mine) != len(theirs):
            # One more part of a `cat`, made by an added node, is that node's difference.
            stay = [item for item in mine if not self.is_removed(item)]
            came = [item for item in theirs if not self.is_added(item)]
            alike = len(stay) == len(came) and not self.lists(stay, came, before, after)
            return "input" if alike else "argument"
        kinds = {self.kind_of_difference(x, y, before, after) for x, y in zip(mine, theirs, strict=True)}
        return "argument" if "argument" in kinds else "input" if "input" in kinds else ""

    def is_removed(self, item: Any) -> bool:
        return type(item) is Value and item.node is not None and item.node not in self.alignment.partner

    def is_added(self, item: Any) -> bool:
        return type(item) is Value and item.node is not None and item.node not in self.matched

    def is_exchanged(self, mine: Value, theirs: Value, before: Node | None, after: Node | None) -> bool:
        """Whether a node still reads both values, only in another place: `a - b` became `b - a`."""
        if before is None or after is None:
            return False
        values = self.alignment.values
        return values.get(mine) in after.inputs or theirs in {values.get(value) for value in before.inputs}

    def is_in_moved(self, node: Node | None) -> bool:
        """Whether a node, or a module around it, moved."""
        if not self.moved or node is None:
            return False
        if node in self.moved:
            return True
        scope = node.scope
        chain = []
        while scope not in self.in_moved:
            if scope in self.moved:
                self.in_moved[scope] = True
                break
            chain.append(scope)
            assert scope is not None
            scope = scope.parent
        answer = self.in_moved[scope]
        for inner in chain:
            self.in_moved[inner] = answer
        return answer

    def constant(self, before: Node, after: Node) -> Iterator[Change]:
        mine = self.alignment.a.state.get(before.outputs[0])
        theirs = self.alignment.b.state.get(after.outputs[0])
        difference = tensor_difference(mine, theirs)
        if difference:
            yield Change("value", "", *difference)

    def scope(self, before: Node, after: Node) -> Iterator[Change]:
        mine, theirs = before.scope or self.alignment.a.root, after.scope or self.alignment.b.root
        if self.alignment.partner_scope.get(mine) is not theirs:
            yield Change("scope", "", mine.path or mine.name, theirs.path or theirs.name)

    def line(self, before: Source | None, after: Source | None) -> Change | None:
        """Another line of the same code. In code that was edited, lines have no numbers to go by."""
        if before is None or after is None or before is after or before.stack == after.stack:
            return None
        for (code, offset), (other, other_offset) in zip(before.stack, after.stack, strict=False):
            if not self.same_code(code, other):
                return None
            if offset != other_offset:
                mine, theirs = Source(((code, offset),)), Source(((other, other_offset),))
                if mine.line != theirs.line:
                    return Change("line", "", mine.line, theirs.line)
        return None

    def same_code(self, code: CodeType, other: CodeType) -> bool:
        if code is other:
            return True
        key = (id(code), id(other))
        found = self.codes.get(key)
        if found is None:
            found = self.codes[key] = code == other
        return found

    def places(self, before: Node, after: Node) -> tuple[int, int]:
        return self.place_tables[0][before], self.place_tables[1][after]

    @cached_property
    def place_tables(self) -> list[dict[Node, int]]:
        graphs = (self.alignment.a, self.alignment.b)
        return [{node: place for place, node in enumerate(graph.nodes)} for graph in graphs]


def outputs_of(before: Node, after: Node) -> Iterator[Change]:
    """What is different in what two nodes made."""
    if len(before.outputs) != len(after.outputs):
        yield Change("outputs", "", len(before.outputs), len(after.outputs))
        return
    for place, (mine, theirs) in enumerate(zip(before.outputs, after.outputs, strict=True)):
        name = str(place) if len(before.outputs) > 1 else ""
        # Whether a result requires a gradient follows from inputs and grad mode, where it is reported.
        yield from (change for change in type_changes(mine, theirs, name) if change.what != "requires_grad")


def type_changes(before: Value, after: Value, name: str = "") -> Iterator[Change]:
    """What is different in the types of two values; strides only where the shapes are the same."""
    mine, theirs = before.type, after.type
    if mine == theirs:
        return
    if not isinstance(mine, TensorType) or not isinstance(theirs, TensorType):
        x = mine.short if isinstance(mine, TensorType) else mine
        y = theirs.short if isinstance(theirs, TensorType) else theirs
        yield Change("type", name, x, y)
        return
    if mine.dtype != theirs.dtype:
        yield Change("dtype", name, mine.dtype, theirs.dtype)
    if mine.shape != theirs.shape:
        yield Change("shape", name, mine.shape, theirs.shape)
    elif mine.stride != theirs.stride:
        yield Change("stride", name, mine.stride, theirs.stride)
    if mine.device != theirs.device:
        yield Change("device", name, str(mine.device), str(theirs.device))
    if mine.requires_grad != theirs.requires_grad:
        yield Change("requires_grad", name, mine.requires_grad, theirs.requires_grad)


def tensor_difference(mine: torch.Tensor | None, theirs: torch.Tensor | None) -> tuple[str, str] | None:
    """Both constants in words where they hold other values; None where they are equal, or have no data."""
    if mine is None or theirs is None or mine is theirs or mine.shape != theirs.shape or mine.dtype != theirs.dtype:
        return None
    plain = all(
        item.layout is torch.strided and not item.is_meta and not item.is_quantized and not is_fake(item)
        for item in (mine, theirs)
    )
    if not plain:
        return None
    with torch.no_grad():
        x, y = mine.detach().cpu(), theirs.detach().cpu()
        same = (x == y) | ((x != x) & (y != y))
        if bool(same.all()):
            return None
        first = tuple(int(place) for place in (~same).nonzero()[0])
        count = int((~same).sum())
    words = [_element(item, first, count) for item in (x, y)]
    return words[0], words[1]


def _element(tensor: torch.Tensor, place: tuple[int, ...], count: int) -> str:
    number = repr(tensor[place].item())
    if tensor.numel() == 1:
        return number
    more = f", {count} of {tensor.numel()} differ" if count > 1 else ""
    return f"{number} at [{', '.join(map(str, place))}]{more}"


def input_changes(alignment: Alignment) -> Iterator[ChangedValue]:
    """What is different in the graphs' inputs, and in the parameters that both use."""
    a, b = alignment.a, alignment.b
    taken = set(alignment.values.values())
    renamed = {mine.path: theirs.path for mine, theirs in alignment.scopes}
    for value in a.inputs:
        other = alignment.values.get(value)
        if other is None:
            if value.role is Role.INPUT:
                yield ChangedValue(value, None, (Change("input", "", value.name, ABSENT),))
            continue
        found = list(type_changes(value, other))
        if value.role is Role.INPUT:
            if value.name != other.name:
                found.insert(0, Change("name", "", value.name, other.name))
        elif value.path != other.path and moved_path(value.path, renamed) != other.path:
            found.insert(0, Change("path", "", value.path, other.path))
        if value in a.state and other in b.state and value.role is Role.CONSTANT:
            difference = tensor_difference(a.state[value], b.state[other])
            if difference:
                found.append(Change("value", "", *difference))
        if found:
            yield ChangedValue(value, other, tuple(found))
    for value in b.user_inputs:
        if value not in taken:
            yield ChangedValue(None, value, (Change("input", "", ABSENT, value.name),))


def moved_path(path: str, renamed: dict[str, str]) -> str:
    """A parameter's path after its module was renamed."""
    owner, rest = path, ""
    while owner:
        owner, _, last = owner.rpartition(".")
        rest = f"{last}.{rest}" if rest else last
        if owner in renamed:
            return f"{renamed[owner]}.{rest}" if renamed[owner] else rest
    return path
