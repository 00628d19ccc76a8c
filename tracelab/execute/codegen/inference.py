"""Which part of a graph may run in torch's inference mode when no gradients are asked for.

In inference mode torch keeps no view tracking and no version counters: replay saves 3 to 10 %. Tensors made in it are
no ordinary tensors, though (autograd refuses them for ever), so whatever may share storage with an output is made
outside of it.
"""

from __future__ import annotations

from typing import Any

import torch
from torch import nn

from tracelab.compat import script
from tracelab.compat.modes import any_autocast, dispatch_modes, function_modes, innermost_transform
from tracelab.graph.aliasing import makes_new_storage
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role
from tracelab.graph.kinds import (
    CONSTANT,
    DEVICE,
    DTYPE,
    FINFO,
    LIST_CONSTRUCT,
    LIST_UNPACK,
    TUPLE_CONSTRUCT,
    TUPLE_UNPACK,
)

_PLAIN_STRUCTURE = frozenset(
    {CONSTANT, LIST_CONSTRUCT, TUPLE_CONSTRUCT, LIST_UNPACK, TUPLE_UNPACK, DTYPE, DEVICE, FINFO}
)
_NUMBERS = ("int", "float", "bool", "int[]", "Device")


def inference_region(graph: Graph) -> int:
    """How many of the first nodes can run in inference mode; 0 for none.

    The region ends before the first node whose result may be, or be a view of, an output. A graph that does more than
    call torch's own operators on plain tensors has none, nor has one that writes in place after the region.
    """
    if not all(type(tensor) in (torch.Tensor, nn.Parameter) for tensor in graph.state.values()):
        return 0
    nodes = graph.nodes
    if not all(_plain(node) for node in nodes):
        return 0
    makers = {value: index for index, node in enumerate(nodes) for value in node.outputs}
    end = len(nodes)
    pending, seen = list(graph.outputs), set(graph.outputs)
    while pending:
        value = pending.pop()
        if value.role is not Role.COMPUTED or value not in makers or value.type in _NUMBERS:
            continue
        end = min(end, makers[value])
        node = nodes[makers[value]]
        if not makes_new_storage(node):
            fresh = [item for item in node.inputs if item not in seen]
            seen.update(fresh)
            pending += fresh
    if any(node.schema is not None and node.schema.is_mutable for node in nodes[end:]):
        return 0
    return end


def may_use_inference(args: tuple[Any, ...]) -> bool:
    """Whether this moment allows it: gradients off, plain tensors, and nobody who watches or transforms the calls."""
    return not (
        torch.is_grad_enabled()
        or torch.is_inference_mode_enabled()
        or function_modes()
        or dispatch_modes()
        or innermost_transform() is not None
        or any_autocast()  # its cache would keep casts of weights that autograd then refuses
        or torch.compiler.is_compiling()
        or script.is_tracing()
    ) and all(type(item) is torch.Tensor for item in args)


def _plain(node: Node) -> bool:
    if node.kind in _PLAIN_STRUCTURE:
        return True
    if node.kind.startswith("aten::"):
        return node.schema is not None or all(not value.is_tensor for value in node.outputs)
    return False
