"""A plain graph as a graph of tracelab."""

from __future__ import annotations

import torch

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, unique_names
from tracelab.graph.scope import Scope
from tracelab.graph.types import TensorType, Type

from .plain import Plain

_ROLES = {"input": Role.INPUT, "parameter": Role.PARAMETER, "buffer": Role.BUFFER, "constant": Role.CONSTANT}


def graph_of(plain: Plain) -> tuple[Graph, dict[Node, str]]:
    """The graph, and the ids of its nodes."""
    graph = Graph(plain["name"])
    values: dict[str, Value] = {}
    for given in plain["inputs"]:
        role = _ROLES[given["role"]]
        name = given["id"] if role is not Role.INPUT else given["path"]
        path = "" if role is Role.INPUT else given["path"]
        values[given["id"]] = Value(name, _type(given), None, role, path)
        graph.inputs.append(values[given["id"]])
    scopes = {"": graph.root}
    ids: dict[Node, str] = {}
    for item in plain["nodes"]:
        args = tuple(values[value] for value in item["inputs"])
        node = Node(item["op"], None, args, _constants(item), scope=_scope(scopes, item["scope"]))
        node.outputs = tuple(
            Value(f"{item['op'].rpartition(':')[2]}", _type(output), node) for output in item["outputs"]
        )
        values.update((f"{item['id']}:{place}", value) for place, value in enumerate(node.outputs))
        graph.nodes.append(node)
        ids[node] = item["id"]
    graph.outputs = [values[value] for value in plain["outputs"]]
    unique_names(graph.values())
    return graph, ids


def _constants(item: Plain) -> dict[str, object]:
    """By names that differ from those that inputs get from their places."""
    return {f"constant_{name}": value for name, value in item["attributes"].items()}


def _type(given: Plain) -> Type:
    if given["shape"] is None:
        return given["dtype"]  # type: ignore[return-value]
    return TensorType(getattr(torch, given["dtype"]), tuple(given["shape"]), None, torch.device("cpu"))


def _scope(scopes: dict[str, Scope], path: str) -> Scope:
    if path not in scopes:
        scopes[path] = Scope(path, "Module", _scope(scopes, path.rpartition(".")[0]))
    return scopes[path]
