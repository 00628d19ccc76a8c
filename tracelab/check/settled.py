"""State outside of the arguments that decides nothing: what a hook keeps for the code, flags of a first call."""

from __future__ import annotations

from tracelab.capture.call import CallArguments
from tracelab.capture.outside.state import StateProbe
from tracelab.check.retrace import differences, retrace
from tracelab.execute.origin import Origin
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.graph import Graph


def accept_settled_state(origin: Origin, graph: Graph, call: CallArguments) -> None:
    """Let calls find state as one call leaves it, where the code does the same then and leaves it so again.

    The function is recorded once more, from the state that the first recording left. A counter is never so: its next
    value is another one.
    """
    states = _states(graph)
    if not states:
        return
    again = retrace(origin, graph, call.args, call.kwargs)
    if again is None or len(again.nodes) != len(graph.nodes) or differences(graph, again):
        return
    theirs = _states(again)
    for subject, probe in states.items():
        if subject not in theirs or theirs[subject].settled:
            probe.accept()


def _states(graph: Graph) -> dict[str, StateProbe]:
    def probe(item: Assumption) -> StateProbe | None:
        found = item.probe if item.kind is AssumptionKind.STATE else None
        return found if isinstance(found, StateProbe) else None

    return {item.subject: found for item in graph.assumptions if (found := probe(item)) is not None}
