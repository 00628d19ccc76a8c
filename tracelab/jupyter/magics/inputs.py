"""Which of the variables that a cell might read were inputs of what it did."""

from __future__ import annotations

import re
from typing import Any

import torch

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.taking_apart import TakingApart
from tracelab.graph.tree import Tree


def input_tree(item: Any, leaves: list[torch.Tensor], name: str) -> Tree:
    """The nesting of a variable; lists may be of mixed kinds, which a traced function would refuse."""
    return TakingApart(leaves).tree(item, name, True)


def drop_unused_inputs(graph: Graph, names: list[str], trees: list[Tree]) -> tuple[list[str], list[Tree]]:
    """Take out of the graph the inputs that nothing used; gives the names and trees that stay.

    A name that the text of a cell reads may be read on another branch, or hold a tensor of the run before.
    """
    leaves = iter(graph.user_inputs)
    values = [[next(leaves) for _ in range(tree.size)] for tree in trees]
    used = _used(graph)
    kept = [index for index, each in enumerate(values) if not used.isdisjoint(each)]
    _drop(graph, [value for each in values if used.isdisjoint(each) for value in each])
    return [names[index] for index in kept], [trees[index] for index in kept]


def drop_unused(graph: Graph, values: list[Value]) -> None:
    """Take those of these inputs out of the graph that nothing used."""
    used = _used(graph)
    _drop(graph, [value for value in values if value not in used])


def _used(graph: Graph) -> set[Value]:
    used: set[Value] = set(graph.outputs)
    for node in graph.nodes:
        used.update(node.inputs)
    return used


def _drop(graph: Graph, dropped: list[Value]) -> None:
    gone = set(dropped)
    graph.inputs = [value for value in graph.inputs if value not in gone]
    for value in dropped:
        _give_back(graph, value.name)


def _give_back(graph: Graph, name: str) -> None:
    """A name that is free again: `y.1` becomes `y`, and `y.2` becomes `y.1`."""
    numbered = re.compile(re.escape(name) + r"\.([0-9]+)")
    found = [(int(match[1]), value) for value in graph.values() if (match := numbered.fullmatch(value.name))]
    previous = name
    for _, value in sorted(found, key=lambda item: item[0]):
        value.name, previous = previous, value.name
