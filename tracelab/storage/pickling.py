"""Pickles of graphs, and of what refers to their nodes: as `.tlab` bytes, with the tensors beside them.

The tensors are pickled by torch, so that what is shared with the rest of a pickle stays shared, and `map_location`
and shared memory do what they do for any module. A pickle may run code as it loads; the bytes of a graph do not: the
Python functions that it calls by itself are named, and imported where they are, as pickle does with functions.
"""

from __future__ import annotations

import copyreg
import functools
import io
from collections.abc import Callable, Iterable
from typing import Any

import torch

from tracelab.errors import TracelabError
from tracelab.graph.assumptions import Assumption
from tracelab.graph.diagnostic import TraceDiagnostic
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.source import Source
from tracelab.graph.types import Type
from tracelab.storage.archive import read_record, write_record
from tracelab.storage.graph_json.sources import StoredSource
from tracelab.storage.graph_json.targets import python_name
from tracelab.storage.record import MethodRecord, TraceRecord

Reduced = tuple[Callable[..., Any], tuple[Any, ...]]


@functools.cache
def make_graphs_picklable() -> None:
    """Tell pickle how graphs are written; whoever gives graphs to users says it once."""
    copyreg.pickle(Graph, _reduce_graph)
    copyreg.pickle(Node, _reduce_node)
    copyreg.pickle(Value, _reduce_value)
    copyreg.pickle(Source, _reduce_source)
    copyreg.pickle(TraceDiagnostic, _reduce_diagnostic)
    copyreg.pickle(Assumption, _reduce_assumption)


def own_functions(graphs: Iterable[Graph]) -> frozenset[str]:
    """The names of the functions and operators that graphs call, as `tracelab.load(allow=)` takes them."""
    found = {"torchscript"}
    for graph in graphs:
        for node in graph.nodes:
            name = getattr(node.target, "__qualname__", None)
            if node.schema is not None:
                found.add(node.schema.name)
            elif name is not None:
                found.update((f"{getattr(node.target, '__module__', '')}:{name}", python_name(node.target)))
    # What is defined inside a function can be imported from nowhere: it shows, and says so when it should run.
    return frozenset(name for name in found if "<" not in name)


def _reduce_graph(graph: Graph) -> Reduced:
    tensors: list[torch.Tensor] = []
    file = io.BytesIO()
    write_record(TraceRecord(graph.name, {"": MethodRecord(graph)}), file, aside=tensors)
    return _graph, (file.getvalue(), tensors, own_functions([graph]), graph.cell)


def _graph(data: bytes, tensors: list[torch.Tensor], allow: frozenset[str], cell: str) -> Graph:
    graph = read_record(io.BytesIO(data), allow=allow, aside=tensors).methods[""].graph
    graph.cell = cell
    return graph


def _reduce_node(node: Node) -> Reduced:
    graph = node.graph
    for number, other in enumerate(() if graph is None else graph.nodes):
        if other is node:
            return _node, (graph, number)
    raise TracelabError(f"{node.kind} is in no graph that somebody holds: a node is pickled with its graph")


def _node(graph: Graph, number: int) -> Node:
    return graph.nodes[number]


def _reduce_value(value: Value) -> Reduced:
    node = value.node
    if node is not None and node.graph is not None:
        return _made_value, (node, next(place for place, other in enumerate(node.outputs) if other is value))
    # An input knows no graph.
    return _lone_value, (value.name, value.type, value.role, value.path)


def _made_value(node: Node, place: int) -> Value:
    return node.outputs[place]


def _lone_value(name: str, type_: Type, role: Role, path: str) -> Value:
    return Value(name, type_, None, role, path)


def _reduce_source(source: Source) -> Reduced:
    place = (source.file, source.function, source.line, source.end_line, source.column, source.end_column)
    return _source, (place, source.text, source.caller)


def _source(place: Any, text: str, caller: StoredSource | None) -> Source:
    return StoredSource(place, text, caller)


def _reduce_diagnostic(item: TraceDiagnostic) -> Reduced:
    # Without the names near the place: they may stand for anything. Nor a node of which nobody holds the graph.
    node = item.node if item.node is not None and item.node.graph is not None else None
    told = (item.kind, item.message, item.source, node, item.value, item.constant, item.position, item.verdict)
    return TraceDiagnostic, told


def _reduce_assumption(item: Assumption) -> Reduced:
    # Without the probe: it reads what lies around the traced code in this process.
    return Assumption, (item.kind, item.subject, item.constant, item.source, item.value, item.test, None, item.paths)
