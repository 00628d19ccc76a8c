"""Arguments taken apart: tensors in containers, in fields of objects, in whatever was registered."""

from __future__ import annotations

import functools
from collections import defaultdict, deque
from collections.abc import Iterator, Mapping
from typing import Any

import numpy
import torch

from tracelab.errors import InputError
from tracelab.graph.arrays import array_tensor, is_array
from tracelab.graph.objects import attributes_of, by_fields, holds_tensor, is_object
from tracelab.graph.own_attributes import attributes_to_keep, dict_of_class
from tracelab.graph.registered import Structure, registered, structure_of
from tracelab.graph.tree import VALUES, WRITABLE, Tree, is_namedtuple


def tree_of(item: Any, leaves: list[torch.Tensor], where: str, apart: TakingApart | None = None) -> Tree:
    """The nesting of `item`; its tensors are appended to `leaves` in order.

    Several arguments share one `apart`. Raises `InputError`, naming the place, for what cannot be taken apart, for an
    empty list, for a list of mixed kinds, and for what is inside of itself.
    """
    found = TakingApart(leaves) if apart is None else apart
    return found.tree(item, where, False)


_INSTEAD = {"PIL": "numpy.asarray({})", "pandas": "{}.to_numpy()", "polars": "{}.to_numpy()", "xarray": "{}.to_numpy()"}
"""Libraries whose objects hold numbers and more than that, and what gives the numbers."""


class TakingApart:
    """Takes arguments apart; what may be written to stands at one place, though several lead to it."""

    def __init__(
        self, leaves: list[torch.Tensor], numbers: bool = False, arrays: bool = False, joins: bool = False
    ) -> None:
        self.leaves = leaves
        self.joins = joins
        """Whether a plain list or dict that is given twice is one to the code; else each is one of its own."""
        self.numbers = numbers
        """Whether numbers are followed, and no values that decide what is recorded."""
        self.arrays = arrays
        """Whether arrays are inputs, as tensors are."""
        self.originals: dict[str, Any] = {}
        """What may be written to, by its place."""
        self._places: dict[int, str] = {}
        """The place of each, by its id."""
        self.inner: set[int] = set()
        """Which of the tensors are in objects."""
        self._under_way: set[int] = set()

    def tree(self, item: Any, where: str, inside: bool) -> Tree:
        """The nesting; `inside` of an object the rules for plain lists and dicts as arguments do not hold."""
        if isinstance(item, torch.Tensor):
            if inside:
                self.inner.add(len(self.leaves))
            self.leaves.append(item)
            return Tree("tensor", place=where)
        if item is None:
            return Tree("none")
        if self.arrays and is_array(item):
            self.originals[where] = item
            self.inner.add(len(self.leaves))
            self.leaves.append(array_tensor(item))
            return Tree("array", place=where, value=item.copy())
        if self.numbers and type(item) in (int, float):
            return Tree("number", value=item, place=where)
        if isinstance(item, VALUES):
            return Tree("value", value=item, place=where)
        if id(item) in self._under_way:
            raise InputError(f"the argument `{where}` is inside of itself: give it without that, or what it holds")
        if id(item) in self._places and (self.joins or inside or type(item) not in (list, dict)):
            return Tree("same", value=self._places[id(item)], place=where)
        self._under_way.add(id(item))
        try:
            made = self._nested(item, where, inside)
        finally:
            self._under_way.discard(id(item))
        made.place = where
        if made.kind not in ("value", "tuple", "namedtuple") or isinstance(made.value, WRITABLE):
            self.originals[where] = item
            self._places[id(item)] = where
        return made

    def _nested(self, item: Any, where: str, inside: bool) -> Tree:
        structure = registered(type(item))
        if structure is not None:
            return self._structure(item, structure, where)
        if is_namedtuple(item):
            fields = list(type(item)._fields)
            children = [self.tree(getattr(item, name), f"{where}.{name}", inside) for name in fields]
            return Tree("namedtuple", children, fields, type(item).__name__, type(item))
        if isinstance(item, (tuple, list, deque)):
            return self._sequence(item, where, inside)
        if isinstance(item, dict) or (isinstance(item, Mapping) and not is_object(item)):
            return self._mapping(item, where, inside)
        if isinstance(item, Iterator) and not is_object(item):
            raise InputError(
                f"input `{where}` ({type(item).__name__}) can be gone through once only, and a trace runs more than "
                f"once: give a list of it, as in list({where})"
            )
        library = type(item).__module__.partition(".")[0]
        if library in _INSTEAD and (hasattr(item, "shape") or library == "PIL"):
            raise InputError(
                f"input `{where}` ({type(item).__name__} of {library}) is no tensor and no array: give its values, as "
                f"in {_INSTEAD[library].format(where)}, or bind it with functools.partial"
            )
        return self._object(item, where)

    def _sequence(self, item: Any, where: str, inside: bool) -> Tree:
        cls: Any = type(item)
        inside = inside or cls not in (tuple, list)
        children = [self.tree(child, f"{where}[{index}]", inside) for index, child in enumerate(item)]
        if isinstance(item, tuple):
            return Tree("tuple", children) if cls is tuple else _of_class("tuple", item, children, cls, where)
        if isinstance(item, deque):
            return _of_class("list", item, children, functools.partial(cls, maxlen=item.maxlen), where)
        if not inside:
            _refuse_mixed(item, children, where)
        return Tree("list", children) if cls is list else _of_class("list", item, children, cls, where)

    def _mapping(self, item: Mapping[Any, Any], where: str, inside: bool) -> Tree:
        cls: Any = type(item)
        inside = inside or cls is not dict
        if not item and not inside:
            raise InputError(f"dict input `{where}` is empty: give it at least one tensor")
        keys = list(item)
        children = [self.tree(item[key], f"{where}[{key!r}]", inside) for key in keys]
        if not isinstance(item, dict):
            return Tree("dict", children, keys)
        maker: Any = _other(cls, dict)
        if isinstance(item, defaultdict):
            maker = functools.partial(cls, item.default_factory)
        kept = None
        if maker is not None:
            items = dict(zip(keys, (item[key] for key in keys), strict=True))
            kept = attributes_to_keep(item, lambda: dict_of_class(maker, items), f"`{where}`")
        return Tree("dict", children, keys, "" if cls is dict else cls.__name__, maker, kept)

    def _forget(self, tensors: int, places: int) -> None:
        """Drop what was found after so much."""
        del self.leaves[tensors:]
        self.inner = {place for place in self.inner if place < tensors}
        for place in list(self.originals)[places:]:
            self._places.pop(id(self.originals.pop(place)), None)

    def _structure(self, item: Any, structure: Structure, where: str) -> Tree:
        parts, context = structure.taken_apart(item)
        children = [self.tree(part, f"{where}[{index}]", True) for index, part in enumerate(parts)]
        return Tree("structure", children, name=structure.__name__, maker=structure, value=context)

    def _object(self, item: Any, where: str) -> Tree:
        before = len(self.leaves), len(self.originals)
        refusal = None
        if is_object(item):
            fields = attributes_of(item)
            try:
                children = [self.tree(part, f"{where}.{name}", True) for name, part in fields.items()]
                cls: Any = type(item)
                return Tree("object", children, list(fields), cls.__name__, by_fields(cls))
            except InputError as error:
                self._forget(*before)
                refusal = error
        structure = structure_of(type(item))
        if structure is not None:
            return self._structure(item, structure, where)
        if isinstance(item, WRITABLE):
            return Tree("value", value=item.copy())
        if isinstance(item, numpy.generic) or _is_compared(item):
            return Tree("value", value=item)
        if refusal is not None:
            raise refusal
        raise InputError(
            f"input `{where}` is of type {type(item).__name__} ({_short(item)}), which cannot be taken apart: bind it "
            "with functools.partial or a lambda, or say by tracelab.register_structure what it is made of"
        )


def _is_compared(item: Any) -> bool:
    """Whether objects of the class say themselves what is equal, and hold no tensors."""
    cls: Any = type(item)
    return cls.__eq__ is not object.__eq__ and cls.__hash__ is not None and not holds_tensor(item, set(), 0)


def _of_class(kind: str, item: Any, children: list[Tree], maker: Any, where: str) -> Tree:
    """A sequence of a class of its own."""
    kept = attributes_to_keep(item, lambda: maker(list(item)), f"`{where}`")
    return Tree(kind, children, name=type(item).__name__, maker=maker, value=kept)


def _other(cls: type, plain: type) -> Any:
    return None if cls is plain else cls


def _refuse_mixed(item: list[Any], children: list[Tree], where: str) -> None:
    if not item:
        raise InputError(f"List trace input `{where}` is empty: give it at least one tensor, or pass a tuple")
    if len({(child.kind, 0 if child.kind in ("list", "object") else child.size) for child in children}) > 1:
        found = ", ".join(dict.fromkeys(type(child).__name__ for child in item))
        raise InputError(
            f"List trace input `{where}` must have elements of one consistent type, but holds {found}: "
            "use a tuple for mixed elements"
        )


def _short(item: object) -> str:
    text = repr(item)
    return text if len(text) <= 40 else text[:37] + "..."
