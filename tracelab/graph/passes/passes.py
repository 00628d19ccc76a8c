"""Passes: each edits a graph in place and returns it."""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch

from tracelab.graph.ir import Graph, Node, Value, map_values, mutated_arguments, unique_names
from tracelab.graph.passes.inlining import inline

__all__ = ["canonicalize", "cse", "dce", "fold_constants", "inline"]


def dce(graph: Graph) -> Graph:
    """Take out nodes whose outputs nobody uses and which change nothing.

    A node that writes into a tensor stays as long as that tensor, or a view of it, is still needed.
    """
    live: set[Value] = set(graph.outputs) | set(graph.inputs)
    kept: list[Node] = []
    root = storage_roots(graph)
    live_roots = {root.get(value, value) for value in live}
    for node in reversed(graph.nodes):
        written = mutated_arguments(node)
        needed = (
            any(value in live for value in node.outputs)
            or any(root.get(value, value) in live_roots for value in written)
            or (not written and node.mutates)
        )
        if needed:
            kept.append(node)
            for value in node.inputs:
                live.add(value)
                live_roots.add(root.get(value, value))
    graph.nodes[:] = reversed(kept)
    return graph


def storage_roots(graph: Graph) -> dict[Value, Value]:
    """The tensor that each value is a view of: writing into the one is writing into the other."""
    root: dict[Value, Value] = {}
    for node in graph.nodes:
        base = _aliased_base(node, root)
        for value in node.outputs:
            root[value] = base if base is not None else value
    return root


def _aliased_base(node: Node, root: dict[Value, Value]) -> Value | None:
    schema = node.schema
    if schema is None:
        # What is not an operator may hand its input on: an alias is the safe guess.
        inputs = node.inputs
        return root.get(inputs[0], inputs[0]) if inputs and node.kind.startswith("prim::") else None
    for index, argument in enumerate(schema.arguments):
        if argument.alias_info is not None and index < len(node.args):
            item = node.args[index]
            item = item[0] if isinstance(item, (list, tuple)) and item else item
            if isinstance(item, Value):
                return root.get(item, item)
    return None


def cse(graph: Graph) -> Graph:
    """Merge nodes which compute the same thing from the same values.

    Random and in-place operators are left alone, and so is everything whose inputs are ever written to.
    """
    root = storage_roots(graph)
    written: set[Value] = set()
    for node in graph.nodes:
        # What is no operator may write into anything it is given.
        changed = node.inputs if node.schema is None and node.mutates else mutated_arguments(node)
        written.update(root.get(value, value) for value in changed)
    seen: dict[Hashable, Node] = {}
    renamed: dict[Value, Value] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        rename(node, renamed)
        key = _computation(node)
        if key is None or any(root.get(value, value) in written for value in (*node.inputs, *node.outputs)):
            kept.append(node)
            continue
        first = seen.setdefault(key, node)
        if first is node:
            kept.append(node)
        else:
            renamed.update(zip(node.outputs, first.outputs, strict=True))
    graph.nodes[:] = kept
    graph.outputs[:] = [renamed.get(value, value) for value in graph.outputs]
    return graph


def rename(node: Node, renamed: dict[Value, Value]) -> None:
    """Let a node use other values."""
    if renamed:
        node.args = map_values(node.args, lambda value: renamed.get(value, value))
        if node.kwargs:
            node.kwargs = map_values(node.kwargs, lambda value: renamed.get(value, value))


def _computation(node: Node) -> Hashable | None:
    schema = node.schema
    tags = getattr(node.target, "_tags", ()) or getattr(node.target, "tags", ())
    if schema is None or schema.is_mutable or torch.Tag.nondeterministic_seeded in tags:
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


def fold_constants(graph: Graph) -> Graph:
    """Compute integer arithmetic whose operands are all known."""
    known: dict[Value, Any] = {}
    kept: list[Node] = []
    for node in graph.nodes:
        if known:
            node.args = map_values(node.args, lambda value: known.get(value, value))
        scalar = len(node.outputs) == 1 and node.outputs[0].type in ("int", "float", "bool")
        if scalar and node.target is not None and not node.inputs and not node.mutates and node.args:
            known[node.outputs[0]] = node.target(*node.args, **(node.kwargs or {}))
            if node.outputs[0] not in graph.outputs:
                continue
        kept.append(node)
    graph.nodes[:] = kept
    return graph


def canonicalize(graph: Graph) -> Graph:
    """Number every value in order, so that two runs of the same code print the same text."""
    for index, value in enumerate(graph.values()):
        value.name = str(index)
    unique_names(graph.values())
    return graph
