"""Which value of one program is which of another that has operators of other names, by order, shapes and values.

An exporter fuses operators, splits them, drops those that do nothing and renames the rest. What stays is the order in
which things are computed, and most of the values. Of all pairings that keep the order, the one with the best sum is
taken: values that are the same count most, then operators that do the same work, in the same module, with the same
weights. Two values that differ are a pair only where their operators are alike; and, unless these read the same
weight, not where something that follows from both is the same again: they are two steps on different ways to it then.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import torch
from torch import Tensor

from tracelab.comparison.align.families import alike, plain_name
from tracelab.comparison.align.sequences import Pairs, common_subsequence
from tracelab.comparison.footprints import Footprint
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value

_MOST_CELLS = 5e7
_SAME, _NEARLY, _EMPTY, _ALIKE = 8.0, 6.0, 3.0, 2.0
_COARSER = 100.0
"""How many times the noise still says that it is nearly the same."""


def pairs_by_order(a: Graph, b: Graph, mine: list[Footprint], theirs: list[Footprint]) -> list[tuple[Value, Value]]:
    """The values that belong together, in order."""
    if not mine or not theirs:
        return []
    if len(mine) * len(theirs) > _MOST_CELLS:
        keys: dict[Any, int] = {}
        first, second = (
            [keys.setdefault((item.shape, plain_name(_maker(item).kind)), len(keys)) for item in items]
            for items in (mine, theirs)
        )
        found = common_subsequence(first, second)
    else:
        found = _best(_Scores(mine, theirs))
    sure = [(i, j) for i, j in found if _is_same(mine[i], theirs[j]) and mine[i].is_float and mine[i].length > 0]
    healed = _healed(a, b, [(mine[i].value, theirs[j].value) for i, j in sure])
    return [
        (mine[i].value, theirs[j].value)
        for i, j in found
        if _is_same(mine[i], theirs[j])
        or _weights(mine[i]) & _weights(theirs[j])
        or not healed(mine[i].value, theirs[j].value)
    ]


def _maker(item: Footprint) -> Node:
    assert item.value.node is not None
    return item.value.node


def _is_same(mine: Footprint, theirs: Footprint) -> bool:
    if mine.shape != theirs.shape or mine.is_float != theirs.is_float:
        return False
    allowed = max(mine.noise, theirs.noise) * max(mine.length, theirs.length)
    return all(
        abs(one - other) <= allowed
        for one, other in zip((mine.length, *mine.sums), (theirs.length, *theirs.sums), strict=True)
    )


class _Scores:
    """How well each value of one program fits each of the other, a row at a time."""

    def __init__(self, mine: list[Footprint], theirs: list[Footprint]) -> None:
        self.mine, self.theirs = mine, theirs
        shapes: dict[Any, int] = {}
        self.shapes_a, self.shapes_b = (
            torch.tensor([shapes.setdefault((item.shape, item.is_float), len(shapes)) for item in items])
            for items in (mine, theirs)
        )
        self.numbers_a, self.numbers_b = (
            torch.tensor([(item.length, *item.sums) for item in items], dtype=torch.double) for items in (mine, theirs)
        )
        self.noise = torch.tensor([item.noise for item in theirs], dtype=torch.double)
        self.modules = _places([_module(item) for item in theirs])
        weights = [(path, place) for place, item in enumerate(theirs) for path in _weights(item)]
        self.weights: dict[str, list[int]] = {}
        for path, place in weights:
            self.weights.setdefault(path, []).append(place)
        self.kinds: dict[Any, tuple[Node, list[int]]] = {}
        for place, item in enumerate(theirs):
            self.kinds.setdefault(_kind(item), (_maker(item), []))[1].append(place)
        self.alike: dict[Any, Tensor] = {}

    def row(self, place: int) -> Tensor:
        """The scores of one value of the first program; 0 for what cannot be its partner."""
        item = self.mine[place]
        numbers = self.numbers_a[place]
        apart = (self.numbers_b - numbers).abs().amax(1)
        allowed = self.noise.clamp_min(item.noise) * self.numbers_b[:, 0].clamp_min(item.length)
        kind_fits = self._alike(item)
        scores = torch.where(kind_fits, _ALIKE, 0.0)
        scores[apart <= allowed * _COARSER] = _NEARLY
        scores[apart <= allowed] = _SAME if item.length else _EMPTY
        bonus = kind_fits.double()
        module = _module(item)
        if module:
            bonus[self.modules.get(module, [])] += 1
        for path in _weights(item):
            bonus[self.weights.get(path, [])] += 1
        fits = (scores > 0) & (self.shapes_b == self.shapes_a[place])
        return torch.where(fits, scores + bonus, 0.0)

    def _alike(self, item: Footprint) -> Tensor:
        key = _kind(item)
        if key not in self.alike:
            row = torch.zeros(len(self.theirs), dtype=torch.bool)
            for node, places in self.kinds.values():
                if alike(_maker(item), node):
                    row[places] = True
            self.alike[key] = row
        return self.alike[key]


def _kind(item: Footprint) -> tuple[str, str]:
    node = _maker(item)
    return node.kind, str(node.attributes.get("origin", "")).rpartition(": ")[2]


def _module(item: Footprint) -> str:
    scope = _maker(item).scope
    return "" if scope is None else scope.path


def _weights(item: Footprint) -> set[str]:
    return {value.path for value in _maker(item).inputs if value.role not in (Role.COMPUTED, Role.INPUT) and value.path}


def _places(items: Iterable[str]) -> dict[str, list[int]]:
    found: dict[str, list[int]] = {}
    for place, item in enumerate(items):
        found.setdefault(item, []).append(place)
    return found


def _best(scores: _Scores) -> Pairs:
    """The pairs in order with the greatest sum of scores."""
    rows, columns = len(scores.mine), len(scores.theirs)
    taken = torch.zeros(rows, columns, dtype=torch.bool)
    kept = torch.zeros(rows, columns, dtype=torch.bool)
    best = torch.zeros(columns + 1, dtype=torch.double)
    for i in range(rows):
        row = scores.row(i)
        paired = torch.where(row > 0, best[:-1] + row, 0.0)
        above = best[1:]
        taken[i] = paired > above
        reached = torch.maximum(paired, above).cummax(0).values
        # Whether the best so far ends here, and not further left.
        kept[i, 1:] = reached[1:] > reached[:-1]
        kept[i, 0] = reached[0] > 0
        best = torch.cat([best[:1], reached])
    pairs: Pairs = []
    i, j = rows - 1, columns - 1
    while i >= 0 and j >= 0:
        if not kept[i, j]:
            j -= 1
        elif taken[i, j]:
            pairs.append((i, j))
            i, j = i - 1, j - 1
        else:
            i -= 1
    pairs.reverse()
    return pairs


def _healed(a: Graph, b: Graph, sure: list[tuple[Value, Value]]) -> Any:
    """Whether something that is the same in both follows from a value of each."""
    first = _followers(a, {mine: place for place, (mine, _) in enumerate(sure)})
    second = _followers(b, {theirs: place for place, (_, theirs) in enumerate(sure)})
    return lambda mine, theirs: bool(first.get(mine, 0) & second.get(theirs, 0))


def _followers(graph: Graph, marks: dict[Value, int]) -> dict[Value, int]:
    """For each value the marked ones that follow from it, as the bits of a number."""
    found: dict[Value, int] = {}
    for node in reversed(graph.nodes):
        bits = 0
        for value in node.outputs:
            bits |= found.get(value, 0) | (1 << marks[value] if value in marks else 0)
        for value in node.inputs:
            if bits and value.role not in (Role.PARAMETER, Role.BUFFER, Role.CONSTANT):
                found[value] = found.get(value, 0) | bits
    return found
