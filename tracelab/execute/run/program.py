"""What a run needs of a traced object: its graph, the tensors behind its state, and one function per node."""

from __future__ import annotations

import linecache
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor

from tracelab.errors import TracelabError
from tracelab.execute.beside import kept_beside
from tracelab.execute.codegen.code import Code, state_inputs
from tracelab.execute.codegen.regions import Regions
from tracelab.execute.function import ReplayFunction, held_state
from tracelab.execute.module import ReplayModule
from tracelab.graph.aliasing import Aliasing
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import REGIONS
from tracelab.graph.structure import InputTree

Step = Callable[[list[Any], Regions], None]
"""Runs one node on the values, which lie in a list; constants have none."""


class StepCode(Code):
    """One function per node, over a list `v` that holds every value at its slot."""

    def __init__(self, graph: Graph) -> None:
        self.slots: dict[Value, int] = {}
        self.lines: list[str] = []
        super().__init__(graph, optimized=True)
        self.version = graph.nodes.version
        self.memory = Aliasing(graph)
        self.regions = [index for index, node in enumerate(graph.nodes) if node.kind in REGIONS]
        self.positions = {node: index for index, node in enumerate(graph.nodes)}
        self.frees: list[tuple[int, ...]] = [
            tuple(self.slots[value] for value in self._last_uses.get(index, ()) if value in self.slots)
            for index in range(len(graph.nodes))
        ]
        self._compiled = compile(self.text, f"<tracelab steps of {graph.name}>", "exec")
        linecache.cache[self._compiled.co_filename] = (
            len(self.text),
            None,
            self.text.splitlines(keepends=True),
            self._compiled.co_filename,
        )
        self._bound: dict[tuple[Any, ...], list[Step | None]] = {}

    def name(self, value: Value) -> str:
        found = self._names.get(value)
        if found is None:
            slot = self.slots[value] = len(self.slots)
            found = self._names[value] = f"v[{slot}]"
        return found

    def _constant(self, node: Node) -> None:
        value = node.outputs[0]
        if value in self.graph.state:
            self.name(value)
        else:
            self._names[value] = "None"

    def written(self, inference: int = 0, *, guarded: bool = False, undo: Any = None, taking: bool = False) -> str:
        self._taken.add("v")
        for value in self.graph.inputs:
            self.name(value)
        self.lines = [self._line(node) for node in self.graph.nodes]
        self.result = ", ".join(self.operand(value) for value in self.graph.outputs) or "None"
        self.prefix = "step"
        while any(name.startswith(self.prefix) for name in self.namespace):
            self.prefix = "_" + self.prefix
        defined = [
            f"def {self.prefix}_{index}(v, regions):\n    {line}\n" for index, line in enumerate(self.lines) if line
        ]
        return "".join(defined) + f"def {self.prefix}_result(v):\n    return {self.result}\n"

    def functions(self, devices: dict[torch.device, torch.device]) -> list[Step | None]:
        """The function of each node, with devices that the trace wrote down exchanged; None for constants."""
        key = tuple(sorted((str(old), str(new)) for old, new in devices.items()))
        found = self._bound.get(key)
        if found is None:
            namespace = {**self.namespace, "set_buffer": _leave_buffers}
            for name, device in self.devices.items():
                namespace[name] = devices.get(device, device)
            exec(self._compiled, namespace)
            found = self._bound[key] = [namespace.get(f"{self.prefix}_{index}") for index in range(len(self.lines))]
        return found

    def outputs(self, values: list[Any]) -> Any:
        """What the graph returns, once all of it has run."""
        items = tuple(values[self.slots[value]] if value in self.slots else None for value in self.graph.outputs)
        return items[0] if len(items) == 1 else items if items else None


def _leave_buffers(name: str, tensor: Tensor) -> None:
    """A run leaves the module's buffers as they are."""


@dataclass(slots=True)
class Program:
    """A graph with everything that it takes to run it; `state` holds parameters, buffers and constants."""

    graph: Graph
    name: str
    code: StepCode
    state: dict[Value, Tensor]
    devices: dict[torch.device, torch.device]
    """Devices that the trace wrote down, and where a module that moved has them now."""

    @property
    def tree(self) -> InputTree:
        return input_tree_of(self.graph)


def program_of(traced: Any, method: str = "forward") -> Program:
    """The program of a traced function, of a method of a traced module, or of a bare graph.

    Raises `TracelabError` for anything else, and for a method that was not traced.
    """
    if isinstance(traced, Graph):
        # Refuses a graph that was read without its weights.
        held_state(traced)
        return Program(traced, traced.name, StepCode(traced), dict(traced.state), {})
    if isinstance(traced, ReplayModule):
        return _program_of_module(traced, method)
    if isinstance(traced, ReplayFunction):
        graph = traced.graph
        return Program(graph, traced.__name__, _code(traced, "", graph), dict(graph.state), {})
    raise TracelabError(f"nothing to run in {type(traced).__name__}: give a graph or what tracelab.trace returned")


def state_of(traced: Any, method: str = "forward") -> tuple[Graph, str, dict[Value, Tensor]]:
    """The graph of a traced function or of a method of a traced module, its name, and the tensors behind its state."""
    if isinstance(traced, ReplayModule):
        run = traced._run(_traced_method(traced, method))
        graph, written = run.graph, run.replay.code
        state = dict(zip(state_inputs(graph), run.state(), strict=True))
        state.update({value: run.replay.namespace[name] for name, value in written.constants.items()})
        return graph, run.name, state
    return traced.graph, traced.__name__, dict(traced.graph.state)


def graphs_of(traced: Any) -> list[Graph]:
    """The graph of a traced function, or that of each traced method of a module."""
    return list(traced._graphs.values()) if isinstance(traced, ReplayModule) else [traced.graph]


def argument_names(traced: Any, method: str = "forward") -> list[str]:
    """The names of the arguments that a traced object takes; none for a method that was not traced."""
    graphs = traced._graphs if isinstance(traced, ReplayModule) else {"forward": traced.graph}
    graph = graphs.get(method) or (next(iter(graphs.values())) if method == "forward" else None)
    return [] if graph is None else list(input_tree_of(graph).names)


def _traced_method(module: ReplayModule, method: str) -> str:
    names = list(module._graphs)
    if method not in names:
        if method != "forward" or len(names) != 1:
            raise TracelabError(f"`{method}` was not traced; traced methods: {', '.join(names)}")
        method = names[0]
    return method


def _program_of_module(module: ReplayModule, method: str) -> Program:
    method = _traced_method(module, method)
    run, written = module._run(method), module._run(method).replay.code
    graph, _, state = state_of(module, method)
    devices = {device: run.replay.namespace[name] for name, device in written.devices.items()}
    return Program(graph, run.name, _code(module, method, graph), state, devices)


def _code(owner: Any, method: str, graph: Graph) -> StepCode:
    codes = kept_beside(owner, "step code")
    code: StepCode | None = codes.get(method)
    if code is None or code.graph is not graph or code.version != graph.nodes.version:
        code = codes[method] = StepCode(graph)
    return code
