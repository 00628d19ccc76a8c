"""What an operator would make of recorded types: the types of a node that was put into a graph by hand."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from tracelab.graph.ir import Value, collect_values, map_values
from tracelab.graph.types import TensorType, Type

_EXAMPLES: dict[Type, Any] = {"int": 2, "float": 2.0, "bool": True}


def result_types(target: Any, args: tuple[Any, ...], kwargs: Mapping[str, Any]) -> tuple[Type, ...]:
    """The type of each output of an operator, found by running it on tensors without data.

    Args:
        target: An overload of torch's registry.
        args: Its arguments; values stand for tensors of their recorded shape and dtype.
        kwargs: Its arguments by keyword.

    Returns:
        One type for each output; `Tensor` where the operator cannot be run so.
    """
    returns = target._schema.returns
    unknown = tuple(_word(item) for item in returns)
    devices: list[torch.device] = []
    try:
        with torch.no_grad():
            result = target(
                *map_values(args, lambda value: _example(value, devices)),
                **map_values(dict(kwargs), lambda value: _example(value, devices)),
            )
    except (RuntimeError, NotImplementedError, TypeError, ValueError):
        return unknown
    results = result if len(returns) > 1 else (result,)
    device = devices[0] if devices else None
    differentiable = any(_requires_grad(value) for value in (*_values(args), *_values(dict(kwargs))))
    return tuple(
        TensorType(
            item.dtype,
            tuple(item.shape),
            item.stride(),
            device or item.device,
            differentiable and (item.dtype.is_floating_point or item.dtype.is_complex),
        )
        if isinstance(item, torch.Tensor)
        else word
        for item, word in zip(results, unknown, strict=True)
    )


def _values(item: Any) -> list[Value]:
    found: list[Value] = []
    collect_values(item, found)
    return found


def _requires_grad(value: Value) -> bool:
    return isinstance(value.type, TensorType) and value.type.requires_grad


def _example(value: Value, devices: list[torch.device]) -> Any:
    if isinstance(value.type, TensorType):
        devices.append(value.type.device)
        if value.type.stride is None:
            raise NotImplementedError
        return torch.empty_strided(value.type.shape, value.type.stride, dtype=value.type.dtype, device="meta")
    if value.type in _EXAMPLES:
        return _EXAMPLES[value.type]
    raise NotImplementedError


def _word(returned: Any) -> str:
    return {"List[Tensor]": "Tensor[]"}.get(str(returned.type), str(returned.type))
