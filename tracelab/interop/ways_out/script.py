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
from tracelab.graph.aliasing import runs_backward
from tracelab.graph.callables.higher_order import run_region
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.kinds import ARGUMENT, SET_ATTRIBUTE
from tracelab.interop.ways_out.arguments import arguments_of
from tracelab.interop.ways_out.fx_graph import spelled
from tracelab.interop.ways_out.refusals import ExportError, named, reason_of, refused


class Scripted(nn.Module):
    """Runs a graph's code, which asks for sizes as TorchScript sees it."""

    def __init__(self, graph: Graph, state: Mapping[Value, Tensor], module: fx.GraphModule) -> None:
        super().__init__()
        code = optimized_code(graph)
        text = code.text
        for name, value in code.constants.items():
            # TorchScript takes constants without gradients only.
            code.namespace[name] = state[value].detach()
        self._run = compile_code(code, text)
        self._parameters.update(module._parameters)
        self._buffers.update(module._buffers)
        self._modules.update(module._modules)
        self._paths = [(spelled(value.path), state[value].detach()) for value in state_inputs(graph)]

    def _given(self, args: tuple[Any, ...]) -> Any:
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


def _with_names(names: list[str]) -> type[Scripted]:
    """A class whose `forward` has these arguments, as the script then has."""
    namespace: dict[str, Any] = {}
    exec(f"def forward({', '.join(['self', *names])}):\n    return self._given(({', '.join(names)},))\n", namespace)
    return type("Scripted", (Scripted,), {"forward": namespace["forward"]})


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
    """The graph as `torch.jit.trace` records it; sizes stay computed, and arguments keep their names.

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
        if runs_backward(node):
            raise refused(
                f"{named(node)} computes gradients", node, "TorchScript does not: trace the forward pass alone"
            )
        if node.kind == SET_ATTRIBUTE:
            raise refused(
                f"the trace sets the buffer `{node.attributes['name']}`", node, "write to it in place, or use export"
            )
        if node.target is run_region:
            raise refused(
                f"{named(node)} holds a function",
                node,
                "TorchScript would record what it does for this example: use export",
            )
    arguments = arguments_of(graph)
    every = [*args, *kwargs.values()]
    # An argument without a tensor is a constant: TorchScript takes tensors only.
    taken = [at for at, item in enumerate(every) if _has_tensor(item)]
    _refuse_mixed(graph, [every[at] for at in taken])
    try:
        with warnings.catch_warnings(), _kept(graph, state):
            warnings.simplefilter("ignore")
            runner = _with_names([arguments.names[at] for at in taken])(graph, state, module)
            return trace(runner, tuple(every[at] for at in taken), check_trace=False, strict=False)
    except Exception as error:
        reason = reason_of(error)
        if "cannot infer type of" in reason:
            reason = "its result is no tensor, nor a list, tuple or dict of tensors alone; return a tuple of tensors"
        raise ExportError(f"TorchScript cannot hold this trace: {reason}; use export") from error


def tensors_of(args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> list[Any]:
    """The arguments of a call that a script takes, in order."""
    return [item for item in (*args, *kwargs.values()) if _has_tensor(item)]


def _has_tensor(item: Any) -> bool:
    return any(isinstance(leaf, Tensor) for leaf in pytree.tree_leaves(item))


def _refuse_mixed(graph: Graph, taken: list[Any]) -> None:
    for item in taken:
        odd = next((leaf for leaf in pytree.tree_leaves(item) if not isinstance(leaf, (Tensor, type(None)))), None)
        if odd is not None:
            raise ExportError(
                f"an argument holds tensors and {odd!r}, and TorchScript takes tensors only: trace a function that "
                "takes the tensors by themselves, or use export"
            )
