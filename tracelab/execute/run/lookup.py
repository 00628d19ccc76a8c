"""From what a person writes (a value, a node, a debug name, a module path) to values and nodes of a graph."""

from __future__ import annotations

import difflib
from collections.abc import Iterable

from tracelab.errors import TracelabError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT
from tracelab.graph.source import short_place

Key = Value | Node | str
"""How a value or a node is named: itself, its debug name, or the path of the module that gives it."""


def find_values(graph: Graph, key: Key) -> tuple[Value, ...]:
    """The values that `key` names: one, or all outputs of a node or of the module's last node.

    Raises `TracelabError` where the graph has nothing of that name.
    """
    if isinstance(key, Value):
        if any(value is key for value in graph.values()):
            return (key,)
        raise TracelabError(f"%{key.name} is not a value of this graph: it belongs to another trace")
    if isinstance(key, Node):
        return graph.nodes[node_index(graph, key)].outputs
    if not isinstance(key, str):
        raise TracelabError(f"a value is named by itself, its node, its name or a module path, not {_kind(key)}")
    name = key.removeprefix("%")
    for value in graph.values():
        if value.name == name or (value.path and value.path == name):
            return (value,)
    return _module_end(graph, name).outputs


def find_node(graph: Graph, key: Key) -> int:
    """The index of the node that `key` names: itself, the maker of a value, or a module's last node."""
    if isinstance(key, Node):
        return node_index(graph, key)
    if isinstance(key, str):
        name = key.removeprefix("%")
        for index, node in enumerate(graph.nodes):
            if any(value.name == name for value in node.outputs):
                return index
        if any(value.name == name or (value.path and value.path == name) for value in graph.inputs):
            raise TracelabError(f"`{key}` is an input of the graph: no node makes it")
        return node_index(graph, _module_end(graph, name))
    values = find_values(graph, key)
    if values[0].node is None:
        raise TracelabError(f"%{values[0].name} is an input of the graph: no node makes it")
    return node_index(graph, values[0].node)


def module_start(graph: Graph, key: Key) -> int:
    """The index of the node from which to run: a node, a value's maker, or the first node of a module."""
    if isinstance(key, str) and not any(value.name == key.removeprefix("%") for value in graph.values()):
        for index, node in enumerate(graph.nodes):
            if _inside(node, key):
                return index
    return find_node(graph, key)


def node_index(graph: Graph, node: Node) -> int:
    """Where the node stands; `TracelabError` for a node of another graph."""
    for index, other in enumerate(graph.nodes):
        if other is node:
            return index
    raise TracelabError(f"{node.kind} is not a node of this graph: it belongs to another trace")


def place(node: Node) -> str:
    """A node in a sentence: `aten::linear (%fc1, in fc1, model.py:12)`."""
    parts = [f"%{node.outputs[0].name}"] if node.outputs else []
    if node.scope is not None and node.scope.path:
        parts.append(f"in {node.scope.path}")
    if node.source is not None:
        parts.append(short_place(node.source))
    return f"{node.kind} ({', '.join(parts)})" if parts else node.kind


def names_of(values: Iterable[Value], most: int = 4) -> str:
    """`%a, %b and 3 more`."""
    names = [f"%{value.name}" for value in values]
    rest = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + rest


def _inside(node: Node, path: str) -> bool:
    found = node.scope.path if node.scope is not None else ""
    return bool(path) and (found == path or found.startswith(path + "."))


def _module_end(graph: Graph, path: str) -> Node:
    for node in reversed(graph.nodes):
        if node.outputs and node.kind != CONSTANT and _inside(node, path):
            return node
    known = [value.name for value in graph.values()] + [scope.path for scope in graph.scopes() if scope.path]
    close = difflib.get_close_matches(path, known, 1)
    hint = f"; did you mean `{close[0]}`?" if close else ""
    raise TracelabError(f"no value or module of the graph is called `{path}`{hint}")


def _kind(item: object) -> str:
    return type(item).__name__
