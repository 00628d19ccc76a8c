"""How an operator is written in generated code.

A native binding (`torch.add`, `x.view`) costs half of what a call of the overload does, since torch parses its
arguments in C++ for a known signature. The overload is used where no binding takes the same arguments.
"""

from __future__ import annotations

import functools
import operator
from typing import Any

import torch

from tracelab.compat import bindings as native_bindings
from tracelab.execute.codegen import bindings
from tracelab.graph.intrinsics import DEVICE, DTYPE
from tracelab.graph.ir import Node

INFIX = {
    operator.add: "+",
    operator.sub: "-",
    operator.mul: "*",
    operator.mod: "%",
    operator.floordiv: "//",
    operator.lshift: "<<",
    operator.rshift: ">>",
    operator.and_: "&",
    operator.or_: "|",
    operator.xor: "^",
    operator.eq: "==",
    operator.ne: "!=",
    operator.lt: "<",
    operator.le: "<=",
    operator.gt: ">",
    operator.ge: ">=",
}
"""Python's own signs for arithmetic on traced numbers."""


@functools.cache
def native(target: Any) -> tuple[str, str] | None:
    """`("function", "torch.add")` or `("method", "view")` for an overload, None where only the overload will do."""
    schema = getattr(target, "_schema", None)
    if schema is None or not schema.name.startswith("aten::"):
        return None
    name = schema.name.removeprefix("aten::")
    arguments = schema.arguments
    if name in bindings.ONLY_OVERLOAD or any(argument.is_out for argument in arguments):
        return None
    takes_self = bool(arguments) and arguments[0].name == "self" and str(arguments[0].type) == "Tensor"
    if name.rstrip("_") in ("add", "sub") and schema.overload_name == "Scalar":
        # Three positional arguments mean an old form of these bindings, with alpha in the middle.
        return None
    method = takes_self and type(getattr(torch.Tensor, name, None)).__name__ == "method_descriptor"
    if method and (name in bindings.METHODS or (name.endswith("_") and not name.endswith("__"))):
        return "method", name
    if name in bindings.NN and hasattr(native_bindings.nn, name):
        return "function", f"{native_bindings.NN}.{name}"
    if name in bindings.FUNCTIONS and hasattr(torch, name):
        return "function", f"torch.{name}"
    return None


def binding_arguments(node: Node) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """A node's arguments as a native binding needs them.

    A default that the schema gives by name (`reduction=Mean`) is read by the bindings as 0, which means another thing:
    it is written out.
    """
    kwargs = dict(node.kwargs or {})
    for index, parameter in enumerate(node.schema.arguments if node.schema is not None else ()):
        if parameter.name == "reduction" and index >= len(node.args) and parameter.name not in kwargs:
            kwargs[parameter.name] = parameter.default_value
    return tuple(node.args), kwargs


def binding(path: str) -> Any:
    """The function that a path like `torch._C._nn.linear` names."""
    return operator.attrgetter(path.removeprefix("torch."))(torch)


def overload_path(target: Any) -> str:
    """`torch.ops.aten.linear.default`"""
    namespace, _, name = target._schema.name.partition("::")
    return f"torch.ops.{namespace}.{name}.{target._schema.overload_name or 'default'}"


def tensor_attribute(node: Node) -> str | None:
    """The name of an attribute of `torch.Tensor` that the node reads."""
    return _ATTRIBUTES.get(node.target)  # type: ignore[arg-type]


_ATTRIBUTES = {DTYPE.function: "dtype", DEVICE.function: "device"}


def tensor_method(node: Node) -> str | None:
    """The name of a `torch.Tensor` method that the node calls."""
    name = getattr(node.target, "__name__", "")
    if type(node.target).__name__ == "method_descriptor" and getattr(torch.Tensor, name, None) is node.target:
        return str(name)
    return None
