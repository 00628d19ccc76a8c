"""What capture needs to know of an operator, worked out once for each."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import torch

from tracelab.capture.values import storage_of
from tracelab.compat.operators import OpOverload, kernel_of
from tracelab.errors import TracelabError
from tracelab.graph.callables.collectives import Collective, is_collective

if TYPE_CHECKING:
    from tracelab.capture.recording.state import RecordingState


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


def refuse_writes(recorder: RecordingState, target: Any, args: tuple[Any, ...], kwargs: dict[str, Any]) -> None:
    """Raise `TracelabError` where an operator would write to a tensor from before the recording."""
    schema = getattr(target, "_schema", None)
    if schema is None or not schema.is_mutable:
        return
    written = [
        item
        for place, argument in enumerate(schema.arguments)
        if argument.alias_info is not None and argument.alias_info.is_write
        for item in _each(args[place] if place < len(args) else kwargs.get(argument.name))
    ]
    outside = {storage_of(item) for item in recorder.kept if isinstance(item, torch.Tensor)}
    if any(storage_of(item) in outside for item in written if storage_of(item) is not None):
        raise TracelabError(f"{schema.name} writes to a tensor from outside of the function")


def _each(item: Any) -> list[torch.Tensor]:
    return [part for part in (item if isinstance(item, (list, tuple)) else (item,)) if isinstance(part, torch.Tensor)]
