"""Graphs put together by hand from real operators: as large as wanted, without running anything."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value, unique_names
from tracelab.graph.scope import Scope
from tracelab.graph.types import TensorType

UNARY = ("relu", "sigmoid", "tanh", "exp", "sin", "cos", "neg", "abs")
BINARY = ("add", "mul", "sub")
NUMBER = ("leaky_relu", "softmax")


@dataclass(frozen=True)
class Op:
    """One operator: what it is, how far back its inputs were made, its constant, and the module that calls it."""

    name: str
    back: tuple[int, ...] = (1,)
    constant: int | None = None
    module: str = ""
    shape: tuple[int, ...] = (2, 3)
    dtype: torch.dtype = torch.float32


def graph_from(ops: Sequence[Op], name: str = "built") -> Graph:
    """The graph of these operators one after the other; its output is what the last one made."""
    graph = Graph(name)
    first = Value("x", _type((2, 3), torch.float32), None, Role.INPUT)
    graph.inputs = [first]
    made = [first]
    scopes: dict[str, Scope] = {"": graph.root}
    for op in ops:
        packet = getattr(torch.ops.aten, op.name)
        overload = "Tensor" if op.name in BINARY else "int" if op.name == "softmax" else "default"
        args: list[object] = [made[max(0, len(made) - back)] for back in op.back]
        if op.constant is not None:
            args.append(op.constant)
        kind = f"aten::{op.name}"
        shown = "" if overload == "default" else overload
        node = Node(kind, getattr(packet, overload), tuple(args), scope=_scope(scopes, op.module), overload=shown)
        value = Value(op.name, _type(op.shape, op.dtype), node)
        node.outputs = (value,)
        made.append(value)
        graph.nodes.append(node)
    graph.outputs = [made[-1]]
    unique_names(graph.values())
    return graph


def _type(shape: tuple[int, ...], dtype: torch.dtype) -> TensorType:
    return TensorType(dtype, shape, None, torch.device("cpu"))


def _scope(scopes: dict[str, Scope], path: str) -> Scope:
    if path not in scopes:
        parent = _scope(scopes, path.rpartition(".")[0])
        scopes[path] = Scope(path, "Block", parent)
    return scopes[path]
