"""What runs a region, by its names in files: transforms of `torch.func`, and operators that take functions.

Each is a function of tensors and of the functions that it is given; none of them imports, writes or reads anything.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch

from tracelab.compat.functorch import (
    FUNCTIONALIZE,
    GRAD,
    GRAD_AND_VALUE,
    HESSIAN,
    JACFWD,
    JACREV,
    JVP,
    VMAP,
    apis,
    eager,
)
from tracelab.compat.operators import HigherOrderOperator, higher_order_operator
from tracelab.graph.callables.higher_order import OperatorCall, TransformCall

_OF_NESTED = ("scaled_dot_product_attention", "rms_norm", "flatten", "Tensor.flatten")

CALLED: Mapping[str, Callable[..., Any]] = {
    "vmap": getattr(apis, VMAP),
    "grad": getattr(eager, GRAD),
    "grad_and_value": getattr(eager, GRAD_AND_VALUE),
    "jvp": getattr(eager, JVP),
    "scaled_dot_product_attention": torch.nn.functional.scaled_dot_product_attention,
    "rms_norm": torch.rms_norm,
    "flatten": torch.flatten,
    "Tensor.flatten": torch.Tensor.flatten,
}
"""What is called with the function and its arguments at once."""

NEED_NO_FUNCTION = tuple(function for name, function in CALLED.items() if name in _OF_NESTED)
"""What is a region for other reasons: torch computes it of nested tensors in Python."""

MAKERS: Mapping[str, Callable[..., Any]] = {
    name: getattr(eager, name) for name in (JACREV, JACFWD, HESSIAN, FUNCTIONALIZE)
}
"""What makes a function, which is called with the arguments."""

OPERATORS = frozenset(
    "cond while_loop while_loop_stack_output map_impl scan associative_scan flex_attention invoke_quant_packed".split()
)
"""Higher-order operators that do nothing but call the functions that they are given."""


def name_of(target: Any) -> str | None:
    """The name of what runs a region; None for what no file names."""
    if isinstance(target, OperatorCall):
        return f"operator {target.__name__}" if target.__name__ in OPERATORS else None
    if isinstance(target, TransformCall):
        return target.__name__ if MAKERS.get(target.__name__) is target.transform else None
    return next((name for name, function in CALLED.items() if function is target), None)


def called(name: str, options: tuple[Any, ...], named: dict[str, Any]) -> Callable[..., Any] | None:
    """What runs the region of that name; None for an unknown one, or where this torch has no such operator."""
    if name in MAKERS:
        return TransformCall(MAKERS[name], name, options, named)
    kind, _, short = name.partition(" ")
    if kind == "operator" and short in OPERATORS:
        operator = higher_order_operator(short)
        return None if operator is None else OperatorCall(_call, operator)
    return CALLED.get(name)


_operator: Any = HigherOrderOperator
_call: Callable[..., Any] = _operator.__call__
