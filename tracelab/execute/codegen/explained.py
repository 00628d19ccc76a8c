"""What a replay that raised says beside the error itself: what did not hold, where it raised, what it was traced on."""

from __future__ import annotations

from typing import Any

import torch

from tracelab.errors import AssumptionError, InputError
from tracelab.execute.codegen.caught_errors import is_caught
from tracelab.execute.codegen.failed_calls import failed_call, failed_node
from tracelab.execute.codegen.guards import GuardMonitor
from tracelab.graph.ir import Node
from tracelab.graph.source import short_place
from tracelab.graph.types import TensorType, tensor_type


def raise_explained(error: Exception, replay: Any, given: tuple[Any, ...]) -> None:
    """Where an assumption did not hold in the call that raised, raise that, from the error that it led to.

    Another error is noted to come from a trace, with the operator that raised, and with the inputs that are not like
    those that it was recorded on.
    """
    monitor: GuardMonitor = replay.monitor
    violation, monitor.violation = monitor.violation, ""
    if violation and not isinstance(error, AssumptionError):
        raise AssumptionError(f"{violation}; it raised {type(error).__name__}: {error}") from error
    if not isinstance(error, InputError):
        node = failed_node(error, replay.code) if replay.policy.on_violation != "ignore" else None
        if node is not None and is_caught(node):
            raise AssumptionError(_caught(node, error, monitor.name)) from error
        _note_inputs(error, monitor, given)
        where = failed_call(error, replay.code)
        if where:
            error.add_note(where)


def _caught(node: Node, error: Exception, name: str) -> str:
    place = f"{short_place(node.source)}: `{node.source.text.strip()}`" if node.source is not None else ""
    return (
        f"{node.name} raised no error when {name} was traced ({place}) and raises one at this call, inside of a "
        f"`try` of the code, so that the trace does not know how it goes on: trace again on such an input; it raised "
        f"{type(error).__name__}: {error}"
    )


def _note_inputs(error: Exception, monitor: GuardMonitor, given: tuple[Any, ...]) -> None:
    parts = []
    for value, tensor in zip(monitor.graph.user_inputs, given, strict=False):
        if isinstance(value.type, TensorType) and isinstance(tensor, torch.Tensor):
            then, now = value.type, tensor_type(tensor)
            if isinstance(now, TensorType) and then.short != now.short:
                parts.append(f"{value.name}: {then.short}, and is called with {now.short}")
    if parts:
        error.add_note(f"{monitor.name} is a trace, which may not fit: it was recorded on {'; on '.join(parts)}")
