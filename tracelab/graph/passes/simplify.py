"""Dead code, common subexpressions, constants, and names."""

from __future__ import annotations

from collections.abc import Collection, Hashable
from typing import Any, TypeVar

import torch

from tracelab.graph.aliasing import Aliasing, has_effect, is_random, runs_backward, written_values
from tracelab.graph.data import GraphData, rename
from tracelab.graph.ir import Node, Value, map_values, unique_names
from tracelab.graph.kinds import CONSTANT, CONTEXT, GRAD_MODE, Group
from tracelab.graph.lint import verified

G = TypeVar("G", bound=GraphData)
_NUMBERS = ("int", "float", "bool")
_CONSTANTS = frozenset(
    {int, float, bool, complex, str, type(None), torch.dtype, torch.device, torch.layout, torch.memory_format}
)
"""Types whose constants are the same where they print the same."""


def dce(graph: G) -> G:
    """Take out nodes whose outputs nobody uses and which change nothing.

    A node that writes into a tensor stays as long as that tensor, or whatever may share its memory, is needed anywhere:
    a write after the last use stays too, since autograd may have kept the tensor for a backward pass. Random operators
    stay: those after them would draw other numbers.

    Returns:
        The same graph.

    >>> graph, _ = tracelab.trace_graph(lambda x: (x.exp(), x + 1)[1], torch.ones(2))
    >>> [node.kind for node in dce(graph).nodes]
    ['aten::add']
    """
    kept = needed_nodes(graph)
    graph.retain([node for index, node in enumerate(graph.nodes) if index in kept])
    forget_state(graph)
    return verified(graph)


def needed_nodes(graph: GraphData, also: Collection[Node] = ()) -> set[int]:
    """The places of the nodes on which an output depends, or anything outside the graph, or one of `also`."""
    memory = Aliasing(graph)
    makers = {value: index for index, node in enumerate(graph.nodes) for value in node.outputs}
    kept: set[int] = set()
    needed: list[Value] = list(graph.outputs)
    for index, node in enumerate(graph.nodes):
        if (
            node in also
            or node is graph.failed
            or has_effect(node)
            or any(memory.escaped(value) for value in written_values(node))
        ):
            kept.add(index)
            needed += node.inputs
    seen = set(needed)
    families: set[Value] = set()
    while needed:
        value = needed.pop()
        family = memory.family(value)
        wanted = [makers[value]] if value in makers else []
        if family not in families:
            families.add(family)
            wanted += memory.writers(value)
        for index in wanted:
            kept.add(index)
            node = graph.nodes[index]
            # An output that nobody uses may be kept for a backward pass through the others.
            fresh = [item for item in dict.fromkeys((*node.inputs, *node.outputs)) if item not in seen]
            seen.update(fresh)
            needed += fresh
    return kept


def forget_state(graph: GraphData) -> None:
    """Let go of the tensors of constants that the graph does not hold any more."""
    there = {*graph.inputs, *(value for node in graph.nodes if node.kind == CONSTANT for value in node.outputs)}
    for value in [value for value in graph.state if value not in there]:
        del graph.state[value]


def cse(graph: G) -> G:
    """Merge nodes which compute the same thing from the same values.

    Random and in-place operators are left alone, and so is everything whose memory is ever written to, that other code
    handles, or through which the graph itself runs backward: a backward pass frees what the other would need.

    Returns:
        The same graph.

    >>> graph, _ = tracelab.trace_graph(lambda x: x.exp() + x.exp(), torch.ones(2))
    >>> [node.kind for node in cse(graph).nodes]
    ['aten::exp', 'aten::add']
    """
    memory = Aliasing(graph)
    alone = _ways_back(graph)
    leaving = {memory.family(value) for value in graph.outputs}

    def leaves(value: Value) -> bool:
        return memory.escaped(value) or memory.family(value) in leaving

    seen: dict[Hashable, Node] = {}
    renamed: dict[Value, Value] = {}
    kept: list[Node] = []
    # The innermost region of each sort, and how often other code ran, or a mark was set, on which results may depend.
    regions: dict[str, list[int]] = {GRAD_MODE: [-1], CONTEXT: [-1]}
    changes = 0
    for number, node in enumerate(graph.nodes):
        rename(node, renamed)
        traits = node.traits
        if traits.opens:
            regions[traits.opens].append(number)
        elif traits.closes and len(regions[traits.closes]) > 1:
            regions[traits.closes].pop()
        changes += traits.opaque or traits.group is Group.STATE
        key = None if node is graph.failed else _computation(node)
        single = any(memory.written(value) for value in (*node.inputs, *node.outputs)) or any(
            memory.handled(value) or value in alone for value in node.outputs
        )
        if key is None or single:
            kept.append(node)
            continue
        first = seen.setdefault((*(open_[-1] for open_ in regions.values()), changes, key), node)
        pairs = list(zip(node.outputs, first.outputs, strict=True))
        # Where both leave the graph, a caller may write to the one and keep the other.
        if first is node or any(leaves(one) and leaves(other) for one, other in pairs):
            kept.append(node)
            continue
        renamed.update(pairs)
        leaving.update(memory.family(other) for one, other in pairs if leaves(one))
    graph.rename_in_guards(renamed)
    graph.retain(kept)
    graph.outputs[:] = [renamed.get(value, value) for value in graph.outputs]
    return verified(graph)


def _ways_back(graph: GraphData) -> set[Value]:
    """What the graph itself runs backward through: a backward pass frees it, and adds to gradients once for each."""
    found: set[Value] = set()
    for node in reversed(graph.nodes):
        if runs_backward(node) or any(value in found for value in node.outputs):
            found.update(node.inputs)
    return found


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
    if type(item) in _CONSTANTS:
        # 1, 1.0 and True are equal and hash alike, but are three constants; so are 0.0 and -0.0.
        return (type(item).__name__, repr(item))
    # Two tensors may print alike.
    return ("object", id(item))


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
