"""Which call of a graph raised, told by the line of generated code that did, and what clashed in it."""

from __future__ import annotations

import linecache
from typing import Any

from torch import Tensor

from tracelab.execute.codegen.code import Code
from tracelab.graph.ir import Node, Value
from tracelab.graph.source import short_place
from tracelab.graph.text.clashes import clash, within
from tracelab.graph.types import tensor_type


def failed_call(error: BaseException, code: Code) -> str:
    """Where a call of a trace raised, and what clashed there, as a sentence; empty where no line tells."""
    trace, found = error.__traceback__, None
    while trace is not None:
        if trace.tb_frame.f_globals is code.namespace:
            found = trace
        trace = trace.tb_next
    if found is None:
        return ""
    frame = found.tb_frame
    line = linecache.getline(frame.f_code.co_filename, found.tb_lineno)
    node = _maker(code, line.partition(" = ")[0].strip())
    if node is None:
        return ""

    def type_of(value: Value) -> Any:
        held = frame.f_locals.get(code.name(value), code.namespace.get(code.name(value)))
        return tensor_type(held) if isinstance(held, Tensor) else value.type

    place = f" at {short_place(node.source)}" if node.source is not None else ""
    why = clash(node, error, type_of)
    if why:
        return f"it raised in {node.kind}{place}: {why}"
    return f"it raised in {node.kind}{place} {within(node.scope)}".rstrip()


def _maker(code: Code, target: str) -> Node | None:
    """The node that makes the first name that a line binds."""
    name = target.partition(",")[0]
    value = code.value_of(name) if name.isidentifier() else None
    return None if value is None else value.node
