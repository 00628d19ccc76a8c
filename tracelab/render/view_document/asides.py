"""What is not the story of a graph: arithmetic on sizes, no-ops, constants, and what nothing depends on."""

from __future__ import annotations

import re
from typing import Any

from tracelab.graph.aliasing import Aliasing, has_effect, is_idle_dropout, written_values
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.kinds import DEVICE, DTYPE, FINFO, NBYTES
from tracelab.graph.passes.simplify import needed_nodes
from tracelab.graph.size_names import size_name
from tracelab.graph.text.arguments import given_arguments, text_of
from tracelab.graph.types import TensorType
from tracelab.render.fold import Folded

_NUMBERS = frozenset(("int", "float", "bool", "Device"))
READS = frozenset(("aten::size", "aten::numel", "aten::dim", "aten::stride", DTYPE, DEVICE, FINFO, NBYTES))
"""What is asked of a tensor without a look at its elements."""
_SIGNS = {
    "aten::add": "+",
    "aten::sub": "-",
    "aten::mul": "*",
    "aten::floordiv": "//",
    "aten::div": "/",
    "aten::truediv": "/",
    "aten::remainder": "%",
    "aten::mod": "%",
    "aten::pow": "**",
}
_CONVERSIONS = frozenset(
    f"aten::{name}" for name in ("to", "type_as", "contiguous", "view", "view_as", "reshape", "expand", "slice")
)
_AGAIN = re.compile(r"\.\d+$")
"""What makes a name unique."""
_LONGEST = 60


def size_expressions(graph: Graph, folded: Folded) -> dict[int, str]:
    """The nodes that only reckon with sizes, dtypes and devices for others, and what each says as an expression.

    Returns:
        By their places among the shown nodes, in order.
    """
    results = set(folded.parts_of(graph.outputs))
    used = {value for node in graph.nodes for value in node.inputs}
    warned = {warning.value for warning in graph.warnings}
    texts: dict[Value, str] = {}
    found: dict[int, str] = {}
    for place, (node, outputs) in enumerate(zip(folded.nodes, folded.outputs, strict=True)):
        if len(outputs) != 1 or outputs[0].type not in _NUMBERS or node is graph.failed:
            continue
        made = outputs[0]
        if made in results or made not in used or made in warned or node.traits.effect or node.traits.opaque:
            continue
        if node.kind not in READS and any(value not in texts and not _is_number(value) for value in node.inputs):
            continue
        texts[made] = found[place] = _expression(node, made, texts)
    return found


def _is_number(value: Value) -> bool:
    return type(value.type) is str and value.type in _NUMBERS


def _expression(node: Node, made: Value, texts: dict[Value, str]) -> str:
    """The name that the code gave to a number, else how it is reckoned."""
    base = node.kind.rpartition("::")[2]
    name = _AGAIN.sub("", made.name)
    if node.kind not in (DTYPE, DEVICE, FINFO) and name != base:
        return name
    named = size_name(node)
    if named:
        return named
    items = [item for _, item in given_arguments(node)]
    parts = [_operand(item, texts) for item in items]
    if node.kind in READS and parts:
        rest = ", ".join(parts[1:])
        text = f"{parts[0]}.{base}" if node.kind in (DTYPE, DEVICE) else f"{parts[0]}.{base}({rest})"
    elif node.kind in _SIGNS and len(parts) == 2:
        text = f" {_SIGNS[node.kind]} ".join(f"({part})" if " " in part else part for part in parts)
    else:
        text = f"{base.lower()}({', '.join(parts)})"
    return text if len(text) <= _LONGEST else f"{text[: _LONGEST - 1]}…"


def _operand(item: Any, texts: dict[Value, str]) -> str:
    if isinstance(item, Value):
        return texts.get(item) or _AGAIN.sub("", item.name)
    return text_of(item, "")


def identities(graph: Graph, folded: Folded, minor: frozenset[int]) -> list[tuple[int, int]]:
    """The nodes that give back the tensor that they take, each with what made it.

    Such a node converts to the dtype, the shape or the layout that is there already, or is a dropout that drops
    nothing. Those on an input of the graph, and those with a warning, are not among them.

    Args:
        graph: What was recorded.
        folded: The graph as it is shown.
        minor: The places of nodes that step aside themselves.

    Returns:
        Places among the shown nodes, in order.
    """
    warned = {warning.node_among(folded.index) for warning in graph.warnings}
    made_by = {value: place for place, outputs in enumerate(folded.outputs) for value in outputs}
    found: dict[int, int] = {}
    for place, (node, outputs) in enumerate(zip(folded.nodes, folded.outputs, strict=True)):
        if not (node.kind in _CONVERSIONS or is_idle_dropout(node)) or len(outputs) != 1:
            continue
        if node is graph.failed or node in warned:
            continue
        taken = node.args[0] if node.args else None
        if not isinstance(taken, Value) or not taken.is_tensor or taken.type != outputs[0].type:
            continue
        maker = made_by.get(taken, -1)
        if maker >= 0 and maker not in minor:
            found[place] = found.get(maker, maker)
    return list(found.items())


def constant_nodes(graph: Graph, folded: Folded, aside: frozenset[int]) -> list[int]:
    """The places of nodes that make positions, masks and other tensors from sizes and numbers alone.

    No element of an input, a parameter or a buffer decides what they give, and nothing is written into it.

    Args:
        graph: What was recorded.
        folded: The graph as it is shown.
        aside: The places of nodes that are no such constants, because they step aside in another way.
    """
    made: set[Value] = set()
    found: dict[int, list[Value]] = {}
    for place, (node, outputs) in enumerate(zip(folded.nodes, folded.outputs, strict=True)):
        if node.kind in READS:
            made.update(outputs)
            continue
        if not all(value in made or _is_constant(value) for value in node.inputs) or node is graph.failed:
            continue
        if not (node.traits.opaque or has_effect(node) or written_values(node)):
            made.update(outputs)
            found[place] = outputs
    written = {value for node in graph.nodes for value in written_values(node)} if found else set()
    if written:
        memory = Aliasing(graph)
        changed = {memory.family(value) for value in written}
        lost: set[Value] = set()
        for place, outputs in list(found.items()):
            is_changed = any(memory.family(value) in changed for value in outputs)
            if is_changed or not lost.isdisjoint(folded.nodes[place].inputs):
                lost.update(outputs)
                del found[place]
    return [place for place in found if place not in aside]


def _is_constant(value: Value) -> bool:
    """Not a weight that a function holds itself."""
    is_weight = isinstance(value.type, TensorType) and value.type.requires_grad
    return value.role is Role.CONSTANT and not is_weight


def unused_nodes(graph: Graph, folded: Folded) -> list[int]:
    """The places of shown nodes on which no output depends, nor anything outside the graph; none where it failed."""
    if graph.failed is not None or not graph.outputs:
        return []
    used = {value for node in graph.nodes for value in node.inputs}
    used.update(graph.outputs)
    ends = (node for node in folded.nodes if not any(value in used for value in node.outputs))
    if all(has_effect(node) or written_values(node) for node in ends):
        # Whatever is unused ends in a node that nobody uses.
        return []
    # What decided which way the trace went is part of the story.
    present = frozenset(graph.nodes)
    warned = (warning.node_among(present) for warning in graph.warnings)
    kept = needed_nodes(graph, {node for node in warned if node is not None})
    needed = {folded.index[node] for place, node in enumerate(graph.nodes) if place in kept and node in folded.index}
    return [place for place in range(len(folded.nodes)) if place not in needed]
