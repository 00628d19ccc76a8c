"""Floating-point operations of operators: torch's formulas, and those that torch lacks."""

from __future__ import annotations

from typing import Any

import torch


def flop_counter() -> Any:
    """A `FlopCounterMode` that also knows grouped matrix products, by which mixtures of experts run."""
    from torch.utils.flop_counter import FlopCounterMode

    return FlopCounterMode(display=False, custom_mapping=_formulas())


def _formulas() -> dict[Any, Any]:
    found = {}
    for namespace, name in (("aten", "_grouped_mm"), ("transformers", "grouped_mm_fallback")):
        packet = getattr(getattr(torch.ops, namespace), name, None)
        if packet is not None:
            found[packet] = grouped_mm_flops
    return found


def grouped_mm_flops(a: Any, b: Any, *rest: Any, out_shape: Any = None, **options: Any) -> int:
    """FLOPs of a grouped matrix product: two for each multiplication and addition.

    Groups are along one dimension that both or one of the factors have: rows of the first (tokens, sorted by expert),
    columns of the second, or the dimension that is summed over.

    >>> grouped_mm_flops((10, 4), (3, 4, 5))
    400
    """
    if len(a) == 3 and len(b) == 2:
        return int(2 * a[-2] * a[-1] * b[-1])
    size = 1
    for n in a:
        size *= n
    return int(2 * size * b[-1])
