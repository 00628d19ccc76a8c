"""What a call was given, as short text: `%x`, `[1, 1]`, `torch.float32`."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable
from typing import Any

import torch

from tracelab.compat import script
from tracelab.graph.callables.script_call import ScriptCall
from tracelab.graph.ir import Node, Value

LONGEST = 120
"""Characters of one argument's text; what is longer ends in an ellipsis."""
_MOST_ITEMS = 16
_PLAIN = (torch.dtype, torch.device, torch.layout, torch.memory_format)
# Reads that are no operators of the registry and that Python gives no signature for.
_READS = {"aten::size": ("self", "dim"), "aten::numel": ("self",), "aten::item": ("self",)}


def arguments(node: Node) -> list[tuple[str, str]]:
    """Pairs of name and text for every argument that the call gave.

    >>> graph, _ = tracelab.trace_graph(torch.nn.Linear(2, 1), torch.ones(1, 2))
    >>> arguments(graph.nodes[0])
    [('input', '%input'), ('weight', '%weight'), ('bias', '%bias')]
    """
    given = []
    if "name" in node.attributes:
        # Which Python function, script function or script module it is that the one node stands for.
        given.append(("name", str(node.attributes["name"])))
    return given + [(name, text_of(item)) for name, item in given_arguments(node)]


def given_arguments(node: Node) -> list[tuple[str, Any]]:
    """Pairs of name and item for every argument, as the call gave them."""
    if node.schema is not None:
        args, kwargs = node.args, node.kwargs or {}
        return [
            (name, args[index] if index < len(args) else kwargs[name])
            for index, (name, _) in enumerate(_declared(node.target))
            if index < len(args) or name in kwargs
        ]
    names = _READS.get(node.kind) or parameter_names(node.target)
    given = [(names[index] if index < len(names) else f"arg{index}", item) for index, item in enumerate(node.args)]
    return given + list((node.kwargs or {}).items())


def filled_arguments(node: Node) -> list[tuple[str, Any]]:
    """The same, with what the call left out filled in from the schema: two spellings of one call are equal.

    >>> graph, _ = tracelab.trace_graph(lambda x: x.softmax(1), torch.ones(1, 2))
    >>> [(name, item) for name, item in filled_arguments(graph.nodes[0]) if name != "self"]
    [('dim', 1), ('dtype', None)]
    """
    if node.schema is None:
        return given_arguments(node)
    args, kwargs = node.args, node.kwargs or {}
    return [
        (name, args[index] if index < len(args) else kwargs.get(name, default))
        for index, (name, default) in enumerate(_declared(node.target))
    ]


@functools.lru_cache(maxsize=4096)
def _declared(target: Any) -> tuple[tuple[str, Any], ...]:
    """Name and default of each argument of an operator; reading them from the schema each time is slow."""
    return tuple((argument.name, argument.default_value) for argument in target._schema.arguments)


def parameter_names(target: Any) -> tuple[str, ...]:
    """The positional parameters of what a node runs; empty where Python does not tell."""
    if target is None:
        return ()
    owner = getattr(target, "__self__", None)
    if isinstance(owner, type) and issubclass(owner, torch.autograd.Function):
        return _signature(owner.forward)[1:]
    if isinstance(target, ScriptCall):
        return (*target.names, *script.parameter_names(target.module))
    if script.is_module(target):
        # Its class has no `forward` of its own.
        return script.parameter_names(target)
    if isinstance(target, torch.nn.Module):
        return _signature(type(target).forward)[1:]
    schema = getattr(target, "schema", None)
    if isinstance(schema, torch.FunctionSchema):
        return tuple(argument.name for argument in schema.arguments)
    return _signature(target)


def _signature(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        return _cached_signature(function)
    except TypeError:  # not hashable
        return ()


@functools.lru_cache(maxsize=1024)
def _cached_signature(function: Callable[..., Any]) -> tuple[str, ...]:
    try:
        parameters = inspect.signature(function).parameters.values()
    except (TypeError, ValueError):
        return ()
    wanted = (inspect.Parameter.POSITIONAL_ONLY, inspect.Parameter.POSITIONAL_OR_KEYWORD)
    return tuple(parameter.name for parameter in parameters if parameter.kind in wanted)


def text_of(item: Any, sigil: str = "%") -> str:
    """One argument as text that never holds an address, whatever its type is; `sigil` stands before names of values."""
    text = _text(item, 0, sigil)
    return text if len(text) <= LONGEST else text[: LONGEST - 1] + "…"


def _text(item: Any, depth: int, sigil: str) -> str:
    if isinstance(item, Value):
        return sigil + item.name
    if isinstance(item, str):
        return repr(item if len(item) <= LONGEST else item[:LONGEST])
    if item is None or isinstance(item, (bool, int, float, complex)):
        # Subclasses (enumerations, NumPy's float64) may print as they like: the plain number is stable.
        return repr(item) if type(item).__module__ == "builtins" else type(item).__name__
    if isinstance(item, torch.device):
        return repr(str(item))
    if isinstance(item, _PLAIN):
        return str(item)
    if depth > 4:
        return "…"
    if isinstance(item, (list, tuple)):
        parts = _items(item, depth, sigil)
        if isinstance(item, list):
            return f"[{parts}]"
        return f"({parts},)" if len(item) == 1 else f"({parts})"
    if isinstance(item, dict):
        pairs = [
            f"{_text(key, depth + 1, sigil)}: {_text(item[key], depth + 1, sigil)}" for key in list(item)[:_MOST_ITEMS]
        ]
        return "{" + ", ".join(pairs) + (", …" if len(item) > _MOST_ITEMS else "") + "}"
    if isinstance(item, slice):
        ends = ["" if end is None else _text(end, depth + 1, sigil) for end in (item.start, item.stop, item.step)]
        return ":".join(ends if ends[2] else ends[:2])
    if item is Ellipsis:
        return "..."
    name = getattr(item, "__qualname__", None)
    return name if isinstance(name, str) else f"<{type(item).__name__}>"


def _items(items: list[Any] | tuple[Any, ...], depth: int, sigil: str) -> str:
    shown = [_text(item, depth + 1, sigil) for item in items[:_MOST_ITEMS]]
    if len(items) > _MOST_ITEMS:
        shown.append(f"… {len(items)} items")
    return ", ".join(shown)
