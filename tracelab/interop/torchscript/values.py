"""Values of TorchScript's graphs in Python: types, literals, and arithmetic on what is known already."""

from __future__ import annotations

import operator
import re
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from tracelab.compat import script
from tracelab.compat.operators import OpOverload
from tracelab.errors import TracelabError
from tracelab.graph.allowed_operators import number_problem
from tracelab.graph.ir import Node, Value, map_values
from tracelab.graph.kinds import (
    CONSTANT,
    DICT_CONSTRUCT,
    IF,
    LIST_CONSTRUCT,
    MAX,
    MIN,
    NUMBER_TO_TENSOR,
    RAISE_EXCEPTION,
    TUPLE_CONSTRUCT,
    TUPLE_INDEX,
    UNCHECKED_CAST,
    UNCHECKED_UNWRAP_OPTIONAL,
    UNINITIALIZED,
    UNPACKS,
)
from tracelab.graph.types import TensorType, Type
from tracelab.interop.export.types import scalar_type
from tracelab.storage.graph_json.targets import Refusal

_MANGLED = re.compile(r"\.?___torch_mangle_\d+")
_PLACES = re.compile(r" # [^\n]*:\d+:\d+$", re.MULTILINE)


@dataclass(frozen=True, slots=True)
class Function:
    """A script function that a graph names."""

    name: str
    short: str


def stored(name: str) -> dict[str, str]:
    """How a `.tlab` file names what only TorchScript runs."""
    return {"python": f"torch.jit:{name}"}


def class_name(module: Any) -> str:
    """`Linear` of `__torch__.torch.nn.modules.linear.___torch_mangle_0.Linear`."""
    return str(script.class_of(module).qualified_name()).rpartition(".")[2]


def type_of(value: Any) -> Type:
    """The type of a script value: sizes where a trace noted them, else TorchScript's own word."""
    type_ = value.type()
    if str(type_.kind()) != "TensorType":
        return _MANGLED.sub("", str(type_.str()))
    sizes, dtype, device = type_.sizes(), type_.dtype(), type_.device()
    if sizes is None or dtype is None or device is None:
        return "Tensor"
    strides = type_.strides()
    steps = None if strides is None else tuple(strides)
    return TensorType(dtype, tuple(sizes), steps, device, bool(type_.requires_grad()))


def copied(item: Any) -> Any:
    """Lists of its own: what the script does to a list later is no matter of this node."""
    return map_values(item, lambda value: value)


def without_places(text: str) -> str:
    """A printed block without file names, which are those of another machine."""
    return _PLACES.sub("", text).strip()


def line_of(node: Any, file: str) -> str:
    """The line of code that TorchScript remembers, where it is that of the file and not of its own printing."""
    text = node.sourceRange()
    if text.startswith("Serialized") or f'"{file}"' not in text.partition("\n")[0]:
        return ""
    lines = text.split("\n")
    marked = next((index for index, line in enumerate(lines) if "<--- HERE" in line), 0)
    return lines[marked - 1].strip() if marked > 1 else ""


def _append(items: list[Any], item: Any) -> list[Any]:
    items.append(item)
    return items


def _is(a: Any, b: Any) -> Any:
    """Whether both are the same, where that is known: a tensor is not None."""
    if isinstance(a, Value) or isinstance(b, Value):
        other = b if isinstance(a, Value) else a
        value = a if isinstance(a, Value) else b
        certain = isinstance(value.type, TensorType) or value.type in ("Tensor", "int", "float", "bool", "Tensor[]")
        return False if other is None and certain else NotImplemented
    return a is b if a is None or b is None else NotImplemented


def _is_not(a: Any, b: Any) -> Any:
    same = _is(a, b)
    return same if same is NotImplemented else not same


_ON_NUMBERS: dict[str, Callable[..., Any]] = {
    "aten::__not__": operator.not_,
    "aten::eq": operator.eq,
    "aten::ne": operator.ne,
    "aten::lt": operator.lt,
    "aten::le": operator.le,
    "aten::gt": operator.gt,
    "aten::ge": operator.ge,
    "aten::add": operator.add,
    "aten::sub": operator.sub,
    "aten::mul": operator.mul,
    "aten::neg": operator.neg,
    "aten::floordiv": operator.floordiv,
    "aten::__and__": operator.and_,
    "aten::__or__": operator.or_,
    "aten::remainder": operator.mod,
    "aten::div": operator.truediv,
    MAX: max,
    MIN: min,
}
CHANGES_A_LIST = frozenset(
    f"aten::{name}"
    for name in ("append", "_set_item", "insert", "extend", "pop", "clear", "remove", "reverse", "sort", "Delete")
)
"""Operators that change the list or dict that they are given first."""

_LONGEST_TEXT = 1_000_000
_LARGEST = 1_000_000
_LITERALS = (bool, int, float, str)


def known(node: Any, args: list[Any]) -> list[Any] | None:
    """What a node makes where that is known without running it, one item for each output; None where it is not."""
    kind = node.kind()
    count = len(list(node.outputs()))
    if kind == LIST_CONSTRUCT:
        return [list(args)]
    if kind == TUPLE_CONSTRUCT:
        return [_tuple(node, args)]
    if kind == DICT_CONSTRUCT and not any(isinstance(key, Value) for key in args[::2]):
        return [dict(zip(args[::2], args[1::2], strict=True))]
    if kind in UNPACKS:
        return list(args[0]) if isinstance(args[0], (list, tuple)) and len(args[0]) == count else None
    if kind in (UNCHECKED_CAST, UNCHECKED_UNWRAP_OPTIONAL, "aten::_unwrap_optional"):
        return [args[0]]
    if kind == UNINITIALIZED:
        return [None]
    result: Any = NotImplemented
    if kind == "aten::__is__":
        result = _is(*args)
    elif kind == "aten::__isnot__":
        result = _is_not(*args)
    elif kind in (TUPLE_INDEX, "aten::__getitem__") and isinstance(args[0], (list, tuple, dict)):
        result = _picked(args[0], args[1])
    elif kind == "aten::len" and isinstance(args[0], (list, tuple, dict)):
        result = len(args[0])
    elif kind == "aten::append" and isinstance(args[0], list):
        result = _append(args[0], args[1])
    elif kind in _ON_NUMBERS and all(type(arg) in _LITERALS for arg in args):
        try:
            result = _ON_NUMBERS[kind](*args)
        except (TypeError, ArithmeticError):
            return None
        if (type(result) is int and not -(2**63) <= result < 2**63) or (
            type(result) is str and len(result) > _LONGEST_TEXT
        ):
            return None
    elif kind == "aten::list" and isinstance(args[0], list):
        result = list(args[0])
    return None if result is NotImplemented else [result][:count]


class Sizes:
    """How many items structures have that hold each other, each counted as often as it is held."""

    def __init__(self) -> None:
        self.known: dict[int, tuple[Any, int]] = {}
        """By identity, with the structure, so that no other one gets the same."""

        self.lengths: dict[Value, int] = {}

    def join(self, lists: list[Any]) -> int:
        """How many items lists have that a node puts together, as far as that is known.

        Raises:
            TracelabError: Too many.
        """
        length = sum(len(item) if isinstance(item, list) else self.lengths.get(item, 1) for item in lists)
        if length > _LARGEST:
            raise TracelabError(f"the script makes a list of more than {_LARGEST:,} items")
        return length

    def check(self, made: list[Any]) -> None:
        """Note what a node made; raise where it has too many items.

        Raises:
            TracelabError: It has.
        """
        for item in made:
            if isinstance(item, (list, tuple, dict)) and self._size(item) > _LARGEST:
                raise TracelabError(f"the script makes a structure of more than {_LARGEST:,} items")

    def _size(self, item: Any) -> int:
        if not isinstance(item, (list, tuple, dict)):
            return 1
        found = self.known.get(id(item))
        if found is not None and not isinstance(item, list):
            return found[1]
        size = 1
        for part in item.values() if isinstance(item, dict) else item:
            size += self.known[id(part)][1] if id(part) in self.known else self._size(part)
        self.known[id(item)] = (item, size)
        return size


def _picked(items: Any, key: Any) -> Any:
    if isinstance(key, Value):
        return NotImplemented
    try:
        return items[key]
    except (LookupError, TypeError):
        return NotImplemented


def _tuple(node: Any, args: list[Any]) -> Any:
    return tuple(args)


def _sizes(tensor: torch.Tensor) -> list[int]:
    return list(tensor.size())


def _part(items: list[Any], start: int | None = None, end: int | None = None, step: int = 1) -> list[Any]:
    return items[start:end:step]


PYTHON: dict[str, Callable[..., Any]] = {
    "aten::size.int": torch.Tensor.size,
    "aten::size": _sizes,
    "aten::slice.t": _part,
    "aten::add.t": operator.add,
    "aten::__getitem__.t": operator.getitem,
    "aten::__getitem__.str": operator.getitem,
    "aten::__getitem__.Dict_str": operator.getitem,
    "aten::len.t": len,
    "aten::add.int": operator.add,
    "aten::sub.int": operator.sub,
    "aten::mul.int": operator.mul,
    "aten::floordiv.int": operator.floordiv,
    "aten::Int.Tensor": int,
    "aten::Float.Tensor": float,
    "aten::Bool.Tensor": bool,
    f"{NUMBER_TO_TENSOR}.Scalar": torch.tensor,
    "aten::ScalarImplicit": torch.Tensor.item,
    "aten::IntImplicit": int,
    "aten::FloatImplicit": float,
}
"""Python functions for TorchScript's operators on numbers and lists."""


def give_arguments(made: Node, args: list[Any]) -> None:
    """Give the node its arguments as its operator takes them: keyword-only ones by keyword, defaults left out."""
    schema = made.schema
    if schema is None or len(schema.arguments) != len(args):
        made.args = tuple(map(copied, args))
        return
    positional: list[tuple[Any, Any]] = []
    by_keyword: dict[str, Any] = {}
    for argument, item in zip(schema.arguments, args, strict=True):
        wanted = str(argument.real_type).removeprefix("Optional[").rstrip("]?")
        content = scalar_type(wanted, item) if type(item) is int else copied(item)
        writes = argument.alias_info is not None and argument.alias_info.is_write
        if writes and (not isinstance(content, Value) or not str(argument.type).endswith("Tensor")):
            made.target = Refusal(
                made.name, f"{made.kind} writes into a list: run the script itself", stored(made.name)
            )
        if not argument.kwarg_only:
            positional.append((argument, content))
        elif not _is_default(argument, item):
            by_keyword[argument.name] = content
    while positional and _is_default(positional[-1][0], positional[-1][1]):
        positional.pop()
    made.args = tuple(content for _, content in positional)
    made.kwargs = by_keyword or None


def on_numbers(made: Node) -> None:
    """Let Python do what an operator does on numbers and lists: torch's functions of that name take tensors."""
    schema = made.schema
    if schema is None or any("Tensor" in str(argument.type) for argument in schema.arguments):
        return
    returns_tensor = any("Tensor" in str(result.type) for result in schema.returns)
    if not returns_tensor and isinstance(made.target, OpOverload):
        made.target = _ON_NUMBERS.get(made.kind) or _Called(made.target)


class Guard:
    """A `prim::If` that does nothing but raise where its condition is `raises`."""

    __name__ = "If"

    def __init__(self, raises: bool) -> None:
        self.raises = raises

    def __call__(self, condition: bool, *used: Any) -> None:
        if bool(condition) is self.raises:
            raise TracelabError("a check that the script makes fails on this input: run the script itself to see which")


def guard(node: Any) -> Guard | None:
    """What runs a `prim::If` that is a check; None for any other node."""
    blocks = list(node.blocks())
    if node.kind() != IF or list(node.outputs()) or len(blocks) != 2:
        return None
    raising = [any(step.kind() == RAISE_EXCEPTION for step in block.nodes()) for block in blocks]
    empty = [not list(block.nodes()) for block in blocks]
    if raising[0] and empty[1]:
        return Guard(True)
    return Guard(False) if raising[1] and empty[0] else None


_CANNOT_FAIL = frozenset(
    {"aten::eq", "aten::ne", "aten::lt", "aten::le", "aten::gt", "aten::ge", "aten::__not__", "aten::dim"}
) | {CONSTANT}
_NUMBER_TYPES = frozenset({"BoolType", "IntType", "FloatType"})


def is_choice(node: Any) -> bool:
    """Whether a `prim::If` only picks a number, and both of its sides are comparisons of numbers."""
    outputs = list(node.outputs())
    if len(outputs) != 1 or str(outputs[0].type().kind()) not in _NUMBER_TYPES:
        return False
    steps = [step for block in node.blocks() for step in block.nodes()]
    return all(
        step.kind() in _CANNOT_FAIL and all(str(value.type().kind()) in _NUMBER_TYPES for value in step.outputs())
        for step in steps
    )


def choice(condition: bool, yes: Any, no: Any) -> Any:
    """What runs such a `prim::If`."""
    return yes if condition else no


class _Called:
    """An operator on numbers, called as a plain function."""

    def __init__(self, operator: OpOverload) -> None:
        self.operator = operator
        self.__name__ = operator._schema.name.rpartition("::")[2]

    def __call__(self, *args: Any, **kwargs: Any) -> Any:
        problem = number_problem((*args, *kwargs.values()))
        if problem:
            raise TracelabError(f"{self.operator._schema.name} is not called: {problem}")
        return self.operator(*args, **kwargs)


def _is_default(argument: Any, item: Any) -> bool:
    if not argument.has_default_value():
        return False
    default = argument.default_value
    return type(default) is type(item) and not isinstance(item, Value) and bool(default == item)
