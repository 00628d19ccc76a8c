"""A graph as TorchScript, while torch has it."""

from __future__ import annotations

import contextlib
import warnings
from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor, fx, nn
from torch.utils import _pytree as pytree

from tracelab.errors import TracelabError
from tracelab.execute.codegen.code import compile_code, optimized_code, state_inputs
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.kinds import ARGUMENT, SET_ATTRIBUTE
from tracelab.interop.ways_out.fx_graph import spelled
from tracelab.interop.ways_out.refusals import ExportError, refused


class Scripted(nn.Module):
    """Runs a graph's code, which asks for sizes as TorchScript sees it."""

    def __init__(self, graph: Graph, state: Mapping[Value, Tensor], module: fx.GraphModule) -> None:
        super().__init__()
        code = optimized_code(graph)
        self._run = compile_code(code, code.text)
        self._parameters.update(module._parameters)
        self._buffers.update(module._buffers)
        self._modules.update(module._modules)
        self._paths = [(spelled(value.path), state[value]) for value in state_inputs(graph)]

    def forward(self, *args: Any) -> Any:
        return self._run(*(leaf for leaf in pytree.tree_leaves(args) if isinstance(leaf, Tensor)), *self._state())

    def _state(self) -> list[Tensor]:
        found = []
        for path, tensor in self._paths:
            owner, _, name = path.rpartition(".")
            try:
                part = self.get_submodule(owner)
            except AttributeError:
                part = None
            found.append(getattr(part, name, tensor) if part is not None and name else tensor)
        return found


@contextlib.contextmanager
def _kept(graph: Graph, state: Mapping[Value, Tensor]) -> Iterator[None]:
    """What the recording writes into the state is undone: the script starts where the module stands."""
    writes = any(
        argument.alias_info is not None and argument.alias_info.is_write
        for node in graph.nodes
        if node.schema is not None
        for argument in node.schema.arguments
    )
    # Statistics of a batch norm are written without a word in its schema; parameters never are.
    held = [tensor for tensor in state.values() if writes or not isinstance(tensor, nn.Parameter)]
    before = [tensor.detach().clone() for tensor in held]
    try:
        yield
    finally:
        with torch.no_grad():
            for tensor, old in zip(held, before, strict=True):
                if not torch.equal(tensor, old):
                    tensor.copy_(old)


def scripted(
    graph: Graph, state: Mapping[Value, Tensor], module: fx.GraphModule, args: tuple[Any, ...], kwargs: dict[str, Any]
) -> Any:
    """The graph as `torch.jit.trace` records it; sizes stay computed, and arguments are given by position.

    Raises:
        TracelabError: This torch has no TorchScript any more.
        ExportError: TorchScript cannot hold it.
    """
    trace = getattr(getattr(torch, "jit", None), "trace", None)
    if trace is None:
        raise TracelabError("this torch has no TorchScript: use export, to_onnx or to_package")
    for node in graph.nodes:
        if node.kind == ARGUMENT:
            raise refused(
                f"the number `{node.args[0]}` is an argument", node, "TorchScript records tensors only: use export"
            )
        if node.kind == SET_ATTRIBUTE:
            raise refused(
                f"the trace sets the buffer `{node.attributes['name']}`", node, "write to it in place, or use export"
            )
    try:
        with warnings.catch_warnings(), _kept(graph, state):
            warnings.simplefilter("ignore")
            runner = Scripted(graph, state, module)
            return trace(runner, (*args, *kwargs.values()), check_trace=False, strict=False)
    except Exception as error:
        first = next((line for line in str(error).splitlines() if line.strip()), type(error).__name__)
        raise ExportError(f"TorchScript cannot hold this trace: {first.strip()[:300]}; use export") from error
