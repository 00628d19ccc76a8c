"""Debug names: each value is called as the user's variable that it was bound to."""

from __future__ import annotations

from types import CodeType

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, unique_names
from tracelab.graph.kinds import UNPACKS
from tracelab.graph.source import bound_names


def name_values(graph: Graph) -> None:
    """Name what nodes made, then make all names unique.

    A value is named by the variable that its call was assigned to; the last value made in a called function or
    module takes the name that the caller gave to the call's result. Others are named after their operator.
    """
    nodes = [node for node in graph.nodes if node.outputs]
    following: Node | None = None
    for node in reversed(nodes):
        _name_outputs(node, following)
        following = node
    unique_names(graph.values())


def _name_outputs(node: Node, following: Node | None) -> None:
    if node.kind in UNPACKS:
        maker = node.inputs[0].node
        source = maker.source if maker is not None else None
    else:
        source = node.source
    if source is None:
        return
    later = following.source.stack if following is not None and following.source is not None else ()
    for depth, (code, offset) in enumerate(source.stack):
        if depth and not _left(source.stack, depth, later):
            return
        if (
            not depth
            and later
            and _same_call(source.stack, later)
            and following is not None
            and not _unpacks(node, following)
        ):
            return
        names = bound_names(code, offset)
        if names:
            _assign(node, names)
            return


def _same_call(stack: tuple[tuple[CodeType, int], ...], later: tuple[tuple[CodeType, int], ...]) -> bool:
    """Whether the next node was made by the same call expression: then this one is not its result."""
    return stack == later


def _left(stack: tuple[tuple[CodeType, int], ...], depth: int, later: tuple[tuple[CodeType, int], ...]) -> bool:
    """Whether the run has left the frames below `depth` when the next node is made."""
    outer = stack[depth:]
    return later[-len(outer) :] != outer


def _unpacks(node: Node, following: Node) -> bool:
    return following.kind in UNPACKS and following.inputs[0].node is node


def _assign(node: Node, names: tuple[str, ...]) -> None:
    if len(names) == len(node.outputs):
        for value, name in zip(node.outputs, names, strict=True):
            value.name = name
    elif len(names) == 1:
        for value in node.outputs:
            value.name = names[0]
