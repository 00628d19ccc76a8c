"""The traced module of a part of a graph, and what its inputs are in a run of the whole."""

from __future__ import annotations

import copy
from collections.abc import Iterable, Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor, nn

from tracelab.errors import TracelabError
from tracelab.execute.codegen.code import state_inputs
from tracelab.execute.module import ReplayModule, TracedSubmodule
from tracelab.execute.observed_state import observe
from tracelab.execute.run.lookup import find_node, find_values, module_start
from tracelab.execute.run.start import prepared
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.part import Part

M = TypeVar("M", bound=ReplayModule)


def span_of(graph: Graph, first: Any, last: Any) -> tuple[int, int]:
    """The places of the nodes that two keys name, or that ran in the first call of one module."""
    if last is not None:
        start, end = module_start(graph, first), find_node(graph, last)
        if end < start:
            raise TracelabError(f"there is nothing from {first!r} to {last!r}: the second comes first")
        return start, end + 1
    if not isinstance(first, str) or any(value.name == first.removeprefix("%") for value in graph.values()):
        at = find_node(graph, first)
        return at, at + 1
    scope = next((scope for scope in graph.scopes() if scope.path == first), None)
    if scope is None:
        find_values(graph, first)
    inside = [index for index, node in enumerate(graph.nodes) if _is_in(node, scope)]
    if not inside:
        raise TracelabError(f"no node of the graph ran in `{first}`")
    return inside[0], inside[-1] + 1


def _is_in(node: Node, scope: Any) -> bool:
    above = node.scope
    while above is not None and above is not scope:
        above = above.parent
    return above is scope


def recorded_inputs(
    traced: Any, part: Part, args: tuple[Any, ...], kwargs: Mapping[str, Any], method: str
) -> list[Tensor]:
    """Copies of what the part is given in a run of the whole, with their strides."""
    run = prepared(traced, args, kwargs, method=method, record=part.taken)
    run.advance(part.first)
    found = []
    memo: dict[int, Any] = {}
    for value, written in zip(part.taken, part.written, strict=True):
        # One that is written to up to the part, and used in it, is there as it is then.
        held = run._at.values[run.program.code.slots[value]] if run._at is not None else None
        item = held if held is not None else run[value]
        copied = copy.deepcopy(item.detach(), memo)
        wants = value.is_tensor and value.type.requires_grad and not written  # type: ignore[union-attr]
        found.append(copied.requires_grad_() if wants and copied.is_floating_point() else copied)
    return found


def module_of_graph(
    cls: type[M],
    name: str,
    graph: Graph,
    state: Mapping[str, Tensor],
    whole: nn.Module | None,
    devices: Mapping[torch.device, torch.device],
) -> M:
    """A traced module with the parameters and buffers of one graph alone, under the names that they have.

    `whole` is the traced module that has them, from which classes and modes are taken.
    """
    module = cls(name, {"forward": graph})
    module.training = whole.training if whole is not None else True
    classes = {scope.path: scope.class_name for scope in graph.scopes()}
    wanted: Iterable[str] = [path for item in graph.assumptions for path in item.paths if path]
    for path in wanted:
        if whole is not None and path in dict(whole.named_modules()):
            _below(module, path, classes, whole)
    for value in state_inputs(graph):
        tensor = state.get(value.path)
        owner, _, last = value.path.rpartition(".")
        if tensor is None or not last:
            continue
        graph.state[value] = tensor
        below = _below(module, owner, classes, whole)
        table: dict[str, Any] = below._parameters if isinstance(tensor, nn.Parameter) else below._buffers
        table[last] = tensor
    observe(module, module._changes)
    replay = module._run("forward").replay
    replay.namespace.update({at: devices.get(device, device) for at, device in replay.code.devices.items()})
    return module


def _below(module: nn.Module, path: str, classes: Mapping[str, str], whole: nn.Module | None) -> nn.Module:
    found, so_far = module, ""
    for part in path.split(".") if path else ():
        so_far = f"{so_far}.{part}" if so_far else part
        if found._modules.get(part) is None:
            twin = TracedSubmodule(classes.get(so_far) or "Module")
            like = dict(whole.named_modules(remove_duplicate=False)).get(so_far) if whole is not None else None
            if isinstance(like, TracedSubmodule):
                twin._class_name, twin.training = like._class_name, like.training
            found._modules[part] = twin
        found = found._modules[part]  # type: ignore[assignment]
    return found


def current_state(graph: Graph, state: Mapping[Value, Tensor]) -> dict[str, Tensor]:
    """Tensors behind parameters and buffers by their paths."""
    return {value.path: state[value] for value in state_inputs(graph) if value in state}
