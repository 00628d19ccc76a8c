"""Values that are the same in every run of a graph: made of constants, without random numbers."""

from __future__ import annotations

from collections.abc import Container

from tracelab.graph.aliasing import is_random
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Role, Value

_MOST = 500


def held_numbers(graph: Graph) -> set[Value | None]:
    """Values that are the same at each run for which the assumptions hold."""
    return {item.value for item in graph.assumptions if item.kind is AssumptionKind.NUMBER}


def is_constant(value: Value, held: Container[Value | None] = (), written: Container[Value] = ()) -> bool:
    """Whether a value is the same at each run in which those that are held are the same.

    `written` are constants that somebody may write to: tensors that were there before the trace.
    """
    pending, seen = [value], {value}
    while pending:
        at = pending.pop()
        if at in held:
            continue
        if at.role is not Role.COMPUTED:
            if at.role is Role.CONSTANT and at not in written:
                continue
            return False
        if at.node is None or is_random(at.node) or len(seen) > _MOST:
            return False
        fresh = [item for item in at.node.inputs if item not in seen]
        seen.update(fresh)
        pending += fresh
    return True
