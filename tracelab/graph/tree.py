"""`Tree`: how one argument nests, and how it is put together again."""

from __future__ import annotations

import datetime
import decimal
import enum
import fractions
import functools
import logging
import os
import re
import sys
import types
import uuid
from collections import namedtuple
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy
import torch

from tracelab.graph.assumptions import Words
from tracelab.graph.given_keys import GivenKeys
from tracelab.graph.objects import attributes_of
from tracelab.graph.own_attributes import dict_of_class, set_attributes

LEAVES = frozenset({"tensor", "array"})
"""Kinds that are inputs of the graph."""

MUTABLE = frozenset({"list", "dict", "object", "structure"})
"""Kinds of objects that code may write to."""


@dataclass(slots=True)
class Tree:
    """One level of nesting.

    `tensor`, `array` (an input as well; its `value` is what the code read of it), `none`, `value`,
    `number`, `tuple`, `namedtuple`, `list` (anything that is filled in order), `dict`,
    `object` (by its fields), `structure` (of a class that was registered) or `same` (an object that stands at an
    earlier place, too).
    """

    kind: str
    children: list[Tree] = field(default_factory=list)
    keys: list[Any] = field(default_factory=list)
    """Dict keys, or fields of a named tuple or an object, one per child."""
    name: str = ""
    """The class, where it is not that of plain tuples, lists and dicts."""
    maker: Callable[..., Any] | None = field(default=None, compare=False)
    """What makes it; None where it is plain, and after loading from a file."""
    value: Any = None
    """A value of Python's, which decided what was recorded; the context of a structure; the place of the same; the
    attributes of a container of an own class."""
    given: GivenKeys | None = field(default=None, compare=False, repr=False)
    """Learns the keys of a dict at each call, where the traced code asked for more than those of the trace."""
    place: str = ""
    """Where it stands among the arguments: `cache.layers[0]`; of what a call may have to find again."""
    noted: bool = field(default=False, compare=False)
    """Whether calls keep it, by its place, for the graph."""
    written: bool = field(default=False, compare=False)
    """Whether the graph writes to it."""

    def __deepcopy__(self, memo: dict[int, Any]) -> Tree:
        return self

    def __reduce__(self) -> Any:
        # A class that no import finds is left out, as in files.
        maker, value = self.maker, self.value
        if callable(value) and not _is_importable(value):
            value = Words(repr(value))
        kept = maker if _can_be_pickled(maker) else None
        return Tree, (
            self.kind,
            self.children,
            self.keys,
            self.name,
            kept,
            value,
            None,
            self.place,
            self.noted,
            self.written,
        )

    @property
    def size(self) -> int:
        """Number of tensors below."""
        return 1 if self.kind in LEAVES else sum(child.size for child in self.children)

    @property
    def holds_objects(self) -> bool:
        """Whether it is more than a tensor, or plain tuples, lists and dicts."""
        return any(part.maker is not None or part.kind in ("object", "structure", "same") for part in self.walk())

    def walk(self) -> Iterator[Tree]:
        """It and all below, in order."""
        yield self
        for child in self.children:
            yield from child.walk()


def _is_importable(item: Any) -> bool:
    found: Any = sys.modules.get(getattr(item, "__module__", None) or "")
    for part in getattr(item, "__qualname__", "").split("."):
        found = getattr(found, part, None)
    return found is item


def _can_be_pickled(maker: Any) -> bool:
    parts = (maker.func, *maker.args) if isinstance(maker, functools.partial) else (maker,)
    parts = tuple(part for part in parts if callable(part))
    return all(_is_importable(getattr(part, "cls", part)) for part in parts)


AS_GIVEN = (torch.nn.Module, torch.optim.Optimizer, torch.optim.lr_scheduler.LRScheduler)
"""Arguments that code runs and writes to: the traced code gets the user's own, and a replay is for the same object."""

VALUES = (
    *AS_GIVEN,
    bool,
    int,
    float,
    complex,
    str,
    bytes,
    enum.Enum,
    type,
    range,
    slice,
    torch.Size,
    torch.dtype,
    torch.device,
    torch.layout,
    torch.memory_format,
    torch.Generator,
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.MethodDescriptorType,
    types.WrapperDescriptorType,
    logging.Logger,
    functools.partial,
    frozenset,
    datetime.date,
    datetime.time,
    datetime.timedelta,
    decimal.Decimal,
    fractions.Fraction,
    os.PathLike,
    re.Pattern,
    uuid.UUID,
)
"""Arguments that a replay compares with those of the trace; their equality is quick and has no effects."""


WRITABLE = (numpy.ndarray, set)
"""Values that code may write to: it gets a copy."""


def is_namedtuple(item: object) -> bool:
    return isinstance(item, tuple) and hasattr(item, "_fields")


def namedtuple_class(name: str, fields: list[str], maker: Callable[..., Any] | None) -> Callable[..., Any]:
    """The recorded class, or an equal one where it is not at hand."""
    return maker if maker is not None else namedtuple(name, fields)


class Builder(Protocol):
    """What a rebuilt argument is made of."""

    def tensor(self) -> Any:
        """The next tensor."""

    def array(self, tree: Tree) -> Any:
        """The next tensor, as an array."""

    def number(self, tree: Tree) -> Any:
        """A number."""

    def value(self, tree: Tree) -> Any:
        """A value that code may write to."""

    def plain_dict(self, tree: Tree, parts: dict[Any, Any]) -> Any:
        """A plain dict."""

    def made(self, tree: Tree, item: Any) -> None:
        """What may be written to was made."""


class PlainBuilder:
    """Rebuilds with given tensors; numbers and dicts are those of the trace."""

    def __init__(self, leaves: Any) -> None:
        self.leaves = leaves

    def tensor(self) -> Any:
        return next(self.leaves)

    def array(self, tree: Tree) -> Any:
        tensor = next(self.leaves)
        return tensor if tensor.is_meta else tensor.detach().cpu().numpy()

    def number(self, tree: Tree) -> Any:
        return tree.value

    def value(self, tree: Tree) -> Any:
        return tree.value.copy()

    def plain_dict(self, tree: Tree, parts: dict[Any, Any]) -> Any:
        return parts

    def made(self, tree: Tree, item: Any) -> None:
        return None


def rebuild(tree: Tree, leaves: Any) -> Any:
    """The structure again, with tensors taken from the iterator `leaves`."""
    return rebuild_all([tree], leaves)[0]


def rebuild_all(trees: list[Tree], leaves: Any) -> list[Any]:
    """Several structures again; an object that stands in two of them is one object."""
    builder, known = PlainBuilder(leaves), {}  # type: ignore[var-annotated]
    return [build(tree, builder, known) for tree in trees]


def build(tree: Tree, builder: Builder, known: dict[str, Any]) -> Any:
    """The structure of what `builder` gives; `known` has what was made so far, by its place."""
    kind = tree.kind
    if kind == "tensor":
        return builder.tensor()
    if kind == "array":
        return builder.array(tree)
    if kind == "number":
        return builder.number(tree)
    if kind in ("none", "value"):
        if not isinstance(tree.value, WRITABLE):
            return tree.value
        known[tree.place] = builder.value(tree)
        return known[tree.place]
    if kind == "same":
        return known[tree.value]
    parts = [build(child, builder, known) for child in tree.children]
    made = _assembled(tree, parts, builder)
    if tree.value and kind != "structure" and tree.maker is not None:
        set_attributes(made, tree.value)
    if kind in MUTABLE:
        known[tree.place] = made
        builder.made(tree, made)
    return made


def _assembled(tree: Tree, parts: list[Any], builder: Builder) -> Any:
    kind, maker = tree.kind, tree.maker
    if kind == "list":
        return parts if maker is None else maker(parts)
    if kind == "tuple":
        return tuple(parts) if maker is None else maker(tuple(parts))
    if kind == "namedtuple":
        return namedtuple_class(tree.name, tree.keys, maker)(*parts)
    if kind == "structure":
        return parts if maker is None else maker(parts, tree.value)
    items = dict(zip(tree.keys, parts, strict=True))
    if kind == "object":
        return items if maker is None else maker(**items)
    if maker is None:
        return builder.plain_dict(tree, items)
    return dict_of_class(maker, items)


def fields_now(item: Any) -> Mapping[Any, Any]:
    """What stands in an object, or in the plain dict that stands for one."""
    return item if isinstance(item, dict) else attributes_of(item)
