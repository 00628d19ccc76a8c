"""A part of a graph that stands alone: what it takes from before, and what is used of it behind."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import combinations

from tracelab.errors import TracelabError
from tracelab.graph.aliasing import Aliasing, has_effect
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import ARGUMENT, CONSTANT, TUPLE_CONSTRUCT
from tracelab.graph.types import type_text


@dataclass(slots=True)
class Part:
    """A graph of its own, and where its inputs come from."""

    graph: Graph
    taken: list[Value]
    """The values of the whole graph that are the inputs of the part which a caller gives, in their order."""
    first: int
    """The place in the whole graph at which the part begins."""
    written: list[bool]
    """Whether the part writes into each of them."""


def part_of(graph: Graph, first: int, stop: int, name: str) -> Part:
    """The nodes from `first` up to, not including, `stop` as a graph of their own.

    Numbers and lists that were computed before are computed in the part, from the tensors that they come from; the
    gradient modes and contexts in which the nodes ran are entered in it.

    Raises:
        TracelabError: They need what a part cannot be given; the message names the value, and where to begin instead.
    """
    memory = Aliasing(graph)
    nodes = list(graph.nodes)
    places = {node: index for index, node in enumerate(nodes)}
    kept = {*nodes[first:stop], *_regions(nodes, first, stop)}
    taken = _taken(kept, places, memory, first)
    _refuse_shared(taken, memory, nodes, first, stop)
    copied = graph.copy()
    twins = dict(zip(graph.values(), copied.values(), strict=True))
    copied.name = name
    copied.assumptions = [
        item for item in copied.assumptions if item.value is not None or item.kind is AssumptionKind.TRAINING
    ]
    given = sorted(taken, key=lambda value: -1 if value.node is None else places[value.node])
    users = [twins[value] for value in given if value.node is not None or value.role is Role.INPUT]
    state = [twins[value] for value in graph.inputs if value in taken and value.role is not Role.INPUT]
    state += [twins[value] for value in _set_buffers(graph, kept) if value not in taken]
    copied.inputs = [*users, *state]
    copied.failed = None
    copied.input_tree = None
    copied.retain([twin for node, twin in zip(nodes, list(copied.nodes), strict=True) if node in kept])
    for value in users:
        value.node, value.role = None, Role.INPUT
    copied.outputs = _outputs(copied, [twins[value] for value in _made_for_others(graph, nodes, first, stop)])
    present = {*copied.values()}
    copied.state = {value: tensor for value, tensor in copied.state.items() if value in present}
    copied.warnings = [item for item in copied.warnings if item.node_among(set(copied.nodes)) is not None]
    copied.lint()
    mine = [value for value in given if value.node is not None or value.role is Role.INPUT]
    return Part(copied, mine, first, [memory.written(value, first, stop) for value in mine])


def _taken(kept: set[Node], places: dict[Node, int], memory: Aliasing, first: int) -> set[Value]:
    """The values that the nodes need from outside; adds to `kept` what computes numbers, lists and constants."""
    taken: set[Value] = set()
    todo = list(kept)
    for node in todo:
        early = places[node] < first
        for value in node.inputs:
            maker = value.node
            if maker in kept:
                continue
            if maker is None or value.is_tensor or value.type == "Tensor":
                if early and memory.written(value, places[node] + 1, first):
                    raise TracelabError(
                        f"the part needs what {_place(node)} made of %{value.name}, which is written to in between: "
                        "begin at that node"
                    )
                if maker is None or maker.kind != CONSTANT:
                    taken.add(value)
                    continue
            assert maker is not None
            if maker.kind != CONSTANT and _needs_outside(maker):
                raise TracelabError(
                    f"the part needs %{value.name} ({type_text(value.type)}) from before it, which is no tensor and "
                    f"is made by {_place(maker)}: {_instead(maker)}"
                )
            kept.add(maker)
            todo.append(maker)
    return taken


def _needs_outside(node: Node) -> bool:
    return node.kind == ARGUMENT or has_effect(node) or node.traits.opaque


def _instead(node: Node) -> str:
    return "extract from the code that has the argument" if node.kind == ARGUMENT else "begin at that node"


def _place(node: Node) -> str:
    made = f" (%{node.outputs[0].name})" if node.outputs else ""
    return f"{node.kind}{made}"


def _refuse_shared(taken: Iterable[Value], memory: Aliasing, nodes: list[Node], first: int, stop: int) -> None:
    for one, other in combinations(sorted(taken, key=lambda value: value.name), 2):
        if memory.may_share(one, other) and memory.written(one, first, stop):
            writer = next(nodes[index] for index in memory.writers(one) if first <= index < stop)
            raise TracelabError(
                f"%{one.name} and %{other.name} share memory, and {_place(writer)} writes into it: two inputs of a "
                "part are tensors of their own, so begin before the one is made of the other"
            )


def _regions(nodes: list[Node], first: int, stop: int) -> set[Node]:
    """What opens the regions that the nodes stand in, and what closes those that are open behind them."""
    stacks: dict[str, list[Node]] = {}
    kept: set[Node] = set()
    for index, node in enumerate(nodes):
        if index in (first, stop):
            kept.update(entry for stack in stacks.values() for entry in stack)
        if node.traits.opens:
            stacks.setdefault(node.traits.opens, []).append(node)
        elif node.traits.closes and (stack := stacks.get(node.traits.closes)):
            opened = stack.pop()
            if index >= stop and opened in kept:
                kept.add(node)
    return kept


def _set_buffers(graph: Graph, kept: set[Node]) -> list[Value]:
    names = {node.attributes["name"] for node in kept if node.kind == "prim::SetAttr"}
    return [value for value in graph.parameters if value.path in names]


def _made_for_others(graph: Graph, nodes: list[Node], first: int, stop: int) -> list[Value]:
    made = [value for node in nodes[first:stop] if node.kind != CONSTANT for value in node.outputs]
    used = {value for node in nodes[stop:] for value in node.inputs} | set(graph.outputs)
    found = [value for value in made if value in used]
    if not found:
        found = list(next((node.outputs for node in reversed(nodes[first:stop]) if node.outputs), ()))
    if not found:
        raise TracelabError("these nodes make nothing: take in one that makes a value")
    return found


def _outputs(graph: Graph, values: list[Value]) -> list[Value]:
    if len(values) == 1:
        return values
    word = f"({', '.join(type_text(value.type) for value in values)})"
    return [graph.create_node(TUPLE_CONSTRUCT, None, tuple(values), types=(word,), name="outputs").output]
