"""State outside of the arguments that decides nothing: what a hook keeps for the code, first calls' flags, tables."""

from __future__ import annotations

import functools
import weakref
from collections.abc import Callable
from typing import Any

from torch import Tensor, nn

from tracelab.capture.call import CallArguments
from tracelab.capture.outside.state import StateProbe
from tracelab.check.kept_tables import KeptTable, assumed_only_by, kept_tables, remakes, sliced_dimensions
from tracelab.check.retrace import differences, retrace
from tracelab.execute.origin import Origin
from tracelab.graph.assumptions import TABLE, Assumption, AssumptionKind, Words
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value


def accept_settled_state(origin: Origin, graph: Graph, call: CallArguments) -> bool:
    """Let calls find state as one call leaves it, where the code does the same then and leaves it so again.

    The function is recorded once more, from the state that the first recording left. A counter is never so: its next
    value is another one. Gives whether the graph has other assumptions now, which are other code.
    """
    states = _states(graph)
    if not states:
        return False
    again = retrace(origin, graph, call.args, call.kwargs)
    if again is None:
        return False
    theirs = _states(again)
    if len(again.nodes) != len(graph.nodes) or differences(graph, again):
        return _accept_tables(origin, graph, again, states, theirs)
    if any(item.kind is AssumptionKind.BRANCH for item in assumed_only_by(again, graph)):
        # With what is kept, the code decides by sizes what it does.
        return False
    for subject, probe in states.items():
        if subject not in theirs or theirs[subject].settled:
            probe.accept()
    return False


def _states(graph: Graph) -> dict[str, StateProbe]:
    def probe(item: Assumption) -> StateProbe | None:
        found = item.probe if item.kind is AssumptionKind.STATE else None
        return found if isinstance(found, StateProbe) else None

    return {item.subject: found for item in graph.assumptions if (found := probe(item)) is not None}


def _accept_tables(
    origin: Origin, graph: Graph, again: Graph, states: dict[str, StateProbe], theirs: dict[str, StateProbe]
) -> bool:
    """Compare tables that the code keeps with those that a replay makes, instead of asking whether they are kept."""
    tables = kept_tables(graph, again)
    if not tables:
        return False
    remade = remakes(graph, again)
    places = {id(tensor): (graph_value, tensor) for graph_value, tensor in tables.items()}
    made: list[Assumption] = []
    numbers: list[StateProbe] = []
    for item in graph.assumptions:
        probe = states.get(item.subject) if item.kind is AssumptionKind.STATE else None
        if probe is None:
            continue
        found = places.pop(id(probe.get()), None)
        if found is not None:
            made.append(_table(graph, found[0], item.subject, item.constant, probe.get, remade))
        elif item.subject not in theirs or theirs[item.subject].settled:
            numbers.append(probe)
        else:
            return False
    for value, tensor in places.values():
        kept = _kept_in_a_module(origin, tensor)
        if kept is None:
            return False
        subject, get = kept
        made.append(_table(graph, value, subject, Words("absent"), get, remade))
    for probe in numbers:
        probe.accept_any()
    gone = {item.subject for item in made}
    graph.assumptions[:] = [
        item for item in graph.assumptions if item.kind is not AssumptionKind.STATE or item.subject not in gone
    ] + made
    return True


def _table(graph: Graph, value: Value, subject: str, constant: Any, get: Callable[[], Any], remade: Any) -> Assumption:
    kept = KeptTable(get, sliced_dimensions(graph, value), remade)
    source = value.node.source if value.node is not None else None
    return Assumption(AssumptionKind.STATE, subject, constant, source, value, TABLE, kept)


def _kept_in_a_module(origin: Origin, tensor: Tensor) -> tuple[str, Callable[[], Any]] | None:
    """Where a module of the user's keeps a tensor: in words, and what reads it."""
    for root in origin.modules.values():
        for path, module in root.named_modules():
            for name, item in (*module._buffers.items(), *vars(module).items()):
                if item is tensor:
                    label = f"{type(root).__name__}.{path}" if path else type(root).__name__
                    return f"{label}.{name}", functools.partial(_read, weakref.ref(module), name)
    return None


def _read(owner: weakref.ref[nn.Module], name: str) -> Any:
    module = owner()
    return None if module is None else getattr(module, name, None)
