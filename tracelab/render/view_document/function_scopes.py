"""Calls of Python functions as scopes beside module calls, read off the stacks of the nodes.

A node knows which functions were running when it was recorded. Neighbours that were recorded in the same call of a
function are in one scope. Nothing is recorded for this: a graph that was read from a file has the same scopes.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise

from tracelab.graph.ir import Node
from tracelab.graph.scope import Scope
from tracelab.render.view_document.source_table import SourceTable
from tracelab.render.view_document.training import Phase

Call = tuple[int, str, int]
"""A call of a function: the frame that calls (a row of the sources), the function's name and its file."""

_NO_FUNCTION = re.compile(
    r"^(<.*|forward.*|__\w+__|_?call_impl|_?(inner_|new_)?wrap(per|ped)?(_\w+)?|_?inner|decorat(e|ed|or)(_\w+)?)$"
)
"""What modules and decorators put around what a person wrote, and code without a name."""


@dataclass(eq=False, slots=True)
class FunctionScope:
    """One call of a function: its nodes, from the first to the last, and the scope in which it ran."""

    name: str
    first: int
    last: int
    module: Scope
    parent: FunctionScope | None = None
    children: int = 0
    """Nodes and scopes right in it that are drawn."""
    positions: set[int] = field(default_factory=set)
    """The places in the function, as rows of the sources, from which its nodes came."""
    own: bool = False
    """Whether a node is right in it, and in no module that it calls."""
    is_phase: bool = False
    """It is a part of a training loop, and no call."""
    class_name: str = ""


@dataclass(slots=True)
class FunctionScopes:
    """The function scopes of a graph, outer ones first, and what is in them."""

    scopes: list[FunctionScope]
    of_node: dict[int, FunctionScope]
    """By the places of nodes; those that ran in no function but those of modules are missing."""
    of_module: dict[Scope, FunctionScope]


def function_scopes(
    nodes: Sequence[Node],
    scope_of: Sequence[Scope],
    places: SourceTable,
    minor: frozenset[int] = frozenset(),
    phases: Sequence[Phase] = (),
    calls: bool = True,
) -> FunctionScopes:
    """Find the calls of functions that say more than the modules and nodes in them.

    Args:
        nodes: The nodes as they are shown.
        scope_of: For each of them the module that it ran in.
        places: The sources of the document.
        minor: Places of nodes that do not count as something to show, such as arithmetic on sizes.
        phases: The parts of training loops, which are scopes too.
        calls: Whether calls of functions are, or the parts of training loops alone.

    Returns:
        Scopes of two and more drawn nodes, modules or functions.
    """
    spans = _module_spans(scope_of)
    paths = {scope: _path(scope) for scope in spans}
    ran = _runs(nodes, scope_of, places, paths) if calls else []
    found = [call for call in ran if _fits(call, scope_of, paths, spans)]
    found += [scope for scope in _as_scopes(phases, found, scope_of) if _fits(scope, scope_of, paths, spans)]
    known = [place for place, node in enumerate(nodes) if node.source is not None]
    return _pruned(found, scope_of, paths, spans, minor, (known[0], known[-1]) if known else (0, -1))


def _as_scopes(
    phases: Sequence[Phase], calls: Sequence[FunctionScope], scope_of: Sequence[Scope]
) -> Iterator[FunctionScope]:
    """The parts of training loops that lie in or around every call; one that is all of a call has its name."""
    spans = [(call.first, call.last) for call in calls]
    for phase in phases:
        first, last = phase.first, phase.last
        apart = (end < first or last < begin for begin, end in spans)
        within = (begin <= first and last <= end and (begin, end) != (first, last) for begin, end in spans)
        around = (first <= begin and end <= last and (begin, end) != (first, last) for begin, end in spans)
        if all(map(any, zip(apart, within, around, strict=True))):
            scope = scope_of[first]
            yield FunctionScope(phase.name, first, last, scope, is_phase=True, class_name=phase.class_name)


def _path(scope: Scope) -> tuple[Scope, ...]:
    """The scopes around one, outermost first, and itself."""
    path = [scope]
    while path[-1].parent is not None:
        path.append(path[-1].parent)
    return tuple(reversed(path))


def _module_spans(scope_of: Sequence[Scope]) -> dict[Scope, tuple[int, int]]:
    """The first and the last node in and below each scope."""
    spans: dict[Scope, tuple[int, int]] = {}
    for place, inner in enumerate(scope_of):
        at: Scope | None = inner
        while at is not None:
            spans[at] = (spans[at][0] if at in spans else place, place)
            at = at.parent
    return spans


class _Chains:
    """For each row of the sources the calls of functions that led there, outermost first."""

    def __init__(self, places: SourceTable) -> None:
        self.places = places
        self.known: dict[int, tuple[tuple[Call, int], ...]] = {-1: ()}

    def of(self, row: int) -> tuple[tuple[Call, int], ...]:
        """Calls, each with the row of its own frame; the outermost frame is what was traced, and no call."""
        chain = self.known.get(row)
        if chain is None:
            columns = self.places.columns
            caller = columns["caller"][row]
            chain = self.of(caller)
            if caller >= 0:
                call = (caller, self.places.functions[row] or "", columns["file"][row])
                chain = (*chain, (call, row))
            self.known[row] = chain
        return chain


def _runs(
    nodes: Sequence[Node], scope_of: Sequence[Scope], places: SourceTable, paths: dict[Scope, tuple[Scope, ...]]
) -> list[FunctionScope]:
    """For every call the neighbours that ran in it."""
    chains = _Chains(places)
    found: list[FunctionScope] = []
    running: list[tuple[Call, FunctionScope | None]] = []
    before: Scope | None = None
    live: list[tuple[FunctionScope, int]] = []
    chain: tuple[tuple[Call, int], ...] = ()
    for place, node in enumerate(nodes):
        if node.source is None:
            # The end of a context: what ran before it goes on after it.
            continue
        former, chain = chain, chains.of(places.index(node.source))
        scope = scope_of[place]
        if chain is former and scope is before:
            for made, _ in live:
                made.last = place
            continue
        kept = 0
        while kept < min(len(chain), len(running)) and chain[kept][0] == running[kept][0]:
            kept += 1
        if before is not None and before is not scope:
            kept = min(kept, _still_running(chain, paths[before], paths[scope]))
        del running[kept:]
        for call, _ in chain[kept:]:
            name = call[1].rpartition(".")[2]
            begun = None if _NO_FUNCTION.match(name) else FunctionScope(_shown_name(call[1]), place, place, scope)
            if begun is not None:
                found.append(begun)
            running.append((call, begun))
        live = [(made, row) for (_, made), (_, row) in zip(running, chain, strict=True) if made is not None]
        for made, row in live:
            made.last = place
            made.positions.add(row)
        before = scope
    return found


def _still_running(chain: tuple[tuple[Call, int], ...], before: tuple[Scope, ...], now: tuple[Scope, ...]) -> int:
    """How many of the calls of a chain went on while modules ended: none inside the `forward` of one that ended."""
    ended = {scope.class_name for scope in before if scope not in now}
    for place, (call, _) in enumerate(chain):
        owner, _, name = call[1].rpartition(".")
        if name == "forward" and owner.rpartition(".")[2] in ended:
            return place
    return len(chain)


def _shown_name(name: str) -> str:
    """`Cache.update` of a method, `block` of a function in a function."""
    return f"{name.rpartition('<locals>.')[2]}()"


def _fits(
    call: FunctionScope,
    scope_of: Sequence[Scope],
    paths: dict[Scope, tuple[Scope, ...]],
    spans: dict[Scope, tuple[int, int]],
) -> bool:
    """Whether it lies in or around every module that it meets; finds the one in which it lies."""
    around: Scope | None = None
    for edge in (call.first, call.last):
        for scope in paths[scope_of[edge]]:
            first, last = spans[scope]
            if first <= call.first and call.last <= last:
                if (first, last) != (call.first, call.last) or scope.parent is None:
                    around = scope
                else:
                    # It is all of the module, whose name says more.
                    return False
            elif not call.first <= first <= last <= call.last:
                return False
    if around is None or around not in paths[scope_of[call.last]]:
        return False
    call.module = around
    return True


def _pruned(
    found: list[FunctionScope],
    scope_of: Sequence[Scope],
    paths: dict[Scope, tuple[Scope, ...]],
    spans: dict[Scope, tuple[int, int]],
    minor: frozenset[int],
    whole: tuple[int, int],
) -> FunctionScopes:
    """Only the scopes that hold several things; where they lie, and what lies in them."""
    found.sort(key=lambda call: (call.first, -call.last))
    while True:
        of_node, of_module = _contents(found, scope_of, paths, spans, minor)
        kept = [
            call
            for call in found
            # A call that hands all on from one place is a wrapper; one that is all of the graph is what was traced.
            if call.children > 1
            and (call.own or call.is_phase or len(call.positions) > 1)
            and not ((call.first, call.last) == whole and call.parent is None and not call.is_phase)
        ]
        if len(kept) == len(found):
            return FunctionScopes(found, of_node, of_module)
        found = kept


def _contents(
    found: list[FunctionScope],
    scope_of: Sequence[Scope],
    paths: dict[Scope, tuple[Scope, ...]],
    spans: dict[Scope, tuple[int, int]],
    minor: frozenset[int],
) -> tuple[dict[int, FunctionScope], dict[Scope, FunctionScope]]:
    """The innermost function around each node and each module; counts what is right in each function."""
    around: dict[Scope | FunctionScope, Scope | FunctionScope] = {}
    of_node: dict[int, FunctionScope] = {}
    running: list[FunctionScope] = []
    ahead = 0
    before: Scope | None = None
    inner: Scope | FunctionScope | None = None

    def span(item: Scope | FunctionScope) -> tuple[int, int, bool]:
        if isinstance(item, FunctionScope):
            return item.first, -item.last, True
        return spans[item][0], -spans[item][1], False

    for call in found:
        call.children, call.own = 0, False
    for place, scope in enumerate(scope_of):
        changed = scope is not before
        while running and running[-1].last < place:
            running.pop()
            changed = True
        while ahead < len(found) and found[ahead].first == place:
            running.append(found[ahead])
            ahead += 1
            changed = True
        if changed:
            nested: list[Scope | FunctionScope] = sorted([*paths[scope], *running], key=span)
            for outer, item in pairwise(nested):
                if item not in around:
                    around[item] = outer
                    if isinstance(outer, FunctionScope):
                        outer.children += 1
            inner, before = nested[-1], scope
        if isinstance(inner, FunctionScope):
            of_node[place] = inner
            if place not in minor:
                inner.children += 1
                inner.own = True
    for call in found:
        outer = around[call]
        call.parent = outer if isinstance(outer, FunctionScope) else None
    of_module = {
        item: outer for item, outer in around.items() if isinstance(item, Scope) and isinstance(outer, FunctionScope)
    }
    return of_node, of_module
