"""Dead code, common subexpressions, constants, and names."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any, TypeVar

from tracelab.graph.aliasing import Aliasing, has_effect, is_random, written_values
from tracelab.graph.data import GraphData, rename
from tracelab.graph.ir import Node, Value, map_values, unique_names
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.lint import verified

G = TypeVar("G", bound=GraphData)
_NUMBERS = ("int", "float", "bool")


def dce(graph: G) -> G:
    """Take out nodes whose outputs nobody uses and which change nothing.

    A node that writes into a tensor stays as long as that tensor, or whatever may share its memory, is still needed.
    Random operators stay: those after them would draw other numbers.

    Returns:
        The same graph.

    >>> graph, _ = tracelab.trace_graph(lambda x: (x.exp(), x + 1)[1], torch.ones(2))
    >>> [node.kind for node in dce(graph).nodes]
    ['aten::add']
    """
    memory = Aliasing(graph)
    live: set[Value] = set(graph.outputs)
    live_families = {memory.family(value) for value in live}
    kept: list[Node] = []
    for node in reversed(graph.nodes):
        needed = (
            node is graph.failed
            or has_effect(node)
            or any(value in live for value in node.outputs)
            or any(memory.escaped(value) or memory.family(value) in live_families for value in written_values(node))
        )
        if needed:
            kept.append(node)
            live.update(node.inputs)
            live_families.update(memory.family(value) for value in node.inputs)
    kept.reverse()
    graph.retain(kept)
    forget_state(graph)
    return verified(graph)


def forget_state(graph: GraphData) -> None:
    """Let go of the tensors of constants that the graph does not hold any more."""
    there = {*graph.inputs, *(value for node in graph.nodes if node.kind == CONSTANT for value in node.outputs)}
    for value in [value for value in graph.state if value not in there]:
        del graph.state[value]


def cse(graph: G) -> G:
    """Merge nodes which compute the same thing from the same values.

    Random and in-place operators are left alone, and so is everything whose memory is ever written to.

    Returns:
        The same graph.

    >>> graph, _ = tracelab.trace_graph(lambda x: x.exp() + x.exp(), torch.ones(2))
    >>> [node.kind for node in cse(graph).nodes]
    ['aten::exp', 'aten::add']
    """
    memory = Aliasing(graph)
    returned = {memory.family(value) for value in graph.outputs}
    seen: dict[Hashable, Node] = {}
    renamed: dict[Value, Value] = {}
    kept: list[Node] = []
    region: tuple[int, ...] = ()
    calls = 0
    for number, node in enumerate(graph.nodes):
        rename(node, renamed)
        traits = node.traits
        if traits.opens:
            region = (*region, number)
        elif traits.closes:
            region = region[:-1]
        # A call of other code may set what results depend on, such as the default dtype.
        calls += traits.opaque
        key = None if node is graph.failed else _computation(node)
        if key is None or any(memory.written(value) for value in (*node.inputs, *node.outputs)):
            kept.append(node)
            continue
        first = seen.setdefault((region, calls, key), node)
        if first is node or _must_differ(node, first, memory, returned):
            kept.append(node)
        else:
            renamed.update(zip(node.outputs, first.outputs, strict=True))
    graph.retain(kept)
    graph.outputs[:] = [renamed.get(value, value) for value in graph.outputs]
    return verified(graph)


def _must_differ(node: Node, first: Node, memory: Aliasing, returned: set[Value]) -> bool:
    """Whether both results leave the graph: a caller may write to the one and keep the other."""
    pairs = zip(node.outputs, first.outputs, strict=True)
    return any(memory.family(one) in returned and memory.family(other) in returned for one, other in pairs)


def _computation(node: Node) -> Hashable | None:
    schema = node.schema
    if schema is None or schema.is_mutable or is_random(node) or has_effect(node):
        return None
    try:
        key = (node.target, _frozen(node.args), _frozen(node.kwargs or {}))
        hash(key)
    except TypeError:
        return None
    return key


def _frozen(item: Any) -> Hashable:
    if isinstance(item, (list, tuple)):
        return (type(item).__name__, *map(_frozen, item))
    if isinstance(item, dict):
        return tuple((name, _frozen(value)) for name, value in sorted(item.items()))
    if isinstance(item, Value):
        return item
    # 1, 1.0 and True are equal and hash alike, but are three constants; so are 0.0 and -0.0.
    return (type(item).__name__, repr(item))


def fold_constants(graph: G) -> G:
    """Compute arithmetic on numbers whose operands are all known.

    Returns:
        The same graph.
    """
    known: dict[Value, Any] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        if known:
            node.args = map_values(node.args, lambda value: known.get(value, value))
            if node.kwargs:
                node.kwargs = map_values(node.kwargs, lambda value: known.get(value, value))
        if _is_known_number(node) and node.target is not None:
            try:
                number = node.target(*node.args, **(node.kwargs or {}))
            except (ArithmeticError, ValueError, TypeError):
                # It raises in each run too, at its place.
                kept.append(node)
                continue
            known[node.outputs[0]] = number
            if node.outputs[0] not in graph.outputs:
                continue
        kept.append(node)
    graph.retain(kept)
    return verified(graph)


def _is_known_number(node: Node) -> bool:
    scalar = len(node.outputs) == 1 and node.outputs[0].type in _NUMBERS
    return scalar and bool(node.args) and not node.inputs and not has_effect(node)


def canonicalize(graph: G) -> G:
    """Number every value in order, so that two runs of the same code print the same text.

    Returns:
        The same graph.
    """
    for index, value in enumerate(graph.values()):
        value.name = str(index)
    unique_names(graph.values())
    return verified(graph)
