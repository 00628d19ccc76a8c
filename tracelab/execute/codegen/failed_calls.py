"""Which call of a graph raised, told by the line of generated code that did, and what clashed in it."""

from __future__ import annotations

import linecache
from types import FrameType
from typing import Any

from torch import Tensor

from tracelab.execute.codegen.code import Code
from tracelab.graph.ir import Node, Value
from tracelab.graph.source import short_place
from tracelab.graph.text.clashes import clash, within
from tracelab.graph.types import tensor_type


def failed_call(error: BaseException, code: Code) -> str:
    """Where a call of a trace raised, and what clashed there, as a sentence; empty where no line tells."""
    node, frame = _failed(error, code)
    if node is None or frame is None:
        return ""

    def type_of(value: Value) -> Any:
        held = frame.f_locals.get(code.name(value), code.namespace.get(code.name(value)))
        return tensor_type(held) if isinstance(held, Tensor) else value.type

    place = f" at {short_place(node.source)}" if node.source is not None else ""
    why = clash(node, error, type_of)
    if why:
        return f"it raised in {node.kind}{place}: {why}"
    return f"it raised in {node.kind}{place} {within(node.scope)}".rstrip()


def failed_node(error: BaseException, code: Code) -> Node | None:
    """The call of a trace that raised; None where no line tells."""
    return _failed(error, code)[0]


def _failed(error: BaseException, code: Code) -> tuple[Node | None, FrameType | None]:
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_globals is code.namespace:
            found = trace
        trace = trace.tb_next
    if found is None:
        return None, None
    frame = found.tb_frame
    line = linecache.getline(frame.f_code.co_filename, found.tb_lineno)
    return _maker(code, line.partition(" = ")[0].strip()), frame


def _maker(code: Code, target: str) -> Node | None:
    """The node that makes the first name that a line binds."""
    name = target.partition(",")[0]
    value = code.value_of(name) if name.isidentifier() else None
    return None if value is None else value.node
