"""What a person asks of a run, in the graph's own terms: where it ends, what it keeps, what it replaces."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from typing import Any

from tracelab.errors import InputError, TracelabError
from tracelab.execute.run.lookup import Key, find_node, find_values, names_of
from tracelab.execute.run.stepper import Replacement
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT

Recorded = Iterable[Key] | Key | bool
"""Values to keep: named one by one, or True for all of them."""


def live_before(graph: Graph, start: int) -> list[Value]:
    """The values made before node `start`, or given, that it or a later node needs, or that are outputs."""
    made: set[Value] = set()
    needed: dict[Value, None] = {}
    for node in graph.nodes[start:]:
        for value in node.inputs:
            if value not in made:
                needed[value] = None
        made.update(node.outputs)
    for value in graph.outputs:
        if value not in made:
            needed[value] = None
    constants = {value for node in graph.nodes[:start] if node.kind == CONSTANT for value in node.outputs}
    return [value for value in needed if value not in constants or value in graph.state]


def ending(graph: Graph, until: Key | None) -> tuple[int, frozenset[Value]]:
    """The node before which to stop, and what is to be seen then: all that the last node made, used or not."""
    if until is None:
        return len(graph.nodes), frozenset()
    index = find_node(graph, until)
    return index + 1, frozenset(graph.nodes[index].outputs)


def recorded_values(graph: Graph, record: Recorded) -> frozenset[Value]:
    if record is True:
        return frozenset(value for value in graph.values() if value.node is None or value.node.kind != CONSTANT)
    if record is False:
        return frozenset()
    keys = [record] if isinstance(record, (Value, Node, str)) else record
    return frozenset(value for key in keys for value in find_values(graph, key))


def replacements(graph: Graph, replace: Mapping[Key, Replacement] | None) -> dict[Value, Replacement]:
    found: dict[Value, Replacement] = {}
    for key, by in (replace or {}).items():
        values = find_values(graph, key)
        if len(values) != 1:
            raise TracelabError(f"{key!r} stands for {len(values)} values ({names_of(values)}): name one")
        found[values[0]] = by
    return found


def refuse_unknown(options: Mapping[str, Any], known: type, name: str) -> None:
    """Raises `InputError` for an option that is not among the keys of a typed dict; the message has the nearest one."""
    for option in options:
        if option not in known.__annotations__:
            near = difflib.get_close_matches(option, known.__annotations__, 1)
            meant = f"do you mean `{near[0]}`?" if near else f"it has {', '.join(known.__annotations__)}"
            raise InputError(f"{name} has no option `{option}`: {meant}")
