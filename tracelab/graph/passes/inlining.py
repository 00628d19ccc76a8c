"""Inlining: the operators of a called script function in place of the call."""

from __future__ import annotations

import re
from typing import Any, TypeVar

import torch

from tracelab.graph.data import GraphData, rename
from tracelab.graph.ir import Node, Value, unique_names
from tracelab.graph.kinds import CALL_FUNCTION, CONSTANT, LIST_CONSTRUCT, TUPLE_CONSTRUCT
from tracelab.graph.lint import verified
from tracelab.graph.text.printer import TORCH_TYPES, from_number

G = TypeVar("G", bound=GraphData)
_ANYTHING = re.compile(r"\bt(Key|Val)?\b")
"""A variable in the type of an argument."""


def inline(graph: G) -> G:
    """Put the operators of script functions in place of the nodes that call them.

    A script function with branches or loops stays one call: its graph has blocks, which this IR has not. So does one
    that changes a list, looks into one, prints, or asks for a dtype.

    Returns:
        The same graph.
    """
    renamed: dict[Value, Value] = {}
    nodes: list[Node] = []
    places: list[int] = []
    for node in graph.nodes:
        places.append(len(nodes))
        rename(node, renamed)
        body = _body(node) if node.kind == CALL_FUNCTION else None
        if body is None:
            nodes.append(node)
            continue
        inner, results = body
        nodes.extend(inner)
        for old, new in zip(node.outputs, results, strict=True):
            new.type = old.type
            renamed[old] = new
    places.append(len(nodes))
    graph.renumber(places)
    graph.rename_in_guards(renamed)
    graph.nodes[:] = nodes
    graph.outputs[:] = [renamed.get(value, value) for value in graph.outputs]
    unique_names(graph.values())
    return verified(graph)


def _body(call: Node) -> tuple[list[Node], list[Value]] | None:
    """The nodes that a call stands for, and its results; None where it cannot be taken apart."""
    script = getattr(call.target, "inlined_graph", None)
    if script is None or call.kwargs:
        return None
    table: dict[str, Any] = {}
    parameters = list(script.inputs())
    if len(parameters) != len(call.args):
        return None
    for parameter, item in zip(parameters, call.args, strict=True):
        table[parameter.debugName()] = item
    nodes: list[Node] = []
    for script_node in script.nodes():
        if list(script_node.blocks()):
            return None
        outputs = list(script_node.outputs())
        kind = script_node.kind()
        if kind == CONSTANT:
            table[outputs[0].debugName()] = outputs[0].toIValue()
            continue
        args = [table[value.debugName()] for value in script_node.inputs()]
        if kind in (LIST_CONSTRUCT, TUPLE_CONSTRUCT):
            table[outputs[0].debugName()] = args if kind == LIST_CONSTRUCT else tuple(args)
            continue
        target = _target(kind, script_node)
        if target is None or _is_for_lists(target):
            return None
        arguments = target._schema.arguments
        if len(args) > len(arguments):
            return None
        types = [str(argument.real_type).removeprefix("Optional[").removesuffix("]") for argument in arguments]
        if any(type_ in TORCH_TYPES and isinstance(item, Value) for type_, item in zip(types, args, strict=False)):
            # A dtype that is only known as the script runs is a number there, which Python does not take.
            return None
        args = [from_number(type_, item) for type_, item in zip(types, args, strict=False)]
        positional = sum(1 for argument in arguments if not argument.kwarg_only)
        names = [argument.name for argument in arguments[positional:]]
        kwargs = dict(zip(names, args[positional:], strict=False)) or None
        node = Node(kind, target, tuple(args[:positional]), kwargs, (), call.scope, call.source)
        node.overload = target._schema.overload_name
        node.outputs = tuple(Value(value.debugName(), str(value.type()), node) for value in outputs)
        table.update(zip((value.debugName() for value in outputs), node.outputs, strict=True))
        nodes.append(node)
    results = [table[value.debugName()] for value in script.outputs()]
    if len(results) != len(call.outputs) or not all(isinstance(item, Value) for item in results):
        return None
    return nodes, results


def _is_for_lists(target: Any) -> bool:
    """Whether an operator takes a list of anything, which Python cannot give it, or changes one, which is no value."""
    for argument in target._schema.arguments:
        if _ANYTHING.search(str(argument.type)):
            return True
        changes = argument.alias_info is not None and argument.alias_info.is_write and argument.alias_info.before_set
        if changes and argument.type.kind() in ("ListType", "DictType"):
            return True
    return False


def _target(kind: str, script_node: Any) -> Any:
    namespace, _, name = kind.partition("::")
    try:
        _, _, overload = script_node.schema().partition("(")[0].partition(".")
        packet = getattr(getattr(torch.ops, namespace), name)
        return getattr(packet, overload or "default")
    except (AttributeError, RuntimeError):
        return None
