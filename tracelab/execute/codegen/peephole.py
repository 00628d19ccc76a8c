"""Cheaper spellings of the same call, for code that runs rather than is read.

torch parses the arguments of each call; a list of sizes costs it about a microsecond more than the sizes themselves,
and so does each list that only repeats the schema's default. In small models that is most of the time.
"""

from __future__ import annotations

from typing import Any

from tracelab.execute.codegen import bindings
from tracelab.graph.ir import Node, Value

SPREAD = frozenset({"expand", "permute", "repeat", "reshape", "view"})
"""Methods that take their list of sizes as arguments too: `x.view(2, n)`."""

_IDENTITY = frozenset({"aten::dropout", "aten::feature_dropout", "aten::alpha_dropout"})


def around(target: Any) -> tuple[str, str] | None:
    """The binding that torch's own Python function of that name ends in, where there is one."""
    path = bindings.LEAN.get(target._schema.name.removeprefix("aten::"))
    return None if path is None else ("function", path)


def is_identity(node: Node) -> bool:
    """Whether the node hands on its first argument itself, whatever the input: dropout outside of training."""
    return node.kind in _IDENTITY and len(node.args) == 3 and node.args[2] is False


def without_defaults(
    schema: Any, given: tuple[Any, ...], named: dict[str, Any]
) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """Arguments without those that the schema would give anyway; `[1, 1]` as `1` where both may stand."""
    parameters = schema.arguments
    args, kwargs = list(given), dict(named)
    by_name = {parameter.name: parameter for parameter in parameters}
    for name in named:
        parameter = by_name.get(name)
        if parameter is not None and _is_default(parameter, named[name]):
            del kwargs[name]
    while args and _is_default(parameters[len(args) - 1], args[-1]):
        args.pop()
    for index, (parameter, item) in enumerate(zip(parameters, args, strict=False)):
        size = parameter.N
        if size and len(numbers := _numbers(item)) == size and len(set(numbers)) == 1:
            args[index] = numbers[0]
    return tuple(args), kwargs


def spread(name: str, args: tuple[Any, ...]) -> tuple[Any, ...] | None:
    """The sizes of `x.view([2, n])` one by one; None where the call is of another form."""
    if name not in SPREAD or len(args) != 1 or type(args[0]) is not list or not args[0]:
        return None
    whole = all(type(item) is int or type(item) is Value for item in args[0])
    return tuple(args[0]) if whole else None


def row(node: Node) -> Any:
    """The `n` of `x.select(0, n)`, which is `x[n]`; None for any other node."""
    if node.kind != "aten::select" or len(node.args) != 3 or node.kwargs:
        return None
    dim, index = node.args[1:]
    return index if type(dim) is int and dim == 0 and type(index) is int else None


def _is_default(parameter: Any, item: Any) -> bool:
    # Bindings have another default of that name: see `binding_arguments`.
    if not parameter.has_default_value() or parameter.name == "reduction":
        return False
    default = parameter.default_value
    if type(item) is list:
        return type(default) is list and _numbers(item) == default and len(_numbers(item)) == len(item)
    return type(item) in (bool, int, float, str, type(None)) and type(item) is type(default) and item == default


def _numbers(item: Any) -> list[int]:
    """The integers of a list of plain integers; nothing for any other argument."""
    return item if type(item) is list and all(type(child) is int for child in item) else []
