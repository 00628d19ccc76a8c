"""What the code asks of the user's own attributes of its inputs: `x.scale`, `hasattr(x, "mask")`."""

from __future__ import annotations

from collections.abc import Iterable
from types import CodeType, FunctionType
from typing import Any

import torch

from tracelab.capture.analysis.type_comparisons import parts_of
from tracelab.capture.recording.state import RecordingState
from tracelab.capture.recording.wrappers import note_parts
from tracelab.capture.values import is_wrapper_of_torch
from tracelab.graph.assumptions import ABSENT, ATTRIBUTE, Assumption, AssumptionKind, attribute_of
from tracelab.graph.by_code import by_code
from tracelab.graph.ir import Value
from tracelab.graph.source import Source

_OF_BUFFERS = frozenset({"_is_buffer", "persistent"})
_ASKING = frozenset({"hasattr", "getattr", "AttributeError", "Exception"})
_Given = list[tuple[torch.Tensor, Value]]


def attributes_of_inputs(recorder: RecordingState, inputs: _Given) -> list[tuple[Value, dict[str, Any]]]:
    """Those that there are before the code runs; tensors among them are read of the input at each call."""
    found = []
    for tensor, value in inputs:
        table = vars(tensor)
        if not table or is_wrapper_of_torch(tensor):
            continue
        if type(tensor) is torch.Tensor:
            note_parts(recorder, tensor, value)
        found.append((value, {name: attribute_of(tensor, name) for name in table.keys() - _OF_BUFFERS}))
    return found


def may_miss_attributes(functions: Iterable[FunctionType]) -> bool:
    """Whether some code may go on where a tensor has no attribute of a name."""
    return any(_asks(function.__code__) for function in functions)


@by_code
def _asks(code: CodeType) -> bool:
    return any(not _ASKING.isdisjoint(part.co_names) for part in parts_of(code))


def assume_attributes(
    recorder: RecordingState, before: list[tuple[Value, dict[str, Any]]], functions: Iterable[FunctionType]
) -> None:
    """Assume what the attributes are that the code names, and that there is none where it found none."""
    named = named_in(recorder, functions) if before else frozenset[str]()
    for value, table in before:
        for name in sorted(table.keys() & named):
            _assume(recorder, value, name, table[name], None)
    for value, name, source in recorder.missed:
        _assume(recorder, value, name, ABSENT, source)


def named_in(recorder: RecordingState, functions: Iterable[FunctionType]) -> frozenset[str]:
    """The names and texts of the code that led to operators, and of what it reaches."""
    # By identity: Python hashes a code object by reading all of it.
    codes = {id(code): code for source in recorder.sources() for code, _ in source.stack}
    codes.update((id(function.__code__), function.__code__) for function in functions)
    return frozenset[str]().union(*map(_words_of, codes.values()))


@by_code
def _words_of(code: CodeType) -> frozenset[str]:
    """The names in a code object, and its texts: `getattr(x, "scale")`."""
    texts = (item for part in parts_of(code) for item in part.co_consts if type(item) is str)
    return frozenset(texts).union(*(part.co_names for part in parts_of(code)))


def _assume(recorder: RecordingState, value: Value, name: str, constant: object, source: Source | None) -> None:
    if recorder.first_assumed(value, f"{ATTRIBUTE} {name}"):
        recorder.graph.assumptions.append(
            Assumption(AssumptionKind.ARGUMENT, f"{{}}.{name}", constant, source, value, ATTRIBUTE)
        )
