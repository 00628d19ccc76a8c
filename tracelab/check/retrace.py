"""Recording the Python function again on other inputs, and what is then different in the graph."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from tracelab.capture.call import CallArguments, record_call
from tracelab.capture.messages import warnings_suppressed
from tracelab.check.isolation import isolated, written_state
from tracelab.comparison.changes import Change
from tracelab.comparison.diff import GraphDiff, graph_diff
from tracelab.errors import TracelabError
from tracelab.execute.origin import Origin
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.source import Source

_TYPES = frozenset({"dtype", "shape", "stride", "device", "requires_grad", "type", "input", "line", "order"})


def retrace(origin: Origin, graph: Graph, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> Graph | None:
    """The graph of the Python function on these inputs; None where it cannot be recorded on them.

    Nothing of the user's changes, and no Python warnings are shown.
    """
    with isolated(origin.roots, written_state(graph)), warnings_suppressed():
        try:
            again, _, _ = record_call(
                origin.python, origin.modules, CallArguments(args, kwargs), origin.strict, origin.force_outplace
            )
        except TracelabError:
            return None
    return again


@dataclass(slots=True)
class Differences:
    """What is different between two recordings of one function, in the first one's nodes and places."""

    nodes: list[Node] = field(default_factory=list)
    """Nodes that only the first has, or that follow where only the second has some, in order of execution."""
    removed: int = 0
    added: int = 0
    arguments: list[tuple[Node, Change]] = field(default_factory=list)
    """Constants in arguments that are others."""
    tensors: list[tuple[Value, str]] = field(default_factory=list)
    """Tensors that the trace holds as constants, and that have other values: in words."""
    places: list[tuple[TraceDiagnostic, str]] = field(default_factory=list)
    """Specializations where another value was read: the value."""
    pairs: list[tuple[Node, Node]] = field(default_factory=list)
    """What belongs together."""
    new_sources: list[Source] = field(default_factory=list)
    """Lines that ran in the second alone."""

    def __bool__(self) -> bool:
        return bool(self.removed or self.added or self.arguments or self.tensors)


def differences(before: Graph, after: Graph) -> Differences:
    """What another recording has otherwise; types of values and lines alone are no difference."""
    found = Differences(places=other_places(before, after))
    difference = graph_diff(before, after)
    found.removed, found.added = len(difference.removed), len(difference.added)
    found.nodes = list(difference.removed)
    found.pairs = difference.alignment.pairs
    for mine, _, changes in difference.changed:
        told = [change for change in changes if change.what not in _TYPES]
        if mine.kind == CONSTANT and not told:
            # What tensors of the graph are like follows from the inputs; a constant is as it was written down.
            shapes = [change for change in changes if change.what in ("shape", "dtype")]
            found.tensors += ((mine.outputs[0], _both(change)) for change in shapes[:1])
        for change in told:
            if change.what == "value" and mine.kind == CONSTANT:
                found.tensors.append((mine.outputs[0], _both(change)))
            else:
                found.arguments.append((mine, change))
    if difference.outputs and not difference.added and not difference.removed:
        made = before.outputs[0].node if before.outputs else None
        if made is not None:
            found.arguments.append((made, difference.outputs[0]))
    found.tensors += _captured(difference)
    found.new_sources = [node.source for node in difference.added if node.source is not None]
    return found


def _captured(difference: GraphDiff) -> list[tuple[Value, str]]:
    rows = []
    for before, after, changes in difference.inputs:
        if before is None or after is None or before.role is not Role.CONSTANT:
            continue
        for change in changes:
            if change.what in ("value", "shape"):
                rows.append((before, _both(change)))
                break
    return rows


def _both(change: Change) -> str:
    return f"{change.descriptions[0]} in the trace, {change.descriptions[1]} now"


def other_places(before: Graph, after: Graph) -> list[tuple[TraceDiagnostic, str]]:
    """The specializations of the first graph at which the second run read another value."""
    theirs = {place_of(warning): warning for warning in after.warnings}
    found = []
    for warning in before.warnings:
        other = theirs.get(place_of(warning))
        if other is not None and other.constant != warning.constant and warning.kind not in ("state", "output"):
            found.append((warning, other.constant))
    return found


def place_of(warning: TraceDiagnostic) -> tuple[object, ...]:
    """The same for the same place in another recording."""
    source = warning.source
    return (
        (warning.kind, warning.constant) if source is None else (warning.kind, source.file, source.line, source.column)
    )
