"""A profile of `torch.profiler` on a trace: which of its operators is which node, by order, names and shapes."""

from __future__ import annotations

import math
from bisect import bisect_left
from collections.abc import Sequence
from typing import Any

from tracelab.errors import TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.types import TensorType, counted
from tracelab.interop.overlays.overlay import Overlay
from tracelab.interop.overlays.profiler_events import Operator, Shapes, threads_of

_MOST_PAIRS = 20_000_000
"""So many pairs of a node and an operator of its name are compared; of a profile that has more, its first part is."""
_SHAPES_FIT = 0.9
"""Shapes are trusted where they fit so many of the operators whose names do."""
_NEXT_RUN = 0.5
"""A further run of the graph is one where so many nodes are found as in the first."""

Matches = dict[int, int]
"""The place of an operator by the place of its node."""


def profile_overlay(data: dict[str, Any], graph: Graph, name: str) -> Overlay:
    """The time of each node: of its kernels, where the profile has any, else of its operator.

    A profile of several runs gives the mean.

    Raises:
        TracelabFileError: The profile is not sound, or none of its operators is a node.
    """
    nodes = [node for node in graph.nodes if node.schema is not None]
    runs: list[Matches] = []
    thread: list[Operator] = []
    for operators in threads_of(data):
        found = _runs(nodes, operators)
        if sum(map(len, found)) > sum(map(len, runs)):
            runs, thread = found, operators
    if not runs:
        raise TracelabFileError("no operator of the profile is a node of this graph: is it of another model?")
    times: dict[Node, list[Operator]] = {}
    for matches in runs:
        for place, at in matches.items():
            times.setdefault(nodes[place], []).append(thread[at])
    operator = {node: math.fsum(each.duration for each in found) / len(found) / 1e6 for node, found in times.items()}
    kernel = {node: math.fsum(each.kernels for each in found) / len(found) / 1e6 for node, found in times.items()}
    on_device = any(kernel.values())
    note = f"{len(times)} of {counted(len(nodes), 'operator')} found in the profile"
    if len(runs) > 1:
        note += f", mean of {len(runs)} runs"
    columns = {"operator seconds": operator, **({"kernel seconds": kernel} if on_device else {})}
    return Overlay(name, graph, kernel if on_device else operator, "s", columns, note)


def _runs(nodes: Sequence[Node], operators: Sequence[Operator]) -> list[Matches]:
    """The nodes in the operators of one thread, once for each time that the graph ran."""
    found: list[Matches] = []
    start, end = 0, len(operators)
    while start < end:
        matches = _matched(nodes, operators, start, end)
        if not matches or (found and len(matches) < _NEXT_RUN * len(found[0])):
            break
        found.append(matches)
        last = operators[max(matches.values())].last
        # A further run is as long as the last one, and may have something before it.
        end = min(len(operators), last + 1 + 2 * (last + 1 - min(matches.values())) + 100)
        start = last + 1
    return found


def _matched(nodes: Sequence[Node], operators: Sequence[Operator], start: int, end: int) -> Matches:
    by_name = _chain(nodes, operators, start, end, shapes=False)
    if any(operators[at].shapes is not None for at in by_name.values()):
        by_shape = _chain(nodes, operators, start, end, shapes=True)
        if len(by_shape) >= _SHAPES_FIT * len(by_name):
            return by_shape
    return by_name


def _chain(nodes: Sequence[Node], operators: Sequence[Operator], start: int, end: int, *, shapes: bool) -> Matches:
    """The most nodes that stand in the same order among the operators, none inside another; the earliest of those.

    The longest common subsequence by Hunt and Szymanski, where an operator takes all the room of those inside it.
    """
    places: dict[str, list[int]] = {}
    for at in range(start, end):
        places.setdefault(operators[at].name, []).append(at)
    ends: list[int] = []
    """By length, where the chain of that length that ends first ends."""
    links: list[_Link] = []
    pairs = 0
    for place, node in enumerate(nodes):
        wanted = _shapes_of(node) if shapes else ()
        better: dict[int, tuple[int, _Link]] = {}
        for at in places.get(node.kind, ()):
            if pairs >= _MOST_PAIRS:
                break
            pairs += 1
            if shapes and not _fits(wanted, operators[at].shapes):
                continue
            length = bisect_left(ends, at)
            last = operators[at].last
            if (length == len(ends) or last < ends[length]) and (length not in better or last < better[length][0]):
                better[length] = (last, (place, at, links[length - 1] if length else None))
        for length, (last, link) in sorted(better.items()):
            if length == len(ends):
                ends.append(last)
                links.append(link)
            elif last < ends[length]:
                ends[length], links[length] = last, link
    matches: Matches = {}
    chain = links[-1] if links else None
    while chain is not None:
        place, at, chain = chain
        matches[place] = at
    return dict(sorted(matches.items()))


_Link = tuple[int, int, Any]
"""A node, its operator, and the link before."""


def _shapes_of(node: Node) -> Shapes:
    found: list[tuple[int, ...]] = []
    for item in node.args:
        type_ = item.type if isinstance(item, Value) else None
        found.append(type_.shape if isinstance(type_, TensorType) else ())
    return tuple(found)


def _fits(wanted: Shapes, given: Shapes | None) -> bool:
    """Whether the tensors among the arguments have these shapes, as far as they were recorded."""
    if given is None:
        return True
    return all(not mine or not its or mine == its for mine, its in zip(wanted, given, strict=False))
