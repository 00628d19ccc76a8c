"""Graphs as plain data: what a JSON file of the zoo holds, and the few questions that edits ask of it.

    {"name": ..., "inputs": [{"id", "role", "path", "dtype", "shape"}], "outputs": [value],
     "nodes": [{"id", "op", "inputs": [value], "attributes": {name: constant},
                "outputs": [{"dtype", "shape"}], "scope"}]}

Nodes stand in the order in which they ran. A value is `"x0"` for an input and `"n7:0"` for the first output of `n7`.
`scope` is the module call in which a node ran, by its path (`encoder.layer.0.attention`), and empty outside of all.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

Plain = dict[str, Any]
ZOO = Path(__file__).parent / "zoo"


def names() -> list[str]:
    return sorted(path.stem for path in ZOO.glob("*.json"))


def read(name: str) -> Plain:
    data: Plain = json.loads((ZOO / f"{name}.json").read_text(encoding="utf-8"))
    return data


def maker(value: str) -> str:
    """The node that made a value, or the input itself."""
    return value.partition(":")[0]


def first_output(node: Plain) -> str:
    return f"{node['id']}:0"


def by_id(graph: Plain) -> dict[str, Plain]:
    return {node["id"]: node for node in graph["nodes"]}


def readers(graph: Plain, node: str) -> list[Plain]:
    """The nodes that read any output of a node."""
    return [other for other in graph["nodes"] if any(maker(value) == node for value in other["inputs"])]


def is_state(graph: Plain) -> set[str]:
    """The ids of parameters and buffers."""
    return {given["id"] for given in graph["inputs"] if given["role"] != "input"}


def inside(node: Plain, scope: str) -> bool:
    return bool(node["scope"] == scope or node["scope"].startswith(scope + "."))


def scopes(graph: Plain) -> Iterator[str]:
    """Every module path in which a node stands, outer ones too, in order."""
    seen = set()
    for node in graph["nodes"]:
        parts = node["scope"].split(".") if node["scope"] else []
        for count in range(1, len(parts) + 1):
            path = ".".join(parts[:count])
            if path not in seen:
                seen.add(path)
                yield path


def layers(graph: Plain) -> dict[str, list[str]]:
    """Lists of layers, by what stands before their numbers: `{"h": ["h.0", "h.1"]}`; two at least, from 0 on."""
    found: dict[str, list[str]] = {}
    for path in scopes(graph):
        prefix, _, last = path.rpartition(".")
        if last.isdigit() and int(last) == len(found.setdefault(prefix, [])):
            found[prefix].append(path)
    return {prefix: paths for prefix, paths in found.items() if len(paths) > 1}


def doing(graph: Plain, scope: str) -> list[Any]:
    """What a module does, without names: equal for two layers that are alike."""
    return [
        [node["op"], node["attributes"], node["outputs"], node["scope"][len(scope) :]]
        for node in graph["nodes"]
        if inside(node, scope)
    ]
