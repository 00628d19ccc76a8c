"""Which node of one graph is which node of another.

Graphs are aligned by structure, never by the names of values: both are taken as trees of module calls, and the lists
of what stands in two modules that belong together are compared in order of execution, by keys that go from strong
(operators, constants, types and names are the same) to weak (the same operators). What is left over finds its
partner by its neighbourhood: what it reads, and who reads it. The work grows with the number of nodes.
"""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from functools import cached_property
from itertools import pairwise
from typing import Any

from tracelab.comparison.align.keys import Item, Numbers, items_of
from tracelab.comparison.align.leftovers import Gap, align_gap
from tracelab.comparison.align.sequences import heaviest_increasing
from tracelab.comparison.align.siblings import Partners, align_siblings
from tracelab.comparison.align.twins import places_of_use, shifts
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, collect_values
from tracelab.graph.scope import Scope
from tracelab.graph.text.arguments import filled_arguments


@dataclass(slots=True)
class Alignment:
    """Two graphs and what of one belongs to what of the other.

    `pairs` holds nodes that belong together, in the order of `a`; `scopes` the module calls, parents first; `values`
    gives for a value of `a` that of `b`. `moved` are those pairs (nodes, or whole module calls) that stand in
    another order among their neighbours.

    >>> a, _ = tracelab.trace_graph(lambda x: x.sin().exp(), torch.ones(2))
    >>> b, _ = tracelab.trace_graph(lambda x: x.sin().tanh().exp(), torch.ones(2))
    >>> [(mine.kind, theirs.kind) for mine, theirs in align(a, b).pairs]
    [('aten::sin', 'aten::sin'), ('aten::exp', 'aten::exp')]
    """

    a: Graph
    b: Graph
    pairs: list[tuple[Node, Node]]
    scopes: list[tuple[Scope, Scope]]
    moved: list[tuple[Node, Node] | tuple[Scope, Scope]]
    values: dict[Value, Value]
    partner: dict[Node, Node] = field(default_factory=dict, repr=False)
    """The node of `b` for a node of `a`."""
    partner_scope: dict[Scope, Scope] = field(default_factory=dict, repr=False)

    def __post_init__(self) -> None:
        self.partner = dict(self.pairs)
        self.partner_scope = dict(self.scopes)

    def __reduce__(self) -> Any:
        return align, (self.a, self.b)

    @property
    def removed(self) -> list[Node]:
        """Nodes of `a` that have no partner, in order."""
        return [node for node in self.a.nodes if node not in self.partner]

    @property
    def added(self) -> list[Node]:
        """Nodes of `b` that have no partner, in order."""
        found = set(self.partner.values())
        return [node for node in self.b.nodes if node not in found]

    def mirrored(self) -> Alignment:
        """The same from `b` to `a`."""
        order = {node: place for place, node in enumerate(self.b.nodes)}
        pairs = sorted(((theirs, mine) for mine, theirs in self.pairs), key=lambda pair: order[pair[0]])
        scope_order = {scope: place for place, scope in enumerate(self.b.scopes())}
        scopes = sorted(((theirs, mine) for mine, theirs in self.scopes), key=lambda pair: scope_order.get(pair[0], -1))
        moved = [(theirs, mine) for mine, theirs in self.moved]
        values = {theirs: mine for mine, theirs in self.values.items()}
        return Alignment(self.b, self.a, pairs, scopes, moved, values)  # type: ignore[arg-type]


def align(a: Graph, b: Graph) -> Alignment:
    """Find what belongs together in two graphs: `align(b, a)` is the mirror image of `align(a, b)`.

    Returns:
        The pairs of nodes, module calls and values, and what stands in another order.

    >>> graph, _ = tracelab.trace_graph(torch.sin, torch.ones(2))
    >>> align(graph, graph).added
    []
    """
    if _stands_first(a, b):
        return _Aligner(a, b).run()
    return _Aligner(b, a).run().mirrored()


def _stands_first(a: Graph, b: Graph) -> bool:
    """An order of graphs by what is in them, so that ties are broken alike whichever comes first."""
    if len(a.nodes) != len(b.nodes):
        return len(a.nodes) < len(b.nodes)
    for mine, theirs in zip(a.nodes, b.nodes, strict=True):
        if mine is not theirs:
            first, second = _spelled(mine), _spelled(theirs)
            if first != second:
                return first < second
    return True


def _spelled(node: Node) -> str:
    scope = "" if node.scope is None else node.scope.path
    types = [str(value.type) for value in node.outputs]
    line = 0 if node.source is None else node.source.line
    return f"{node.kind} {scope} {[(name, repr(item)) for name, item in filled_arguments(node)]} {types} {line}"


class _Aligner:
    """One alignment while it is made; partners are found from the outermost modules inwards."""

    def __init__(self, a: Graph, b: Graph) -> None:
        self.a, self.b = a, b
        numbers = Numbers()
        self.root_a, self.table_a = items_of(a, numbers)
        self.root_b, self.table_b = items_of(b, numbers)
        self.partners = Partners()
        self.values: dict[Value, Value] = {}

    def run(self) -> Alignment:
        self.pair_inputs()
        self.descend([(self.root_a, self.root_b)])
        self.leftover_scopes()
        self.leftover_nodes()
        self.shift_twins()
        if self.nothing_in_common():
            self.partners = Partners()
            self.partners.pair(self.root_a, self.root_b)
            self.values = {}
            self.pair_inputs()
        pairs = [(node, self.partners.node(self.table_a, node)) for node in self.a.nodes]
        found = [(mine, theirs) for mine, theirs in pairs if theirs is not None]
        self.pair_parameters(found)
        scopes: list[tuple[Scope, Scope]] = []
        for mine, theirs in self.partners.ordered(self.root_a):
            if not mine.is_node:
                scopes.append((mine.thing, theirs.thing))  # type: ignore[arg-type]
        moved = [(mine.thing, theirs.thing) for mine, theirs in self.moved()]
        return Alignment(self.a, self.b, found, scopes, moved, self.values)  # type: ignore[arg-type]

    # Inputs and parameters --------------------------------------------------------------------------------

    def pair_inputs(self) -> None:
        """The users' inputs by name, what is left by order."""
        names = {value.name: value for value in self.b.user_inputs}
        left = []
        for value in self.a.user_inputs:
            theirs = names.pop(value.name, None)
            if theirs is None:
                left.append(value)
            else:
                self.values[value] = theirs
        rest = set(names.values())
        remaining = [value for value in self.b.user_inputs if value in rest]
        self.values.update(zip(left, remaining, strict=False))

    def pair_parameters(self, pairs: list[tuple[Node, Node]]) -> None:
        """Values of paired nodes; parameters by the places where they are used, and then by path."""
        taken: set[Value] = set()
        for mine, theirs in pairs:
            self.values.update(zip(mine.outputs, theirs.outputs, strict=False))
        for mine, theirs in pairs if self.a.parameters else ():
            given = dict(filled_arguments(theirs))
            for name, item in filled_arguments(mine):
                for value, other in _parallel(item, given.get(name)):
                    is_state = value.role not in (Role.COMPUTED, Role.INPUT)
                    if is_state and other.role == value.role and value not in self.values and other not in taken:
                        self.values[value] = other
                        taken.add(other)
        by_path = {value.path or value.name: value for value in self.b.parameters if value not in taken}
        for value in self.a.parameters:
            if value not in self.values:
                other_value = by_path.pop(value.path or value.name, None)
                if other_value is not None:
                    self.values[value] = other_value

    # From the outermost modules inwards -------------------------------------------------------------------

    def descend(self, start: list[tuple[Item, Item]]) -> None:
        """Pair these, and all that can be paired in them: by keys first, then by neighbourhood."""
        queue = start
        while queue:
            gaps: list[Gap] = []
            while queue:
                mine, theirs = queue.pop()
                self.pair(mine, theirs)
                if mine.named == theirs.named:
                    queue += _inner_pairs(mine, theirs, self)
                    continue
                matched, gaps_here = align_siblings(mine.children, theirs.children)
                gaps += gaps_here
                for child, other in matched:
                    if child.is_node:
                        self.pair(child, other)
                    else:
                        queue.append((child, other))
            for gap in gaps:
                for child, other in align_gap(gap, self.evidence):
                    if child.is_node:
                        self.pair(child, other)
                    else:
                        queue.append((child, other))

    def pair(self, mine: Item, theirs: Item) -> None:
        self.partners.pair(mine, theirs)
        if mine.is_node:
            made, others = mine.thing.outputs, theirs.thing.outputs  # type: ignore[union-attr]
            if len(made) == len(others):
                self.values.update(zip(made, others, strict=True))

    def evidence(self, mine: Node, theirs: Node) -> tuple[float, float]:
        """How much of what two nodes read, and of who reads them, belongs together: two shares from 0 to 1."""
        uses_a, uses_b = self.uses
        read = [value for value in mine.inputs if value.role in (Role.COMPUTED, Role.INPUT)]
        other_read = [value for value in theirs.inputs if value.role in (Role.COMPUTED, Role.INPUT)]
        same = sum(self.values.get(x) is y for x, y in zip(read, other_read, strict=False))
        above = same / max(len(read), len(other_read), 1)
        readers = {node for value in mine.outputs for node in uses_a.get(value, ())}
        other_readers = {node for value in theirs.outputs for node in uses_b.get(value, ())}
        paired = {self.partners.node(self.table_a, node) for node in readers} & other_readers
        below = len(paired) / max(len(readers), len(other_readers), 1)
        if not readers and not other_readers:
            below = float(_returned(self.a, mine) == _returned(self.b, theirs) != [])
        return above, below

    @cached_property
    def uses(self) -> tuple[dict[Value, list[Node]], dict[Value, list[Node]]]:
        """The readers of every value of either graph."""
        return self.a.uses(), self.b.uses()

    # What is left over ------------------------------------------------------------------------------------

    def leftover_scopes(self) -> None:
        """Modules that stand in another module now: the largest first, by structure and name."""
        all_a, all_b = _modules(self.root_a), _modules(self.root_b)
        left = [item for item in all_a if item not in self.partners.of_a]
        right = [item for item in all_b if item not in self.partners.of_b]
        if not left or not right:
            return
        counts_a, counts_b = (Counter(item.full for item in items) for items in (all_a, all_b))
        for by_name in (True, False):
            table: dict[tuple[int, int], deque[Item]] = {}
            for item in right:
                table.setdefault(_scope_key(item, by_name), deque()).append(item)
            for item in sorted(left, key=lambda item: -item.size):
                candidates = table.get(_scope_key(item, by_name))
                while candidates and candidates[0] in self.partners.of_b:
                    candidates.popleft()
                if item in self.partners.of_a or not candidates:
                    continue
                other = candidates[0]
                # Without a name to go by, only what either graph has once, and no single operator, is surely the same.
                # A name says nothing where both stand in modules that are not the same: every layer has its `fc`.
                once = counts_a[item.full] == counts_b[item.full] == 1 and item.size > 1
                known = item.parent in self.partners.of_a or other.parent in self.partners.of_b
                if once or (by_name and known):
                    self.descend([(item, other)])

    def leftover_nodes(self) -> None:
        """Nodes that do the same with the same values, in another module or at another place."""
        right = [node for node in self.b.nodes if self.table_b[node] not in self.partners.of_b]
        if not right:
            return
        table: dict[object, list[Node]] = {}
        for node in right:
            read = _reads(node)
            if read:
                table.setdefault((self.table_b[node].structure, *read), []).append(node)
        for node in self.a.nodes:
            item = self.table_a[node]
            if item in self.partners.of_a:
                continue
            partners = [self.values.get(value) for value in _reads(node)]
            if not partners or None in partners:
                continue
            found = table.get((item.structure, *partners))
            if found:
                self.pair(item, self.table_b[found.pop(0)])

    def shift_twins(self) -> None:
        """Give the partner of one of several equal operators in a row to the one that it fits best."""
        for mine, theirs in list(self.partners.ordered(self.root_a)):
            for module, partners, turned in ((mine, self.partners.of_a, False), (theirs, self.partners.of_b, True)):
                for place in [place for place, item in enumerate(module.children) if item not in partners]:
                    for alone, twin, partner in shifts(module.children, place, partners, self.fit, turned):
                        self.partners.part(*((partner, twin) if turned else (twin, partner)))
                        self.pair(*((partner, alone) if turned else (alone, partner)))

    def fit(self, mine: Item, theirs: Item) -> int:
        """How many inputs of two nodes belong together, and how many readers read them at the same place."""
        one, other = mine.thing, theirs.thing
        assert isinstance(one, Node)
        assert isinstance(other, Node)
        same = sum(self.values.get(x) is y for x, y in zip(one.inputs, other.inputs, strict=False))
        uses_a, uses_b = self.uses
        read = {(self.partners.node(self.table_a, reader), place) for reader, place in places_of_use(one, uses_a)}
        return same + len(read & places_of_use(other, uses_b))

    def nothing_in_common(self) -> bool:
        """Whether all but a few strays (one operator in twenty) of both graphs are different ones."""
        fewest = min(len(self.a.nodes), len(self.b.nodes))
        if len(self.a.nodes) <= 1 and len(self.b.nodes) <= 1:
            return False
        paired = [(mine, theirs) for mine, theirs in self.partners.of_a.items() if mine.is_node]
        same = sum(mine.skeleton == theirs.skeleton for mine, theirs in paired)
        return same == 0 or same * 20 < fewest

    def moved(self) -> Iterator[tuple[Item, Item]]:
        """Pairs that stand in another order among their neighbours, the lighter around the heavier."""
        for mine, theirs in self.partners.ordered(self.root_a):
            if mine.is_node or len(mine.children) < 2:
                continue
            place = {child: number for number, child in enumerate(theirs.children)}
            children = []
            for child in mine.children:
                partner = self.partners.of_a.get(child)
                if partner is not None and partner in place:
                    children.append((child, partner))
            order = [place[partner] for _, partner in children]
            if all(x < y for x, y in pairwise(order)):
                continue
            kept = heaviest_increasing(order, [child.size for child, _ in children])
            yield from (pair for number, pair in enumerate(children) if number not in kept)


def _inner_pairs(mine: Item, theirs: Item, aligner: _Aligner) -> list[tuple[Item, Item]]:
    """The same on both sides: the first belongs to the first, the second to the second."""
    inner = []
    for child, other in zip(mine.children, theirs.children, strict=True):
        if child.is_node:
            aligner.pair(child, other)
        else:
            inner.append((child, other))
    return inner


def _modules(root: Item) -> list[Item]:
    found = []
    stack = [root]
    while stack:
        item = stack.pop()
        found.append(item)
        stack += [child for child in reversed(item.children) if not child.is_node]
    return found


def _scope_key(item: Item, by_name: bool) -> tuple[int, int]:
    return (item.name, item.structure) if by_name else (-1, item.full)


def _reads(node: Node) -> list[Value]:
    return [value for value in node.inputs if value.role in (Role.COMPUTED, Role.INPUT)]


def _returned(graph: Graph, node: Node) -> list[int]:
    return [place for place, value in enumerate(graph.outputs) if value in node.outputs]


def _parallel(mine: object, theirs: object) -> Iterator[tuple[Value, Value]]:
    """The values that stand at the same place in two arguments."""
    if type(mine) is Value and type(theirs) is Value:
        yield mine, theirs
    elif isinstance(mine, (list, tuple)) and isinstance(theirs, (list, tuple)):
        for x, y in zip(mine, theirs, strict=False):
            yield from _parallel(x, y)
    elif isinstance(mine, (dict, slice)) and type(mine) is type(theirs):
        left: list[Value] = []
        right: list[Value] = []
        collect_values(mine, left)
        collect_values(theirs, right)
        if len(left) == len(right):
            yield from zip(left, right, strict=True)
