"""Both graphs as one list: what stayed, what came and what went, each where it stands."""

from __future__ import annotations

from typing import NamedTuple

from tracelab.comparison.align.alignment import Alignment
from tracelab.graph.ir import Node


class Merged(NamedTuple):
    """One node of either graph, or a pair of both."""

    before: Node | None
    after: Node | None

    @property
    def node(self) -> Node:
        """The node as it is now, or as it was."""
        found = self.after if self.after is not None else self.before
        assert found is not None
        return found


def merged_order(alignment: Alignment) -> list[Merged]:
    """Every node once, in the order of the second graph; a removed one stands behind what it stood behind.

    >>> from tracelab.comparison.align.alignment import align
    >>> a, _ = tracelab.trace_graph(lambda x: x.sin().exp(), torch.ones(2))
    >>> b, _ = tracelab.trace_graph(lambda x: x.sin().tanh().exp(), torch.ones(2))
    >>> [("+" if row.before is None else " ") + row.node.name for row in merged_order(align(a, b))]
    [' sin', '+tanh', ' exp']
    """
    behind: dict[Node | None, list[Node]] = {}
    last: Node | None = None
    for node in alignment.a.nodes:
        if node in alignment.partner:
            last = node
        else:
            behind.setdefault(last, []).append(node)
    partner_of = {theirs: mine for mine, theirs in alignment.pairs}
    order = [Merged(node, None) for node in behind.get(None, ())]
    for node in alignment.b.nodes:
        mine = partner_of.get(node)
        order.append(Merged(mine, node))
        if mine is not None:
            order += (Merged(gone, None) for gone in behind.get(mine, ()))
    return order
