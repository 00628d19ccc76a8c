"""How inputs and outputs nest: tensors inside tuples, named tuples, lists and dicts."""

from __future__ import annotations

import enum
import sys
import types
from collections import OrderedDict, namedtuple
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any

import torch

from tracelab.errors import InputError
from tracelab.graph.assumptions import Words
from tracelab.graph.given_keys import GivenKeys
from tracelab.graph.types import counted


@dataclass(slots=True)
class Tree:
    """One level of nesting: `tensor`, `none`, `value`, `tuple`, `namedtuple`, `list` or `dict`."""

    kind: str
    children: list[Tree] = field(default_factory=list)
    keys: list[Any] = field(default_factory=list)
    """Dict keys or named tuple fields, one per child."""
    name: str = ""
    """The named tuple's name."""
    maker: Callable[..., Any] | None = field(default=None, compare=False)
    """The named tuple's class; None after loading from a file, where an equal one is made."""
    value: Any = None
    """A value of Python's, which decided what was recorded."""
    given: GivenKeys | None = field(default=None, compare=False, repr=False)
    """Learns the keys of a dict at each call, where the traced code asked for more than those of the trace."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Tree:
        return self

    def __reduce__(self) -> Any:
        # A class that no import finds is left out, as in files.
        maker, value = self.maker, self.value
        if callable(value) and not _is_importable(value):
            value = Words(repr(value))
        return Tree, (self.kind, self.children, self.keys, self.name, maker if _is_importable(maker) else None, value)

    @property
    def size(self) -> int:
        """Number of tensors below."""
        return 1 if self.kind == "tensor" else sum(child.size for child in self.children)


def _is_importable(item: Any) -> bool:
    found: Any = sys.modules.get(getattr(item, "__module__", None) or "")
    for part in getattr(item, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is item


_VALUES = (
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    enum.Enum,
    type,
    range,
    torch.dtype,
    torch.device,
    torch.layout,
    torch.memory_format,
    types.FunctionType,
    types.BuiltinFunctionType,
)
"""Arguments that a replay compares with those of the trace; their equality is quick and has no effects."""


def same_value(now: Any, before: Any) -> bool:
    """Whether two values of Python's are of one class and equal."""
    return now is before or (type(now) is type(before) and bool(now == before or (now != now and before != before)))


def is_namedtuple(item: object) -> bool:
    return isinstance(item, tuple) and hasattr(item, "_fields")


def tree_of(item: Any, leaves: list[torch.Tensor], where: str) -> Tree:
    """The nesting of `item`; its tensors are appended to `leaves` in order.

    Raises `InputError`, naming the place, for what is not a tensor or container, for an empty list, and for a
    list of mixed kinds.
    """
    if isinstance(item, torch.Tensor):
        leaves.append(item)
        return Tree("tensor")
    if item is None:
        return Tree("none")
    if isinstance(item, _VALUES):
        return Tree("value", value=item)
    if is_namedtuple(item):
        fields = list(type(item)._fields)
        children = [tree_of(getattr(item, name), leaves, f"{where}.{name}") for name in fields]
        return Tree("namedtuple", children, fields, type(item).__name__, type(item))
    if isinstance(item, (tuple, list)):
        children = [tree_of(child, leaves, f"{where}[{index}]") for index, child in enumerate(item)]
        if isinstance(item, tuple):
            return Tree("tuple", children)
        if not item:
            raise InputError(f"List trace input `{where}` is empty: give it at least one tensor, or pass a tuple")
        if len({(child.kind, 0 if child.kind == "list" else child.size) for child in children}) > 1:
            found = ", ".join(dict.fromkeys(type(child).__name__ for child in item))
            raise InputError(
                f"List trace input `{where}` must have elements of one consistent type, but holds {found}: "
                "use a tuple for mixed elements"
            )
        return Tree("list", children)
    if isinstance(item, Mapping):
        if not item:
            raise InputError(f"dict input `{where}` is empty: give it at least one tensor")
        keys = list(item)
        return Tree("dict", [tree_of(item[key], leaves, f"{where}[{key!r}]") for key in keys], keys)
    raise InputError(
        f"input `{where}` is of type {type(item).__name__} ({_short(item)}): only tensors, numbers, text and other "
        "plain values, and tuples, lists and dicts of them can be traced; bind other objects with functools.partial or "
        "a lambda"
    )


def _short(item: object) -> str:
    text = repr(item)
    return text if len(text) <= 40 else text[:37] + "..."


def leaves_like(tree: Tree, item: Any, leaves: list[torch.Tensor], where: str, differing: list[str]) -> None:
    """Append the tensors of `item`, which must nest like `tree`; a dict may hold more keys, in any order.

    Of values of Python's that are others than at the trace, a sentence each is appended to `differing`.
    """
    kind = tree.kind
    if kind == "tensor":
        if not isinstance(item, torch.Tensor):
            raise InputError(f"`{where}` should be a tensor, as when it was traced, but is {type(item).__name__}")
        leaves.append(item)
    elif kind == "none":
        if item is not None:
            raise InputError(f"`{where}` was None when it was traced, but is {type(item).__name__}: trace again")
    elif kind == "value":
        if not same_value(item, tree.value):
            differing.append(
                f"`{where}` was {_short(tree.value)} when it was traced, and is {_short(item)} at this call"
            )
    elif kind == "dict":
        if not isinstance(item, Mapping):
            raise InputError(f"`{where}` should be a dict, as when it was traced, but is {type(item).__name__}")
        if tree.given is not None:
            tree.given.note(item)
        for key, child in zip(tree.keys, tree.children, strict=True):
            if key not in item:
                raise InputError(f"`{where}` lacks the key {key!r} that it had when it was traced")
            leaves_like(child, item[key], leaves, f"{where}[{key!r}]", differing)
    else:
        if not isinstance(item, (tuple, list)):
            raise InputError(f"`{where}` should be a {kind}, as when it was traced, but is {type(item).__name__}")
        if len(item) != len(tree.children):
            raise InputError(
                f"`{where}` has {counted(len(item), 'element')}, but had {len(tree.children)} when it was traced"
            )
        for index, (child, part) in enumerate(zip(tree.children, item, strict=True)):
            leaves_like(child, part, leaves, f"{where}[{index}]", differing)


def rebuild(tree: Tree, leaves: Any) -> Any:
    """The structure again, with tensors taken from the iterator `leaves`."""
    if tree.kind == "tensor":
        return next(leaves)
    if tree.kind in ("none", "value"):
        return tree.value
    parts = [rebuild(child, leaves) for child in tree.children]
    if tree.kind == "list":
        return parts
    if tree.kind == "dict":
        return dict(zip(tree.keys, parts, strict=True))
    if tree.kind == "namedtuple":
        return namedtuple_class(tree.name, tree.keys, tree.maker)(*parts)
    return tuple(parts)


def namedtuple_class(name: str, fields: list[str], maker: Callable[..., Any] | None) -> Callable[..., Any]:
    """The recorded class, or an equal one where it is not at hand."""
    return maker if maker is not None else namedtuple(name, fields)


@dataclass(slots=True)
class InputTree:
    """What a traced callable takes: a name and a nesting for every argument, positional ones first."""

    names: list[str]
    trees: list[Tree]
    keyword_only: int = 0
    """How many at the end were given by keyword."""
    defaults: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    """What arguments that are values of Python's are where they are left out."""

    @property
    def plain(self) -> bool:
        """Whether every argument is one tensor."""
        return all(tree.kind == "tensor" for tree in self.trees)

    def flatten(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], function: str, differing: list[str] | None = None
    ) -> list[torch.Tensor]:
        """The tensors of a call, in the order of the graph's inputs; `InputError` where it does not fit.

        Values of Python's that are others than at the trace are told in `differing`, where it is given.
        """
        names = self.names
        if len(args) > len(names):
            taken = counted(len(names), "argument")
            listed = f" ({', '.join(names)})" if names else ""
            were = "was" if len(args) == 1 else "were"
            raise InputError(f"{function} takes {taken}{listed}, but {len(args)} {were} given")
        given = dict(zip(names, args, strict=False))
        for name, item in kwargs.items():
            if name not in names:
                raise InputError(f"{function} has no argument `{name}`; it takes {', '.join(names) or 'none'}")
            if name in given:
                raise InputError(f"{function} got `{name}` twice")
            given[name] = item
        leaves: list[torch.Tensor] = []
        others: list[str] = []
        for name, tree in zip(names, self.trees, strict=True):
            if name not in given:
                if tree.kind == "none":
                    continue
                if tree.kind == "value" and name in self.defaults:
                    given[name] = self.defaults[name]
            if name not in given:
                raise InputError(f"{function} needs the argument `{name}`; it takes {', '.join(names)}")
            leaves_like(tree, given[name], leaves, name, others)
        if others and differing is None:
            raise InputError(f"{others[0]}: trace again")
        if differing is not None:
            differing += others
        return leaves
