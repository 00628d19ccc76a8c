"""What capture needs to know of an operator, worked out once for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tracelab.compat.operators import OpOverload, kernel_of
from tracelab.graph.callables.collectives import Collective, is_collective


@dataclass(frozen=True, slots=True)
class Operator:
    """One overload of one operator."""

    target: Any
    call: Callable[..., Any]
    kind: str
    overload: str
    in_place: Operator | None = None
    """For an in-place operator, its functional form."""
    lifts_constant: bool = False
    """`lift_fresh`: how torch shows a tensor that was made from Python data."""
    collective: bool = False
    """Communication of `torch.distributed`."""


_known: dict[Any, Operator] = {}


def operator_of(target: Any) -> Operator:
    """The facts about an overload."""
    found = _known.get(target)
    if found is None:
        schema = target._schema
        overload = schema.overload_name
        functional = _functional_form(target)
        collective = is_collective(target)
        found = _known[target] = Operator(
            Collective(target) if collective else target,
            kernel_of(target) if isinstance(target, OpOverload) else target,
            schema.name,
            overload,
            operator_of(functional) if functional is not None else None,
            schema.name in ("aten::lift_fresh", "aten::lift"),
            collective,
        )
    return found


def _functional_form(target: Any) -> Any:
    namespace, _, name = target._schema.name.partition("::")
    if not name.endswith("_") or name.endswith("__"):
        return None
    packet = getattr(getattr(torch.ops, namespace), name[:-1], None)
    wanted = target._schema.overload_name or "default"
    return getattr(packet, wanted, None) if packet is not None else None
