"""What is said of several recordings in one line."""

from __future__ import annotations

from typing import Any

from tracelab.graph.types import TensorType, counted


def recordings_part(traced: Any) -> str:
    """For the end of a `repr`: how many recordings there are, or which of them it is; empty where there is one."""
    cases = traced.cases
    if len(cases) < 2:
        return ""
    number = _number(traced, cases)
    return f", {counted(len(cases), 'recording')}" if number == 1 else f", recording {number} of {len(cases)}"


def recordings_line(traced: Any) -> str:
    """For the end of a summary: which of several recordings it is of, and whether values were compared; often empty."""
    cases = traced.cases
    lines = [f"recording {_number(traced, cases)} of {len(cases)}: {traced.label}"] if len(cases) > 1 else []
    if any(isinstance(value.type, TensorType) and value.type.device.type == "meta" for value in traced.graph.inputs):
        lines.append("meta tensors have no values: nothing was compared with Python")
    return "\n".join(lines)


def _number(traced: Any, cases: list[Any]) -> int:
    return next(number for number, case in enumerate(cases, 1) if case is traced)
