"""The printed graph, in the syntax of TorchScript's IR.

Constants and lists are written as `prim::Constant` and `prim::ListConstruct` lines, each constant once,
before its first use; arguments that the call left out are written with their schema's defaults, as
TorchScript needs every argument of an operator. `torch._C.parse_ir` reads the text of a graph of plain
operators back.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

import torch

from tracelab.graph.data import GraphData
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT, DICT_CONSTRUCT, LIST_CONSTRUCT, PYTHON_CALL, TUPLE_CONSTRUCT
from tracelab.graph.source import short_place
from tracelab.graph.text.printable import escaped
from tracelab.graph.types import TensorType, type_of_constant, type_text

# The numbers that TorchScript gives to dtypes, layouts and memory formats in printed constants.
_DTYPE_NUMBER = {
    torch.uint8: 0,
    torch.int8: 1,
    torch.int16: 2,
    torch.int32: 3,
    torch.int64: 4,
    torch.float16: 5,
    torch.float32: 6,
    torch.float64: 7,
    torch.complex32: 8,
    torch.complex64: 9,
    torch.complex128: 10,
    torch.bool: 11,
    torch.bfloat16: 15,
}
_LAYOUT_NUMBER = {torch.strided: 0, torch.sparse_coo: 1, torch.sparse_csr: 2}
_MEMORY_FORMAT_NUMBER = {
    torch.contiguous_format: 0,
    torch.preserve_format: 1,
    torch.channels_last: 2,
    torch.channels_last_3d: 3,
}
TORCH_TYPES: dict[str, dict[int, Any]] = {
    "ScalarType": {number: item for item, number in _DTYPE_NUMBER.items()},
    "Layout": {number: item for item, number in _LAYOUT_NUMBER.items()},
    "MemoryFormat": {number: item for item, number in _MEMORY_FORMAT_NUMBER.items()},
}
"""What stands behind those numbers, by the word that schemas have for the type."""


def from_number(type_: str, number: Any) -> Any:
    """What TorchScript means by a number where its schema wants a dtype, a layout or a memory format; else the same.

    >>> from_number("ScalarType", 6), from_number("int", 6)
    (torch.float32, 6)
    """
    return TORCH_TYPES.get(type_, {}).get(number, number) if type(number) is int else number


class _Writer:
    def __init__(self, graph: GraphData) -> None:
        self.graph = graph
        self.lines: list[str] = []
        self.constants: dict[tuple[str, str], str] = {}
        self.taken = {spelled(value) for value in graph.values()}
        self.counter = 0

    def fresh(self) -> str:
        while True:
            self.counter += 1
            name = str(self.counter)
            if name not in self.taken:
                return name

    def constant(self, type_: str, literal: str) -> str:
        # The type is part of the key: 1, 1.0 and True are three constants.
        key = (type_, literal)
        name = self.constants.get(key)
        if name is None:
            name = self.constants[key] = self.fresh()
            attribute = f"[value={literal}]" if literal else ""
            self.lines.append(f"  %{name} : {type_} = {CONSTANT}{attribute}()")
        return name

    def operand(self, item: Any, wanted: str = "") -> str:
        """The name of the value that holds an argument, writing the lines that make it where needed."""
        if isinstance(item, Value):
            return spelled(item)
        if isinstance(item, (list, tuple)):
            return self.list_of(item, wanted)
        if isinstance(item, dict):
            keys_and_values = [part for pair in item.items() for part in pair]
            return self.construct(DICT_CONSTRUCT, "Dict(str, Tensor)", keys_and_values)
        if wanted == "float" and type(item) is int:
            item = float(item)
        return self.constant(type_of_constant(item), literal(item))

    def list_of(self, items: list[Any] | tuple[Any, ...], wanted: str) -> str:
        if wanted.endswith("?") or wanted.startswith("Optional["):
            wanted = wanted.removesuffix("?").removeprefix("Optional[").removesuffix("]")
        if wanted.startswith("List[") and wanted.endswith("]"):
            type_ = wanted[5:-1] + "[]"
        elif isinstance(items, tuple) and not wanted:
            inner = ", ".join(element_type(item) for item in items)
            return self.construct(TUPLE_CONSTRUCT, f"({inner})", items)
        else:
            kinds = {element_type(item, plain=True) for item in items}
            type_ = (kinds.pop() if len(kinds) == 1 else "Tensor") + "[]"
        type_ = type_.replace("Optional[Tensor]", "Tensor?").replace("number", "Scalar")
        return self.construct(LIST_CONSTRUCT, type_, items)

    def construct(self, kind: str, type_: str, items: Any) -> str:
        operands = ", ".join(f"%{self.operand(item)}" for item in items)
        name = self.fresh()
        self.lines.append(f"  %{name} : {type_} = {kind}({operands})")
        return name

    def node(self, node: Node) -> None:
        made = ", ".join(f"%{spelled(value)} : {type_text(value.type)}" for value in node.outputs)
        kind = node.kind
        attributes = ""
        if kind == PYTHON_CALL:
            kind = f"^{node.attributes['name']}"
            attributes = f"[inplace={int(bool(node.attributes.get('inplace')))}]"
        elif kind == CONSTANT:
            attributes = f"[value={literal(self.graph.state.get(node.outputs[0]))}]"
        elif "name" in node.attributes:
            attributes = f"[name={json.dumps(node.attributes['name'])}]"
        operands = ", ".join(f"%{name}" for name in self.operands(node))
        place, sizes = "", self.sizes(node.outputs)
        if node.scope is not None and node.scope.parent is not None:
            place += f", scope: {node.scope.path}"
        if node.source is not None:
            place += f" # {short_place(node.source)}:{node.source.column}"
        if sizes:
            place += f"{' #' if node.source is None else ','} {sizes}"
        head = f"{made} = " if made else " = "
        self.lines.append(f"  {head.lstrip() if made else ''}{kind}{attributes}({operands}){place}")

    def sizes(self, values: Sequence[Value]) -> str:
        """The sizes of tensors by name, where one of them has a name."""
        if self.graph.size_names is None or self.graph.size_names[0] != self.graph.nodes.version:
            return ""
        names = self.graph.size_names[1]
        found = [(value, names[value]) for value in values if not all(map(str.isdigit, names.get(value, ())))]
        parts = [(value, f"[{', '.join(' '.join(size.split()) for size in sizes)}]") for value, sizes in found]
        return parts[0][1] if len(values) == 1 and parts else ", ".join(f"%{spelled(v)} {text}" for v, text in parts)

    def operands(self, node: Node) -> list[str]:
        schema = node.schema
        if schema is None:
            items = list(node.args) + (list(node.kwargs.values()) if node.kwargs else [])
            return [self.operand(item) for item in items]
        names = []
        for argument, item in arguments_of(node, defaults=True):
            names.append(self.operand(item, str(argument.type) if argument is not None else ""))
        return names


def spelled(value: Value) -> str:
    """A value's name as TorchScript reads it: `0.weight` of a `Sequential` would be a number, so `_0.weight`."""
    name = value.name
    return f"_{name}" if name[:1].isdigit() and not name.isdigit() else name


def arguments_of(node: Node, defaults: bool = False) -> list[tuple[Any, Any]]:
    """Pairs of schema argument and what the call gave for it, in the schema's order.

    With `defaults`, arguments left out by the call are filled in from the schema.
    """
    schema = node.schema
    assert schema is not None
    kwargs = node.kwargs or {}
    pairs: list[tuple[Any, Any]] = []
    for index, argument in enumerate(schema.arguments):
        if index < len(node.args):
            pairs.append((argument, node.args[index]))
        elif argument.name in kwargs:
            pairs.append((argument, kwargs[argument.name]))
        elif defaults:
            pairs.append((argument, argument.default_value))
    return pairs


def element_type(item: Any, plain: bool = False) -> str:
    if isinstance(item, Value):
        return "Tensor" if plain and isinstance(item.type, TensorType) else type_text(item.type)
    return type_of_constant(item)


def literal(item: Any) -> str:
    """A constant as TorchScript writes it; empty for None."""
    if item is None:
        return ""
    if isinstance(item, bool):
        return str(int(item))
    if isinstance(item, float):
        text = repr(item)
        return text if any(mark in text for mark in ".en") else text + "."
    if isinstance(item, torch.dtype):
        return str(_DTYPE_NUMBER.get(item, 1))
    if isinstance(item, torch.layout):
        return str(_LAYOUT_NUMBER.get(item, 0))
    if isinstance(item, torch.memory_format):
        return str(_MEMORY_FORMAT_NUMBER.get(item, 0))
    if isinstance(item, torch.Tensor):
        if item.numel() == 1 and not item.is_meta and item.layout is torch.strided:
            return "{" + str(item.detach().reshape(()).tolist()) + "}"
        return "<Tensor>"
    if isinstance(item, torch.Generator):
        return '"<Generator>"'
    if isinstance(item, (str, torch.device)):
        return json.dumps(str(item))
    if isinstance(item, (int, complex)):
        return str(item)
    return json.dumps(getattr(item, "__name__", type(item).__name__))


def graph_text(graph: GraphData) -> str:
    """The whole graph as text; the same text for the same trace."""
    writer = _Writer(graph)
    for node in graph.nodes:
        writer.node(node)
    returned = ", ".join(f"%{spelled(value)}" for value in graph.outputs)
    head = ",\n      ".join(f"%{spelled(value)} : {type_text(value.type)}" for value in graph.inputs)
    named = [f"  # %{spelled(value)} {sizes}" for value in graph.inputs if (sizes := writer.sizes([value]))]
    writer.lines[:0] = named
    failed = ""
    if graph.failed is not None:
        failed = f"  # failed at {graph.failed.kind}\n"
    body = "\n".join(writer.lines)
    return escaped(f"graph({head}):\n{body}{chr(10) if body else ''}{failed}  return ({returned})\n")
