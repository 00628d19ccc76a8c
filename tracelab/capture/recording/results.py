"""What a call gave: the outputs of its node, and the tensors and numbers inside a result of any structure."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from types import FrameType
from typing import Any

import torch

from tracelab.capture.analysis.given_back import is_kept
from tracelab.capture.recording.state import RecordingState
from tracelab.capture.recording.sym_numbers import traced_number
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.intrinsics import GET_ITEM
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import LIST_UNPACK, TUPLE_UNPACK
from tracelab.graph.types import tensor_type


def record_result(recorder: RecordingState, node: Node, result: Any) -> Any:
    """Give the node its outputs and return what the user's code sees."""
    if isinstance(result, torch.Tensor):
        value = Value(node.name, tensor_type(result), node)
        node.outputs = (value,)
        given = recorder.known(result)
        if given is not None and node.name in _GIVES_BACK and node.args and node.args[0] is given:
            _assume_given_back(recorder, node, value, result, sys._getframe(2))
        recorder.bind(result, value)
        return result
    if result is None:
        return None
    if type(result) is list or (isinstance(result, tuple) and node.schema is None):
        if node.name in _GIVES_PARTS_BACK:
            return _record_given_back(recorder, node, result, sys._getframe(2))
        return _record_sequence(recorder, node, result)
    if isinstance(result, Mapping):
        value = Value(node.name, "Any", node)
        node.outputs = (value,)
        return _pick(recorder, value, result)
    if isinstance(result, tuple):
        outputs = []
        for item in result:
            if isinstance(item, torch.Tensor):
                value = Value(node.name, tensor_type(item), node)
                recorder.bind(item, value)
            elif type(item) is list:
                whole = all(isinstance(part, torch.Tensor) for part in item)
                value = Value(node.name, "Tensor[]" if whole else "Any", node)
                (_unpack if whole else _pick)(recorder, value, item)
            else:
                value = Value(node.name, type(item).__name__, node)
            outputs.append(value)
        node.outputs = tuple(outputs)
        return result
    if isinstance(result, (int, float)):
        value = Value(node.name, type(result).__name__, node)
        node.outputs = (value,)
        return traced_number(recorder, result, value)
    value = Value(node.name, "Any", node)
    node.outputs = (value,)
    return result


def _assume_given_back(recorder: RecordingState, node: Node, value: Value, result: Any, frame: FrameType) -> None:
    """The result is the argument itself, without being written to: that depends on the argument."""
    if recorder.is_dynamic(result) and is_kept(result, recorder.user_frame(frame), recorder.boundary):
        subject = f"whether `{node.name}` gives back its argument itself"
        recorder.assume(AssumptionKind.IDENTITY, "itself", value, True, frame, subject=subject)


_GIVES_BACK = frozenset(
    """to type_as contiguous flatten atleast_1d atleast_2d atleast_3d real resolve_conj resolve_neg positive expand_as
    pin_memory squeeze_copy broadcast_to reshape cpu float double half""".split()
)
"""Operators that give back their argument where there is nothing to do."""
_GIVES_PARTS_BACK = frozenset("broadcast_tensors atleast_1d atleast_2d atleast_3d align_tensors".split())
"""Operators that do so with each of the tensors in a list."""


def _record_given_back(recorder: RecordingState, node: Node, result: Any, frame: FrameType) -> Any:
    before = [recorder.known(part) for part in result]
    given = node.args[0] if node.args and isinstance(node.args[0], list) else []
    _record_sequence(recorder, node, result)
    for part, known, argument in zip(result, before, given, strict=False):
        if known is not None and known is argument:
            _assume_given_back(recorder, node, recorder.value_of(part), part, frame)
    return result


def _record_sequence(recorder: RecordingState, node: Node, result: Any) -> Any:
    if all(isinstance(item, torch.Tensor) for item in result):
        word = "Tensor[]" if type(result) is list else "(" + ", ".join("Tensor" for _ in result) + ")"
        value = Value(node.name, word, node)
        node.outputs = (value,)
        _unpack(recorder, value, result)
    else:
        value = Value(node.name, "Any", node)
        node.outputs = (value,)
        return _pick(recorder, value, result)
    return result


def _unpack(recorder: RecordingState, whole: Value, parts: Any) -> None:
    kind = LIST_UNPACK if whole.type == "Tensor[]" else TUPLE_UNPACK
    node = Node(kind, None, (whole,), None, (), recorder.scope, whole.node.source if whole.node else None)
    outputs = []
    for part in parts:
        value = Value(whole.name, tensor_type(part), node)
        recorder.bind(part, value)
        outputs.append(value)
    node.outputs = tuple(outputs)
    recorder.nodes.append(node)
    _assume_length(recorder, whole, len(outputs))


_TAKEN_APART = {"unbind": 1, "split": 2, "chunk": 2, "unsafe_split": 2, "unsafe_chunk": 2, "tensor_split": 2}
"""Operators whose number of results depends on a size, with the place of the dimension among their arguments."""


def _assume_length(recorder: RecordingState, whole: Value, length: int) -> None:
    maker = whole.node
    if maker is None or maker.schema is None or maker.name not in _TAKEN_APART:
        return
    place = _TAKEN_APART[maker.name]
    dim = maker.args[place] if len(maker.args) > place else (maker.kwargs or {}).get("dim", 0)
    given = maker.args[0] if maker.args else None
    if isinstance(given, Value) and isinstance(dim, int) and recorder.static_sizes.holds_size(given, dim):
        return
    recorder.graph.assumptions.append(
        Assumption(AssumptionKind.LENGTH, f"the number of parts of {maker.name}", length, maker.source, whole, "len")
    )


def _pick(recorder: RecordingState, whole: Value, parts: Any) -> Any:
    """Reach the tensors and numbers inside a result of mixed structure by one node each."""
    items = dict(parts) if isinstance(parts, Mapping) else dict(enumerate(parts))
    found = {key: _part(recorder, whole, key, part) for key, part in items.items()}
    if all(found[key] is part for key, part in items.items()):
        return parts
    if isinstance(parts, tuple):
        return type(parts)(*found.values()) if hasattr(parts, "_fields") else type(parts)(found.values())
    for key, part in found.items():
        parts[key] = part
    return parts


def _part(recorder: RecordingState, whole: Value, key: Any, part: Any) -> Any:
    number = type(part) in (int, float)
    if not number and not isinstance(part, (torch.Tensor, list, tuple, Mapping)):
        return part
    node = Node(GET_ITEM.kind, GET_ITEM.function, (whole, key), None, (), recorder.scope)
    type_ = type(part).__name__ if number else tensor_type(part) if isinstance(part, torch.Tensor) else "Any"
    value = Value(whole.name, type_, node)
    node.outputs = (value,)
    recorder.nodes.append(node)
    if number:
        return traced_number(recorder, part, value)
    if isinstance(part, torch.Tensor):
        recorder.bind(part, value)
        return part
    return _pick(recorder, value, part)
