"""Undo: a call that finds in its middle that an assumption does not hold leaves what it wrote as it was.

Only code that writes to what outlives the call, and checks an assumption after that, keeps anything: each tensor just
before its first write, and the state of generators before they are drawn from. What code that stays one node writes
beside the tensors that it is given, and gradients of tensors that the graph does not hold, are not seen.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import torch
from torch import Tensor

from tracelab.execute.generators import torch_generators
from tracelab.execute.tensor_face import TensorFace
from tracelab.graph.aliasing import Aliasing, is_random, runs_backward, written_values
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import REQUIRES_GRAD, SET_ATTRIBUTE, SET_GRAD


class UndoPlan:
    """Which lines keep what, in the code of one graph.

    `first` go before all nodes, `before` before single ones; `guarded` are the values that assumptions are about.
    """

    def __init__(self, graph: Graph, guarded: set[Value]) -> None:
        self.first: list[Callable[[Callable[[Value], str]], str]] = []
        self.before: dict[Node, list[Callable[[Callable[[Value], str]], str]]] = {}
        checks = [index for index, node in enumerate(graph.nodes) if not guarded.isdisjoint(node.outputs)]
        checks += [position - 1 for position, node in graph.guard_nodes if not guarded.isdisjoint(node.outputs)]
        nodes = graph.nodes[: max(checks, default=-1) + 1]
        if not nodes:
            return
        memory = Aliasing(graph)
        for node in nodes:
            lines = list(_lines(node, memory))
            if lines:
                self.before[node] = lines
        if any(runs_backward(node) or node.traits.opaque for node in nodes):
            held = [value for value in (*graph.inputs, *graph.state) if value.is_tensor]
            self.first.append(_call("gradients", list(dict.fromkeys(held))))
        drawing = next((node for node in nodes if is_random(node) or node.traits.opaque), None)
        if drawing is not None:
            self.before.setdefault(drawing, []).append(lambda name: "undo.random()")

    def __bool__(self) -> bool:
        return bool(self.first or self.before)


def _lines(node: Node, memory: Aliasing) -> Iterator[Callable[[Callable[[Value], str]], str]]:
    if node.kind == SET_ATTRIBUTE:
        path = node.attributes["name"]
        yield lambda name: f"undo.buffer(set_buffer, {path!r}, get_buffer({path!r}))"
    elif node.kind == SET_GRAD:
        yield _call("gradients", list(node.inputs[:1]))
    else:
        written = list(node.inputs[:1]) if node.kind == REQUIRES_GRAD else written_values(node)
        kept = [value for value in dict.fromkeys(written) if memory.escaped(value)]
        if kept:
            yield _call("keep", kept)


def _call(method: str, values: list[Value]) -> Callable[[Callable[[Value], str]], str]:
    return lambda name: f"undo.{method}({', '.join(map(name, values))})"


class Undo:
    """What one call has kept."""

    __slots__ = ("_buffers", "_faces", "_generators", "_tensors")

    def __init__(self) -> None:
        self._faces: dict[int, TensorFace] = {}
        self._tensors: dict[int, tuple[Tensor, Tensor]] = {}
        self._buffers: list[tuple[Callable[[str, Any], None], str, Any]] = []
        self._generators: list[tuple[Callable[[Any], Any], Any]] = []

    def keep(self, *items: Any) -> None:
        """Tensors, or lists of them, that are about to be written to."""
        for item in items:
            if isinstance(item, (list, tuple)):
                self.keep(*item)
            elif isinstance(item, torch.Generator):
                self._generators.append((item.set_state, item.get_state()))
            elif isinstance(item, Tensor) and id(item) not in self._tensors:
                self._face(item)
                self._tensors[id(item)] = item, item.detach().clone()

    def gradients(self, *items: Any) -> None:
        """Tensors whose gradients are about to be written to."""
        for item in items:
            if isinstance(item, Tensor) and item.is_leaf and item.requires_grad:
                self._face(item)
                self.keep(item.grad)

    def buffer(self, write: Callable[[str, Any], None], path: str, before: Any) -> None:
        """A buffer that is about to be another tensor."""
        self._buffers.append((write, path, before))

    def random(self) -> None:
        """Random numbers are about to be drawn."""
        self._generators += ((put, get()) for get, put in torch_generators())

    def _face(self, tensor: Tensor) -> None:
        if id(tensor) not in self._faces:
            self._faces[id(tensor)] = TensorFace.of(tensor)

    def restore(self) -> None:
        """Put it all back."""
        with torch.no_grad():
            for write, path, before in reversed(self._buffers):
                write(path, before)
            for face in self._faces.values():
                face.restore()
            for tensor, values in reversed(self._tensors.values()):
                tensor.copy_(values)
        for put, state in reversed(self._generators):
            put(state)
