"""What no key could pair: a few items between two that belong together, compared each with each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

from tracelab.comparison.align.keys import Item, shown_type
from tracelab.comparison.align.sequences import common_subsequence
from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope

_MOST_SCORES = 1024
"""Larger gaps are compared by keys only: each with each would be quadratic."""

Evidence = Callable[[Node, Node], tuple[float, float]]
"""How much of what two nodes read, and of who reads them, belongs together."""


@dataclass(slots=True)
class Gap:
    """Items left over between the same two neighbours."""

    left: list[Item]
    right: list[Item]


def align_gap(gap: Gap, evidence: Evidence) -> list[tuple[Item, Item]]:
    """The pairs that are most alike, in order (S. B. Needleman and C. D. Wunsch, J. Mol. Biol. 48, 1970)."""
    left, right = gap.left, gap.right
    if len(left) * len(right) > _MOST_SCORES:
        return _by_keys(left, right)
    places = len(left) == len(right)
    scores = [
        [_score(mine, theirs, places and i == j, evidence) for j, theirs in enumerate(right)]
        for i, mine in enumerate(left)
    ]
    best = [[0.0] * (len(right) + 1) for _ in range(len(left) + 1)]
    for i in range(len(left) - 1, -1, -1):
        for j in range(len(right) - 1, -1, -1):
            taken = scores[i][j] + best[i + 1][j + 1] if scores[i][j] > 0 else 0.0
            best[i][j] = max(taken, best[i + 1][j], best[i][j + 1])
    pairs = []
    i = j = 0
    while i < len(left) and j < len(right):
        if scores[i][j] > 0 and best[i][j] == scores[i][j] + best[i + 1][j + 1]:
            pairs.append((left[i], right[j]))
            i, j = i + 1, j + 1
        elif best[i][j] == best[i + 1][j]:
            i += 1
        else:
            j += 1
    return pairs


def _score(mine: Item, theirs: Item, same_place: bool, evidence: Evidence) -> float:
    first, second = mine.thing, theirs.thing
    if isinstance(first, Node) and isinstance(second, Node):
        return _node_score(first, second, mine.name == theirs.name, same_place, evidence)
    if isinstance(first, Scope) and isinstance(second, Scope):
        return _scope_score(mine, theirs)
    return 0.0


def _node_score(mine: Node, theirs: Node, same_name: bool, same_place: bool, evidence: Evidence) -> float:
    above, below = evidence(mine, theirs)
    score = 0.5 * same_name + 0.5 * above + 0.5 * below
    if mine.kind == theirs.kind:
        return 2.0 + score
    # Another operator at the same place: it reads the same and the same read it, or it stands where the other stood.
    if (above and below) or (same_place and (above or below or same_name)):
        alike = [shown_type(value) for value in mine.outputs] == [shown_type(value) for value in theirs.outputs]
        return 0.25 + score + 0.25 * alike
    return 0.0


def _scope_score(mine: Item, theirs: Item) -> float:
    kinds, others = kinds_of(mine), kinds_of(theirs)
    overlap = sum((kinds & others).values()) / max(mine.size, theirs.size)
    same_name = mine.name == theirs.name
    same_class = mine.thing.class_name == theirs.thing.class_name  # type: ignore[union-attr]
    if same_name or (same_class and overlap >= 0.3) or overlap >= 0.6:
        return 1.0 + 2 * overlap + 0.5 * same_name + 0.5 * same_class
    return 0.0


def kinds_of(item: Item) -> Counter[str]:
    """How many nodes of each kind are in an item."""
    kinds: Counter[str] = Counter()
    stack = [item]
    while stack:
        top = stack.pop()
        if isinstance(top.thing, Node):
            kinds[top.thing.kind] += 1
        stack += top.children
    return kinds


def _by_keys(left: list[Item], right: list[Item]) -> list[tuple[Item, Item]]:
    """Modules of one name, and nodes of one kind, in order."""
    numbers: dict[object, int] = {}

    def key(item: Item) -> int:
        named = ("node", item.skeleton) if item.is_node else ("scope", item.name)
        return numbers.setdefault(named, len(numbers))

    pairs = common_subsequence([key(item) for item in left], [key(item) for item in right])
    return [(left[i], right[j]) for i, j in pairs]
