"""What one call of an operator costs at one size: operations, and bytes read and written."""

from __future__ import annotations

import functools
from typing import Any, NamedTuple

import torch
from torch import Tensor

from tracelab.compat.operators import OpOverload
from tracelab.execute.estimate.items import spec_of
from tracelab.execute.measure.flops import flop_counter
from tracelab.execute.measure.memory import tensors_in
from tracelab.graph.aliasing import is_view

_GATHERS = frozenset({"embedding", "index_select", "index", "gather", "take", "take_along_dim"})
"""Operators that read of their first tensor as much as they give."""

_GROUPED = frozenset({"aten::_grouped_mm", "transformers::grouped_mm_fallback"})

_NAMESPACES = ("aten::", "prims::", "prim::")


def call_counted(target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[Any, int]:
    """What a call gives, and its floating-point operations by torch's formulas (`torch.utils.flop_counter`).

    They count matrix products, convolutions and attention: two for each multiplication and addition. Elementwise
    operators, reductions and reads count nothing.
    """
    if isinstance(target, OpOverload) and counts_nothing(target):
        return target(*args, **kwargs), 0
    counter = flop_counter()
    with counter:
        result = target(*args, **kwargs)
    return result, int(counter.get_total_flops())


@functools.lru_cache(maxsize=4096)
def counts_nothing(target: OpOverload) -> bool:
    """Whether an operator is elementwise or a view, so that it has no formula."""
    return torch.Tag.pointwise in target.tags or is_view(target)


def is_unknown(kind: str, target: Any, flops: int) -> bool:
    """Whether it is code of others for which there is no formula: it may do operations that are not counted."""
    return not flops and (not isinstance(target, OpOverload) or not kind.startswith(_NAMESPACES))


class Grouped(NamedTuple):
    """Weights by group, of which a product reads those of groups that have rows: at most one for each row."""

    rows: int
    groups: int
    bytes: int
    """Of one group."""


def bytes_moved(
    kind: str, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any], result: Any
) -> tuple[int, Grouped | None]:
    """Bytes that a call reads and writes (each input and output once, nothing for a view), and weights by group.

    Reads by index read what they give.
    """
    if not isinstance(target, OpOverload) or is_view(target):
        return 0, None
    inputs = [spec_of(tensor).bytes for tensor in tensors_in([*args, *kwargs.values()])]
    outputs = sum(spec_of(tensor).bytes for tensor in tensors_in(result))
    grouped = None
    if inputs and kind.rpartition("::")[2] in _GATHERS:
        inputs[0] = outputs
    elif kind in _GROUPED and _of_experts(args):
        groups = args[1].shape[0]
        grouped = Grouped(args[0].shape[0], groups, inputs[1] // groups)
        inputs[1] = 0
    return sum(inputs) + outputs, grouped


def _of_experts(args: tuple[Any, ...]) -> bool:
    factors = args[:2]
    return len(factors) == 2 and all(isinstance(item, Tensor) for item in factors) and args[1].dim() == 3
