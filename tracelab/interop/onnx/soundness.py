"""What is refused of an ONNX model before anything else is done with it: its C++ readers trust what they get."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from tracelab.interop.onnx.tensors import needed
from tracelab.storage import validation

MOST_NODES = 500_000
"""Nodes of a graph once its functions are taken apart."""
_FEW = 10_000
_TIMES = 50
"""How many times as many nodes as the file has there may be once functions are taken apart, where that is not few."""
_DEEPEST = 40
_OF_ONNX = ("", "ai.onnx")


def refuse_unsound(model: Any) -> None:
    """Raise for functions that call each other too often, values that are made twice, and operator sets of no onnx.

    Raises:
        TracelabFileError: It is of such a kind.
    """
    newest = needed("onnx").defs.onnx_opset_version()
    for entry in model.opset_import:
        if entry.domain in _OF_ONNX and not 1 <= entry.version <= newest:
            known = f"the installed onnx knows 1 to {newest}"
            validation.bad("the graph", f"is of the operator set {entry.version}, and {known}")
    _values_of(model.graph, "the graph")
    for function in model.functions:
        where = f"the function {function.name[:60]!r}"
        _made_once([*function.input, *_made_by(function.node)], where)
        _inner_values(function.node)
    _refuse_many(model)


def _values_of(graph: Any, where: str) -> None:
    # An initializer may be an input too: it is its default then.
    weights = {item.name for item in graph.initializer}
    given = [item.name for item in graph.input if item.name not in weights]
    _made_once([*given, *weights, *_made_by(graph.node)], where)
    _inner_values(graph.node)


def _inner_values(nodes: Any) -> None:
    for node in nodes:
        for graph in _graphs_of(node):
            _values_of(graph, f"a graph in {node.op_type[:60]}")


def _made_by(nodes: Any) -> Iterator[str]:
    return (name for node in nodes for name in node.output if name)


def _made_once(names: list[str], where: str) -> None:
    seen: set[str] = set()
    for name in names:
        if name in seen:
            validation.bad(where, f"makes the value {name[:60]!r} twice")
        seen.add(name)


def _graphs_of(node: Any) -> Iterator[Any]:
    for item in node.attribute:
        if item.type == 5:
            yield item.g
        yield from item.graphs


def _refuse_many(model: Any) -> None:
    counting = _Counting(model)
    count = counting.of(model.graph.node, 0)
    present = counting.present(model.graph.node) + sum(counting.present(item.node) for item in model.functions)
    if count > min(MOST_NODES, max(_FEW, _TIMES * present)):
        shown = f"{count:,}" if count < 10**15 else "more than 10^15"
        validation.bad("the graph", f"has {shown} nodes once its functions are taken apart, of {present:,} in the file")


class _Counting:
    """How many nodes there are once functions are taken apart, without taking them apart."""

    def __init__(self, model: Any) -> None:
        self.functions = {(item.domain, item.name): item for item in model.functions}
        self.known: dict[tuple[str, str], int] = {}

    def of(self, nodes: Any, depth: int) -> int:
        if depth > _DEEPEST:
            validation.bad("a function", "calls others too deeply, or itself")
        total = 0
        for node in nodes:
            key = (node.domain, node.op_type)
            if key in self.functions:
                if key not in self.known:
                    self.known[key] = self.of(self.functions[key].node, depth + 1)
                total += self.known[key]
            total += 1 + sum(self.of(graph.node, depth) for graph in _graphs_of(node))
        return total

    def present(self, nodes: Any) -> int:
        """The nodes of the file itself."""
        return sum(1 + sum(self.present(graph.node) for graph in _graphs_of(node)) for node in nodes)
