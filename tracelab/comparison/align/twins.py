"""Which of several equal operators in a row is the one without a partner: what it reads and who reads it tell."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tracelab.comparison.align.keys import Item
from tracelab.graph.ir import Node, Value

Uses = dict[Value, list[Node]]
Fit = Callable[[Item, Item], int]
"""How much of what two nodes read, and of who reads them, belongs together."""


def shifts(
    siblings: list[Item], place: int, partners: dict[Item, Item], fit: Fit, turned: bool
) -> Iterator[tuple[Item, Item, Item]]:
    """What to pair otherwise: an item without a partner, its twin, and the twin's partner that fits the item better.

    In a row of equal operators nothing tells which is new, so that the first are paired with the first. Each shift has
    to be made before the next is asked for: it starts at the twin that has no partner then. `turned` says that the
    items are those of the second graph.
    """
    alone = siblings[place]
    # Every shift fits better than the one before: the bound is for tables that do not follow.
    for _ in range(len(siblings) if alone.is_node else 0):
        found = None if alone in partners else _better(siblings, place, partners, fit, turned)
        if found is None:
            return
        twin = siblings[found]
        yield alone, twin, partners[twin]
        alone, place = twin, found


def _better(siblings: list[Item], place: int, partners: dict[Item, Item], fit: Fit, turned: bool) -> int | None:
    """The place of the nearest twin whose partner fits the item better."""
    alone = siblings[place]
    for step in (-1, 1):
        at = place + step
        while 0 <= at < len(siblings) and _are_twins(siblings[at], alone):
            twin = siblings[at]
            partner = partners.get(twin)
            if partner is None:
                break
            shifted, stays = ((alone, partner), (twin, partner))
            if turned:
                shifted, stays = (partner, alone), (partner, twin)
            if fit(*shifted) > fit(*stays):
                return at
            at += step
    return None


def _are_twins(one: Item, other: Item) -> bool:
    """Whether two siblings are operators that no key tells apart."""
    return one.is_node and (one.full, one.name) == (other.full, other.name)


def places_of_use(node: Node, uses: Uses) -> set[tuple[Node, int]]:
    """Each reader of what a node made, with the places among its inputs at which it reads that."""
    made = set(node.outputs)
    readers = {reader for value in node.outputs for reader in uses.get(value, ())}
    return {(reader, place) for reader in readers for place, value in enumerate(reader.inputs) if value in made}
