"""What was traced, in another floating dtype: its code recorded anew on the meta device."""

from __future__ import annotations

import copy
import warnings
from typing import Any

import torch
from torch import Tensor, nn

from tracelab.capture.call import CallArguments, record_call
from tracelab.errors import InputError, TracelabError
from tracelab.execute.origin import Origin
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.tree import rebuild_all
from tracelab.graph.types import TensorType


def names_dtype(graph: Graph, dtype: torch.dtype) -> bool:
    """Whether a node has the dtype among its arguments, where code may have written `x.dtype`."""
    return any(_holds(dtype, node.args) or _holds(dtype, node.kwargs) for node in graph.nodes)


def _holds(dtype: torch.dtype, item: Any) -> bool:
    if isinstance(item, dict):
        item = list(item.values())
    return item is dtype or (isinstance(item, (list, tuple)) and any(_holds(dtype, child) for child in item))


def recorded_in(
    dtype: torch.dtype, before: torch.dtype, traced: Graph, origin: Origin | None, name: str
) -> tuple[Graph, nn.Module, list[Tensor]]:
    """The Python code recorded anew in another dtype without data, the module behind it, and its inputs.

    Raises:
        InputError: It cannot be; the message says why.
    """
    words = str(dtype).removeprefix("torch.")
    try:
        if origin is None or origin.examples is None or not isinstance(origin.python, nn.Module):
            raise TracelabError("there is no Python module behind it")
        model = in_dtype(origin.python, dtype)
        examples = [_like(item, dtype) if isinstance(item, Tensor) else item for item in origin.examples]
        with torch.no_grad(), warnings.catch_warnings():
            warnings.simplefilter("ignore")
            call = _call(traced, examples)
            graph, _, _ = record_call(model, {"": model}, call, origin.strict, origin.force_outplace)
    except Exception as error:
        # Whatever the model says to a call in another dtype.
        text = " ".join(str(error).split())[:200]
        raise InputError(
            f"{name} was recorded in {str(before).removeprefix('torch.')}, which its graph "
            f"names, and cannot be recorded in {words} ({text}): build it with dtype=torch.{words} and trace that"
        ) from error
    return graph, model, examples


def _call(graph: Graph, examples: list[Tensor]) -> CallArguments:
    """The arguments of a call, from its tensors."""
    tree, made = input_tree_of(graph), iter(examples)
    items = rebuild_all(tree.trees, made)
    positional = len(items) - tree.keyword_only
    keywords = dict(zip(tree.names[positional:], items[positional:], strict=True))
    return CallArguments(tuple(items[:positional]), keywords)


def _like(tensor: Tensor, dtype: torch.dtype) -> Tensor:
    return torch.empty_like(tensor, device="meta", dtype=dtype if tensor.is_floating_point() else tensor.dtype)


def in_dtype(model: nn.Module, dtype: torch.dtype) -> nn.Module:
    """A copy of a module on the meta device, with another floating dtype."""
    memo: dict[int, Any] = {}
    for tensor in (*model.parameters(), *model.buffers()):
        like = _like(tensor, dtype)
        memo[id(tensor)] = nn.Parameter(like, tensor.requires_grad) if isinstance(tensor, nn.Parameter) else like
    return copy.deepcopy(model, memo)


def main_dtype(graph: Graph, state: dict[Value, Tensor]) -> torch.dtype:
    """The floating dtype of most elements of the state, else of the first input that has one."""
    counts: dict[torch.dtype, int] = {}
    for tensor in state.values():
        if tensor.is_floating_point():
            counts[tensor.dtype] = counts.get(tensor.dtype, 0) + tensor.numel()
    types = (value.type for value in graph.user_inputs)
    floats = (item.dtype for item in types if isinstance(item, TensorType) and item.dtype.is_floating_point)
    return max(counts, key=counts.__getitem__, default=next(floats, torch.get_default_dtype()))
