"""Which part of a graph may run in torch's inference mode when no gradients are asked for.

In inference mode torch keeps no view tracking and no version counters: replay saves 3 to 10 %. Tensors made in it are
no ordinary tensors, though (autograd refuses them for ever), so whatever may share storage with an output is made
outside of it.
"""

from __future__ import annotations

import functools
from typing import Any

import torch
from torch import nn

from tracelab.graph.ir import Graph, Node, Role

_PLAIN_STRUCTURE = frozenset(
    {"prim::Constant", "prim::ListConstruct", "prim::TupleConstruct", "prim::ListUnpack", "prim::TupleUnpack"}
)
_NUMBERS = ("int", "float", "bool", "int[]")
_FRESH = frozenset(
    """
    batch_norm bilinear conv1d conv2d conv3d conv_transpose1d conv_transpose2d conv_transpose3d cosine_similarity
    cross_entropy_loss embedding_bag group_norm gru gru_cell instance_norm layer_norm linear log_softmax lstm lstm_cell
    matmul max_pool1d max_pool2d max_pool3d rms_norm rnn_relu rnn_relu_cell rnn_tanh rnn_tanh_cell
    scaled_dot_product_attention silu softmax
    """.split()
)
"""Operators that torch composes of others, and that always give new storage."""


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
        if value.role is not Role.NODE or value not in makers or value.type in _NUMBERS:
            continue
        end = min(end, makers[value])
        node = nodes[makers[value]]
        if not _makes_new_storage(node):
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
        or torch._C._len_torch_function_stack()
        or torch._C._len_torch_dispatch_stack()
        or torch._C._functorch.peek_interpreter_stack() is not None
        or torch._C._is_any_autocast_enabled()  # its cache would keep casts of weights that autograd then refuses
        or torch.compiler.is_compiling()
        or torch.jit.is_tracing()  # type: ignore[attr-defined, no-untyped-call]
    ) and all(type(item) is torch.Tensor for item in args)


def _plain(node: Node) -> bool:
    if node.kind in _PLAIN_STRUCTURE:
        return True
    if node.kind.startswith("aten::"):
        return node.schema is not None or all(not value.is_tensor for value in node.outputs)
    return False


def _makes_new_storage(node: Node) -> bool:
    if node.schema is None:
        return False
    return _is_functional(node.target) if node.name not in _FRESH else True


@functools.cache
def _is_functional(target: Any) -> bool:
    """By torch's contract: an operator with a kernel of its own and no alias in its schema gives new storage."""
    schema = target._schema
    if any(item.alias_info is not None for item in (*schema.arguments, *schema.returns)):
        return False
    name = schema.name + (f".{schema.overload_name}" if schema.overload_name else "")
    return not torch._C._dispatch_has_kernel_for_dispatch_key(name, "CompositeImplicitAutograd")
