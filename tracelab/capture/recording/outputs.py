"""What a traced function returned, as values of the graph."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import torch

from tracelab.capture.recording.dict_arguments import DictArgument
from tracelab.capture.recording.recorder import Recorder
from tracelab.errors import TracelabError
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT, DICT_CONSTRUCT, LIST_CONSTRUCT, TUPLE_CONSTRUCT
from tracelab.graph.structure import is_namedtuple

_ONLY_TENSORS = (
    "Only tensors and (possibly nested) tuples, lists and dicts of tensors can be output from traced functions, but "
    "{where} is {what}: return a tensor instead, or trace a function that takes the tensors out of it"
)


def record_output(recorder: Recorder, result: Any, strict: bool) -> Value:
    """The value of what was returned; structure becomes `prim::TupleConstruct` and its like."""
    value = _value(recorder, result, strict, "the result", 0)
    recorder.in_code = False
    return value


def _value(recorder: Recorder, item: Any, strict: bool, where: str, depth: int) -> Value:
    if isinstance(item, torch.Tensor):
        return recorder.value_of(item)
    if isinstance(item, (torch.SymInt, torch.SymFloat, torch.SymBool)):
        value = item.node.graph_value()
        if isinstance(value, Value):
            return value
        raise _unfit(where, f"{item} ({type(item.node.number).__name__})")
    if is_namedtuple(item) or isinstance(item, tuple):
        return _tuple(recorder, item, strict, where, depth)
    if isinstance(item, list):
        return _list(recorder, item, strict, where, depth)
    if isinstance(item, Mapping):
        if isinstance(item, DictArgument):
            item.note_all()
        return _dict(recorder, item, strict, where, depth)
    if item is None and (depth or not strict):
        node = _add(recorder, CONSTANT, (), "NoneType")
        return node.outputs[0]
    raise _unfit(where, _described(item))


def _unfit(where: str, what: str) -> TracelabError:
    return TracelabError(_ONLY_TENSORS.format(where=where, what=what))


def _described(item: Any) -> str:
    if item is None:
        return "None"
    text = repr(item)
    return f"{text if len(text) < 40 else text[:37] + '...'} ({type(item).__name__})"


def _tuple(recorder: Recorder, item: tuple[Any, ...], strict: bool, where: str, depth: int) -> Value:
    parts = [_value(recorder, child, strict, f"{where}[{index}]", depth + 1) for index, child in enumerate(item)]
    types = ", ".join(str(part.type) for part in parts)
    node = _add(recorder, TUPLE_CONSTRUCT, tuple(parts), f"({types})")
    if is_namedtuple(item):
        node.target = type(item)
        node.set_attribute("fields", list(type(item)._fields))  # type: ignore[attr-defined]
        node.set_attribute("class", type(item).__name__)
    return node.outputs[0]


def _list(recorder: Recorder, item: list[Any], strict: bool, where: str, depth: int) -> Value:
    if strict:
        for index, child in enumerate(item):
            if not isinstance(child, torch.Tensor):
                what = f"{_described(child)} inside a list"
                raise _unfit(f"{where}[{index}]", what)
        recorder.warn(
            "output",
            f"Encountering a list at the output of the tracer might cause the trace to be incorrect: the trace is "
            f"specialized on its length ({len(item)}). Return a tuple, or pass strict=False to say that this is meant.",
            len(item),
        )
    parts = [_value(recorder, child, strict, f"{where}[{index}]", depth + 1) for index, child in enumerate(item)]
    return _add(recorder, LIST_CONSTRUCT, tuple(parts), "Tensor[]").outputs[0]


def _dict(recorder: Recorder, item: Mapping[Any, Any], strict: bool, where: str, depth: int) -> Value:
    if strict:
        raise TracelabError(
            "Encountering a dict at the output of the tracer might cause the trace to be incorrect: the trace is "
            "specialized on its keys. Return a tuple or named tuple, pass strict=False to say that this is meant, or "
            f"trace a function that takes out what you want: lambda *args: f(*args)[{_first_tensor(item)!r}]."
        )
    parts: list[Any] = []
    for key, child in item.items():
        if isinstance(key, torch.Tensor):
            parts.append(recorder.value_of(key))
        else:
            parts.append(key)
        label = "a tensor key" if isinstance(key, torch.Tensor) else repr(key)
        parts.append(_value(recorder, child, strict, f"{where}[{label}]", depth + 1))
    node = _add(recorder, DICT_CONSTRUCT, tuple(parts), "Dict(str, Tensor)")
    if type(item) not in (dict, DictArgument):
        node.target = type(item)
        node.set_attribute("class", type(item).__name__)
    return node.outputs[0]


def _first_tensor(item: Mapping[Any, Any]) -> Any:
    return next((key for key, child in item.items() if isinstance(child, torch.Tensor)), "…")


def _add(recorder: Recorder, kind: str, args: tuple[Any, ...], type_: str) -> Node:
    node = Node(kind, None, args, None, (), recorder.graph.root)
    node.outputs = (Value(node.name.lower().removesuffix("construct"), type_, node),)
    recorder.nodes.append(node)
    return node
