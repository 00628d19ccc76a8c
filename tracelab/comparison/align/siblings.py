"""What stands in two modules that belong together: which child of one is which child of the other."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterator
from typing import Any

from tracelab.comparison.align.keys import Item
from tracelab.comparison.align.leftovers import Gap, kinds_of
from tracelab.comparison.align.sequences import Pairs, common_subsequence
from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope

Key = Callable[[Item], Any]


class Partners:
    """Items that were paired, from both sides."""

    __slots__ = ("of_a", "of_b")

    def __init__(self) -> None:
        self.of_a: dict[Item, Item] = {}
        self.of_b: dict[Item, Item] = {}

    def pair(self, mine: Item, theirs: Item) -> None:
        self.of_a[mine] = theirs
        self.of_b[theirs] = mine

    def part(self, mine: Item, theirs: Item) -> None:
        del self.of_a[mine]
        del self.of_b[theirs]

    def node(self, table: dict[Any, Item], node: Node) -> Node | None:
        """The partner of a node of the first graph."""
        item = self.of_a.get(table[node])
        return None if item is None else item.thing  # type: ignore[return-value]

    def ordered(self, root: Item) -> Iterator[tuple[Item, Item]]:
        """Every pair in the order of the first graph, modules before what stands in them."""
        stack = [root]
        while stack:
            item = stack.pop()
            partner = self.of_a.get(item)
            if partner is not None:
                yield item, partner
            stack += reversed(item.children)


# Names count before anything else where they say what a module is (`encoder`, `head`); numbers do not (`h.21` is
# `h.22` once a layer stands before it). Both readings are tried, and the one that explains more with less is taken.
_BY_NAME: tuple[Key, ...] = (
    lambda item: (item.name, item.full),
    lambda item: item.full,
    lambda item: (item.name, item.structure),
    lambda item: item.structure,
    lambda item: (item.name, item.skeleton),
    lambda item: item.skeleton,
)
_BY_STRUCTURE: tuple[Key, ...] = (
    lambda item: item.full,
    lambda item: item.structure,
    lambda item: (item.name, item.skeleton),
    lambda item: item.skeleton,
)
_TOUCHED = 1.0
"""What one more place to look at costs, in nodes."""


def align_siblings(a: list[Item], b: list[Item]) -> tuple[list[tuple[Item, Item]], list[Gap]]:
    """Pairs of children that belong together by their keys, and the gaps in which something is left on both sides."""
    named = _in_stages(a, b, _BY_NAME)
    moved = _crossing(a, b, named)
    if len(named) < len(a) or len(named) < len(b) or any(a[i].name != b[j].name for i, j in named):
        plain = _in_stages(a, b, _BY_STRUCTURE)
        if plain != named:
            crossing = _crossing(a, b, plain)
            if _cost(a, b, plain, crossing) < _cost(a, b, named, moved):
                named, moved = plain, crossing
    pairs = [(a[i], b[j]) for i, j in (*named, *moved)]
    return pairs, list(_gaps(a, b, named, moved))


def _in_stages(a: list[Item], b: list[Item], stages: tuple[Key, ...]) -> Pairs:
    """Pairs by the first key where it finds some, by the next between them, and so on."""
    pairs: Pairs = []
    gaps = [(0, len(a), 0, len(b))]
    for key in stages:
        remaining = []
        for i, i_end, j, j_end in gaps:
            numbers: dict[Any, int] = {}
            x = [numbers.setdefault(key(item), len(numbers)) for item in a[i:i_end]]
            y = [numbers.setdefault(key(item), len(numbers)) for item in b[j:j_end]]
            found = [(i + p, j + q) for p, q in common_subsequence(x, y)]
            pairs += found
            for p, q in (*found, (i_end, j_end)):
                if p > i and q > j:
                    remaining.append((i, p, j, q))
                i, j = p + 1, q + 1
        gaps = remaining
        if not gaps:
            break
    pairs.sort()
    return pairs


def _crossing(a: list[Item], b: list[Item], pairs: Pairs) -> Pairs:
    """Modules of the same name and structure that changed places with others."""
    if len(pairs) == min(len(a), len(b)):
        return []
    taken_a, taken_b = {i for i, _ in pairs}, {j for _, j in pairs}
    table: dict[Any, list[int]] = {}
    for j, item in enumerate(b):
        if j not in taken_b and not item.is_node:
            table.setdefault((item.name, item.structure), []).append(j)
    found: Pairs = []
    for i, item in enumerate(a):
        if i not in taken_a and not item.is_node:
            places = table.get((item.name, item.structure))
            if places:
                found.append((i, places.pop(0)))
    if len(found) == min(len(a), len(b)) - len(pairs):
        return found
    # Numbered modules change their numbers as they change places: what there is once on both sides is the same.
    left = {i for i, _ in found}
    right = {j for _, j in found}
    rest_a = [i for i, item in enumerate(a) if i not in taken_a and i not in left and not item.is_node]
    rest_b = [j for j, item in enumerate(b) if j not in taken_b and j not in right and not item.is_node]
    counts_a, counts_b = Counter(a[i].full for i in rest_a), Counter(b[j].full for j in rest_b)
    once = {b[j].full: j for j in rest_b if counts_b[b[j].full] == 1}
    for i in rest_a:
        if counts_a[a[i].full] == 1 and a[i].full in once and _is_numbered(a[i]) and _is_numbered(b[once[a[i].full]]):
            found.append((i, once[a[i].full]))
    return found


def _cost(a: list[Item], b: list[Item], pairs: Pairs, moved: Pairs) -> float:
    """How much is to be explained: nodes without a partner, places touched, modules renamed and moved."""
    total = 0.0
    last = -1
    names_a, names_b = {item.name for item in a}, {item.name for item in b}
    for i, j in (*pairs, *moved):
        mine, theirs = a[i], b[j]
        if mine.structure != theirs.structure:
            total += _TOUCHED + _difference([mine], [theirs])
        if mine.name != theirs.name:
            if mine.is_node:
                total += 0.01
            else:
                number = _number(theirs)
                shifted = _is_numbered(mine) and number is not None and number > last
                # Where both names are known, one module in the other's place is the less likely story.
                crossed = mine.name in names_b or theirs.name in names_a
                total += 0.01 if shifted else 2.0 * mine.size if crossed and not _is_numbered(mine) else 1.0
        if not mine.is_node:
            last = max(last, _number(theirs) or -1)
    total += 0.5 * len(moved)
    for left, right in _leftovers(a, b, pairs, moved):
        both = min(len(left), len(right))
        total += (max(len(left), len(right)) - both) * _TOUCHED
        total += both * _TOUCHED + _difference(left, right)
    return total


def _difference(left: list[Item], right: list[Item]) -> float:
    """Nodes of one kind more on one side than on the other."""
    x: Counter[str] = Counter()
    y: Counter[str] = Counter()
    for item in left:
        x.update(kinds_of(item))
    for item in right:
        y.update(kinds_of(item))
    return float((x - y).total() + (y - x).total()) if hasattr(x, "total") else float(sum(((x - y) + (y - x)).values()))


def _leftovers(a: list[Item], b: list[Item], pairs: Pairs, moved: Pairs) -> Iterator[tuple[list[Item], list[Item]]]:
    gone_a, gone_b = {i for i, _ in moved}, {j for _, j in moved}
    i_before = j_before = 0
    for i, j in (*pairs, (len(a), len(b))):
        left = [a[p] for p in range(i_before, i) if p not in gone_a]
        right = [b[q] for q in range(j_before, j) if q not in gone_b]
        if left or right:
            yield left, right
        i_before, j_before = i + 1, j + 1


def _gaps(a: list[Item], b: list[Item], pairs: Pairs, moved: Pairs) -> Iterator[Gap]:
    for left, right in _leftovers(a, b, pairs, moved):
        if left and right:
            yield Gap(left, right)


_NUMBER = re.compile(r"(?:^|\.|\D)(\d+)$")


def _number(item: Item) -> int | None:
    """The number at the end of a module's name."""
    thing = item.thing
    found = _NUMBER.search(thing.last_name) if isinstance(thing, Scope) else None
    return int(found[1]) if found else None


def _is_numbered(item: Item) -> bool:
    """Whether the last part of the name is a number and nothing else: its place in a list of modules."""
    thing = item.thing
    return isinstance(thing, Scope) and thing.last_name.rpartition(".")[2].isdigit()
