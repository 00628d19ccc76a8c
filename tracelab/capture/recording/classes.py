"""The classes of the inputs, where the code compares classes in a way that tracing does not see."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from types import CodeType, FunctionType
from typing import Any

import torch

from tracelab.capture.analysis.libraries import is_library
from tracelab.capture.analysis.type_comparisons import (
    OF_DTYPES,
    asks_for_classes,
    compares_types,
    parts_of,
    reads_class,
    tells_classes_apart,
    tensor_classes,
)
from tracelab.capture.recording.state import RecordingState
from tracelab.capture.values import PLAIN_TENSORS, is_wrapper_of_torch
from tracelab.graph.assumptions import AssumptionKind
from tracelab.graph.ir import Value
from tracelab.graph.source import Source
from tracelab.graph.types import TensorType

_MARKED: dict[str, type] = {"parameter": torch.nn.Parameter, "buffer": torch.nn.Buffer}
_NAMED = "type({}).__name__"
_Comparison = tuple[str, Source | None]
"""How an input's class is asked (see `tracelab.graph.assumptions.READS`), and where the code compares it."""


def assume_classes(
    recorder: RecordingState,
    inputs: list[tuple[torch.Tensor, Value]],
    functions: Iterable[FunctionType],
    dispatched: set[type],
    result: Any,
) -> None:
    """Assume of each input which class it has, where the code compares classes, or where it has one of its own.

    Args:
        recorder: The recording.
        inputs: The tensors that the code was given, each with its value.
        functions: What the traced code reaches: the comparison may stand in one that leads to no operator.
        dispatched: The classes that functions of `functools.singledispatch` tell apart.
        result: What the code returned: the name of a class may be part of it.
    """
    for tensor, value in inputs:
        if type(tensor) not in PLAIN_TENSORS and not is_wrapper_of_torch(tensor):
            # Results have the class, too, and its rules may have had a part in what was recorded.
            recorder.assume_at(AssumptionKind.CLASS, "subclass", value, type(tensor).__name__, None, _NAMED)
    comparisons = [
        *_on_stacks(recorder),
        *(item for function in functions if tells_classes_apart(function.__code__) for item in _named_in(function)),
        *_asked_of(dispatched, None),
        *_in_texts(inputs, functions, result),
    ]
    if not comparisons:
        return
    for source in [source for asked, source in comparisons if asked == "dtype"][:1]:
        for _, value in inputs:
            if isinstance(value.type, TensorType):
                # Asked of the tensor, they would be noted here.
                recorder.assume_at(AssumptionKind.DTYPE, "dtype", value, value.type.dtype, source, "{}.dtype")
                recorder.assume_at(AssumptionKind.DEVICE, "device", value, value.type.device, source, "{}.device")
    for test in ("buffer", "class", "subclass", "parameter"):
        sources = [source for asked, source in comparisons if asked == test]
        if not sources:
            continue
        source = sources[0]
        for tensor, value in inputs:
            if test in _MARKED:
                # Python knows a parameter's class, and torch a buffer's mark; `isinstance` tells both.
                found: bool | str = isinstance(tensor, _MARKED[test])
                subject = f"isinstance({{}}, {_MARKED[test].__name__})"
            else:
                name = type(tensor).__name__
                found = "Tensor" if test == "subclass" and type(tensor) in PLAIN_TENSORS else name
                subject = _NAMED
            recorder.assume_at(AssumptionKind.CLASS, test, value, found, source, subject)
        if test == "class":
            # It says all that the others do.
            return


def _on_stacks(recorder: RecordingState) -> Iterator[_Comparison]:
    """Comparisons in code that led to an operator."""
    # By identity: Python hashes a code object by reading all of it.
    codes = {id(code): code for source in recorder.sources() for code, _ in source.stack}
    for code in filter(tells_classes_apart, codes.values()):
        if compares_types(code) >= 0 and not is_library(code):
            yield "class", _at(code, compares_types(code))
        elif reads_class(code) >= 0 and not is_library(code):
            yield "subclass", _at(code, reads_class(code))


def _named_in(function: FunctionType) -> Iterator[_Comparison]:
    """Comparisons with a class of tensors that a function names."""
    for code in parts_of(function.__code__):
        compared, asked, read = compares_types(code), asks_for_classes(code), reads_class(code)
        if compared < 0 <= read:
            yield "subclass", _at(code, read)
        if compared < 0 and asked < 0:
            continue
        classes = tensor_classes(function, code)
        if compared >= 0 and classes:
            yield "class", _at(code, compared)
        if asked >= 0:
            yield from _asked_of(classes, _at(code, asked))


def _asked_of(classes: set[type], source: Source | None) -> Iterator[_Comparison]:
    """What tells objects of these classes from others."""
    tensors = {cls for cls in classes if isinstance(cls, type) and issubclass(cls, torch.Tensor)}
    if not tensors.issubset((*PLAIN_TENSORS, torch.nn.Buffer)):
        yield "subclass", source
    if any(type(cls) is OF_DTYPES for cls in classes):
        yield "dtype", source
    if torch.nn.Parameter in tensors:
        yield "parameter", source
    if torch.nn.Buffer in tensors:
        yield "buffer", source


def _in_texts(
    inputs: list[tuple[torch.Tensor, Value]], functions: Iterable[FunctionType], result: Any
) -> Iterator[_Comparison]:
    """A text among the results that names the class of an input, where the code asks for such names."""
    names = {type(tensor).__name__ for tensor, _ in inputs}
    if not any(name in text for text in _texts(result, set()) for name in names):
        return
    for function in functions:
        for code in parts_of(function.__code__):
            if {"type", "__class__"} & set(code.co_names):
                yield "class", None
                return


def _texts(result: Any, seen: set[int]) -> Iterator[str]:
    if isinstance(result, str):
        yield result
    elif isinstance(result, (tuple, list, dict)) and id(result) not in seen:
        seen.add(id(result))
        for part in result.values() if isinstance(result, dict) else result:
            yield from _texts(part, seen)


def _at(code: CodeType, offset: int) -> Source:
    return Source(((code, offset),))
