"""A graph for other libraries to compute with: pandas' table of nodes, and networkx's graph."""

from __future__ import annotations

from typing import Any

from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.text.readable import short_type
from tracelab.graph.types import TensorType
from tracelab.libraries import needed_library


def to_pandas(graph: GraphData) -> Any:
    """One row a node, as a pandas `DataFrame`: see `Graph.to_pandas`."""
    pandas = needed_library("pandas", "to_pandas")
    warned = _warnings(graph)
    names = node_names(graph)
    rows = [{"name": names[node], **_node_facts(node), "warnings": warned.get(node, ())} for node in graph.nodes]
    columns = ["name", *_NODE_COLUMNS, "warnings"]
    # A line that is not known would make floating-point numbers of all lines.
    return pandas.DataFrame(rows, columns=columns).astype({"line": "Int64"})


def to_networkx(graph: GraphData) -> Any:
    """The graph as a networkx `DiGraph`: see `Graph.to_networkx`."""
    networkx = needed_library("networkx", "to_networkx")
    found = networkx.DiGraph(name=graph.name)
    warned = _warnings(graph)
    names = node_names(graph)
    makers: dict[Value, str] = {}
    returned = set(graph.outputs)
    for value in graph.inputs:
        makers[value] = value.name
        found.add_node(value.name, **_input_facts(value), warnings=(), returned=value in returned)
    for node in graph.nodes:
        name = names[node]
        makers.update(dict.fromkeys(node.outputs, name))
        gives = any(value in returned for value in node.outputs)
        found.add_node(name, **_node_facts(node), warnings=warned.get(node, ()), returned=gives)
        for value in dict.fromkeys(node.inputs):
            maker = makers[value]
            if found.has_edge(maker, name):
                edge = found.edges[maker, name]
                edge["values"] = (*edge["values"], value.name)
                edge["types"] = (*edge["types"], short_type(value))
            else:
                found.add_edge(maker, name, values=(value.name,), types=(short_type(value),))
    return found


def node_names(graph: GraphData) -> dict[Node, str]:
    """A name for every node: of what it makes, else its operator and its place (`prim::SetAttr#3`)."""
    return {
        node: node.outputs[0].name if node.outputs else f"{node.kind}#{index}" for index, node in enumerate(graph.nodes)
    }


_NODE_COLUMNS = (
    "operator kind overload scope module call inputs outputs types dtype shape device file line function".split()
)


def _node_facts(node: Node) -> dict[str, Any]:
    scope, source = node.scope, node.source
    first = next((value.type for value in node.outputs if isinstance(value.type, TensorType)), None)
    return {
        "operator": str(node.attributes.get("name", node.name)) if node.traits.opaque else node.name,
        "kind": node.kind,
        "overload": node.overload,
        "scope": scope.path if scope is not None else "",
        "module": scope.class_name if scope is not None else "",
        "call": scope.call if scope is not None else 0,
        "inputs": tuple(value.name for value in node.inputs),
        "outputs": tuple(value.name for value in node.outputs),
        "types": tuple(map(short_type, node.outputs)),
        **_tensor_facts(first),
        "file": source.file if source is not None else "",
        "line": source.line if source is not None else None,
        "function": source.function if source is not None else "",
    }


def _input_facts(value: Value) -> dict[str, Any]:
    path = value.path.rpartition(".")[0]
    empty = {"overload": "", "module": "", "call": 0, "inputs": (), "file": "", "line": None, "function": ""}
    role = value.role if value.role is not Role.COMPUTED else Role.INPUT
    return {
        **empty,
        "operator": role.name.lower(),
        "kind": role.name.lower(),
        "scope": path,
        "outputs": (value.name,),
        "types": (short_type(value),),
        **_tensor_facts(value.type if isinstance(value.type, TensorType) else None),
    }


def _tensor_facts(type_: TensorType | None) -> dict[str, Any]:
    if type_ is None:
        return {"dtype": None, "shape": None, "device": None}
    return {"dtype": type_.dtype_name, "shape": type_.shape, "device": str(type_.device)}


def _warnings(graph: GraphData) -> dict[Node, tuple[str, ...]]:
    nodes = set(graph.nodes)
    found: dict[Node, tuple[str, ...]] = {}
    for warning in graph.warnings:
        node = warning.node_among(nodes)
        if node is not None:
            found[node] = (*found.get(node, ()), warning.message)
    return found
