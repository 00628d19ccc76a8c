"""Checks that several values pass: `if x.dim() not in (3, 4): raise`, `assert n == 1 or n == 3`.

That one of them is there is the assumption, not which one: arithmetic beside the graph asks it.
"""

from __future__ import annotations

from collections.abc import Collection
from dataclasses import replace
from types import FrameType
from typing import Any

from torch import Tensor

from tracelab.capture.analysis.assertion_branches import is_read_to_check
from tracelab.capture.analysis.passing import Passing, passing, passing_sizes
from tracelab.capture.recording.part import Recording, add_node
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.intrinsics import CONTAINS, DIM, SIZE, UNARY, Intrinsic
from tracelab.graph.ir import Value
from tracelab.graph.source import Source, is_inner


def assume_listed(
    recording: Recording, tensor: Tensor, read: Intrinsic, candidates: Collection[Any], frame: FrameType
) -> bool:
    """Note that what the code reads of a tensor passes a check; False where it may decide more than that.

    Of a check that did not pass, whose error the code caught, it is noted that it does not.

    Args:
        recording: The recording.
        tensor: A traced tensor.
        read: How it is read.
        candidates: Every value that there is.
        frame: The frame that reads it.
    """
    # Of a branch on a dtype, the dtype is the assumption: what follows of it is more than the way that was taken.
    now = {"now": read.function(tensor)} if read is DIM else {}
    found = None if is_inner(frame.f_code) else passing(frame, candidates, **now)
    if found is None:
        return False
    others = tuple(item for item in candidates if item not in found.values)
    fits = found.values
    if read.function(tensor) in others:
        fits, others, found = others, fits, replace(found, truth=not found.truth, raises=True)
    if len(fits) < 2 and not is_read_to_check(frame):
        return False
    value = recording.value_of(tensor)
    if others and recording.first_assumed(value, f"{read.name} of {found.text}"):
        negated = len(others) < len(fits)
        source = recording.source(frame)
        made = add_node(recording, read, (value,), "int", source)
        _assume(recording, made, list(others if negated else fits), negated, found, source)
    return True


def assume_size_listed(recording: Recording, compared: Value, frame: FrameType, *, branches: bool = False) -> bool:
    """Note that a size passes a check, of which a comparison is a part that was made; False where that is not known.

    `branches` says that it may be an `if` whose ways both go on.
    """
    numbers = (compared,) if compared.type == "int" else compared.node.inputs if compared.node is not None else ()
    if len(numbers) != 1 or numbers[0].type != "int" or is_inner(frame.f_code):
        return False
    maker = numbers[0].node
    now = next(
        (item.number for ref in reversed(recording.numbers) if (item := ref()) and item.value is numbers[0]), None
    )
    if now is None:
        return False
    check = passing_sizes(frame, maker is None or maker.target is not SIZE.function, now)
    if check is None or (check[0].raises and not branches):
        return False
    found, negated = check
    if (now in found.values) is negated:
        # The code catches the error.
        found, negated = replace(found, truth=not found.truth, raises=True), not negated
    if recording.first_assumed(numbers[0], found.text):
        _assume(recording, numbers[0], list(found.values), negated, found, recording.source(frame))
    return True


def _assume(
    recording: Recording, value: Value, listed: list[Any], negated: bool, check: Passing, source: Source | None
) -> None:
    made = add_node(recording, CONTAINS, (listed, value), "bool", source)
    if check.truth is negated:
        made = add_node(recording, UNARY["sym_not"], (made,), "bool", source)
    kind = AssumptionKind.BRANCH if check.raises else AssumptionKind.CHECK
    recording.graph.assumptions.append(Assumption(kind, check.text, check.truth, source, made, "bool"))
