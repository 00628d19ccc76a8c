"""What a traced callable takes: a nesting for every argument, which each call is compared with."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch

from tracelab.errors import AssumptionError, InputError
from tracelab.graph.arrays import WRITTEN, ArrayStandIn, array_tensor, is_shared
from tracelab.graph.given_arguments import GivenArguments
from tracelab.graph.registered import Structure
from tracelab.graph.tree import Tree, fields_now, rebuild_all, same_value
from tracelab.graph.types import counted


class Matching:
    """One call: its tensors, what is to be found again, and sentences of what is not as it was at the trace."""

    __slots__ = ("differing", "leaves", "noted")

    def __init__(self) -> None:
        self.leaves: list[Any] = []
        self.noted: dict[str, Any] = {}
        self.differing: list[str] = []

    def match(self, tree: Tree, item: Any, where: str) -> None:
        """Append the tensors of `item`, which must nest like `tree`; a dict may hold more keys, in any order."""
        kind = tree.kind
        if kind == "tensor":
            if not isinstance(item, torch.Tensor):
                raise InputError(f"`{where}` should be a tensor, as when it was traced, but is {_named(item)}")
            self.leaves.append(item)
            return
        if tree.noted:
            self.noted[tree.place] = item
        if kind == "array":
            self._array(tree, item, where)
        elif kind == "none":
            if item is not None:
                raise InputError(f"`{where}` was None when it was traced, but is {type(item).__name__}: trace again")
        elif kind == "value":
            if not same_value(item, tree.value):
                self._differs(where, tree.value, item)
        elif kind == "number":
            if type(item) is not type(tree.value) and not isinstance(item, _SYMBOLIC[type(tree.value)]):
                self._differs(where, tree.value, item)
        elif kind == "dict":
            self._mapping(tree, item, where)
        elif kind == "object":
            self._object(tree, item, where)
        elif kind == "structure":
            self._structure(tree, item, where)
        elif kind == "same":
            if item is not self.noted.get(tree.value):
                raise InputError(f"`{where}` was the object at `{tree.value}` when it was traced, and is another now")
        else:
            self._sequence(tree, item, where)

    def _array(self, tree: Tree, item: Any, where: str) -> None:
        if isinstance(item, ArrayStandIn):
            # A trace that is called while another is recorded.
            self.leaves.append(item.tensor)
            return
        if not isinstance(item, numpy.ndarray):
            raise InputError(f"`{where}` should be an array, as when it was traced, but is {_named(item)}")
        if tree.name == WRITTEN and not is_shared(item):
            raise AssumptionError(f"the traced code writes to `{where}`, and this array cannot be written to: copy it")
        try:
            self.leaves.append(array_tensor(item))
        except TypeError:
            raise InputError(f"`{where}` is an array of {item.dtype}, which no tensor holds") from None
        if tree.value is not None and not same_value(item, tree.value):
            self._differs(where, tree.value, item)

    def _differs(self, where: str, then: Any, now: Any) -> None:
        self.differing.append(f"`{where}` was {_short(then)} when it was traced, and is {_short(now)} at this call")

    def _mapping(self, tree: Tree, item: Any, where: str) -> None:
        if not isinstance(item, Mapping) or (tree.maker is not None and type(item).__name__ != tree.name):
            raise InputError(
                f"`{where}` should be a {tree.name or 'dict'}, as when it was traced, but is {_named(item)}"
            )
        if tree.given is not None:
            tree.given.note(item)
        if tree.maker is not None and len(item) != len(tree.keys):
            self._other_names(tree, list(item), where, "keys")
        for key, child in zip(tree.keys, tree.children, strict=True):
            if key not in item:
                raise InputError(f"`{where}` lacks the key {key!r} that it had when it was traced")
            self.match(child, item[key], f"{where}[{key!r}]")

    def _object(self, tree: Tree, item: Any, where: str) -> None:
        known = tree.maker is not None
        if type(item).__name__ != tree.name if known else isinstance(item, (torch.Tensor, tuple, list)):
            raise InputError(f"`{where}` was {tree.name} when it was traced, but is {_named(item)}: trace again")
        fields = fields_now(item)
        if len(fields) != len(tree.keys) or not all(name in fields for name in tree.keys):
            self._other_names(tree, list(fields), where, "attributes")
        for name, child in zip(tree.keys, tree.children, strict=True):
            self.match(child, fields[name], f"{where}.{name}")

    def _other_names(self, tree: Tree, names: list[Any], where: str, what: str) -> None:
        more = [name for name in names if name not in tree.keys]
        less = [name for name in tree.keys if name not in names]
        parts = [
            f"{'lacks' if gone else 'has'} {', '.join(map(repr, some))}"
            for gone, some in ((0, more), (1, less))
            if some
        ]
        raise InputError(f"`{where}` has other {what} than when it was traced: it {' and '.join(parts)}")

    def _structure(self, tree: Tree, item: Any, where: str) -> None:
        maker = tree.maker
        if not isinstance(maker, Structure):
            raise InputError(f"`{where}` was a {tree.name}, which files do not take apart: trace it again")
        if type(item) is not maker.cls:
            raise InputError(f"`{where}` was {tree.name} when it was traced, but is {_named(item)}: trace again")
        parts, context = maker.flatten(item)
        parts = list(parts)
        if not same_value(context, tree.value):
            self._differs(f"the context of {where}", tree.value, context)
        self._parts(tree, parts, where, "part")

    def _sequence(self, tree: Tree, item: Any, where: str) -> None:
        if not isinstance(item, (tuple, list, deque)):
            raise InputError(f"`{where}` should be a {tree.kind}, as when it was traced, but is {_named(item)}")
        self._parts(tree, item, where, "element")

    def _parts(self, tree: Tree, parts: Any, where: str, word: str) -> None:
        if len(parts) != len(tree.children):
            raise InputError(
                f"`{where}` has {counted(len(parts), word)}, but had {len(tree.children)} when it was traced"
            )
        for index, (child, part) in enumerate(zip(tree.children, parts, strict=True)):
            self.match(child, part, f"{where}[{index}]")


_SYMBOLIC: dict[type, type] = {int: torch.SymInt, float: torch.SymFloat}


def _named(item: Any) -> str:
    return "None" if item is None else type(item).__name__


def _short(item: object) -> str:
    text = repr(item)
    return text if len(text) <= 40 else text[:37] + "..."


@dataclass(slots=True)
class InputTree:
    """What a traced callable takes: a name and a nesting for every argument, positional ones first."""

    names: list[str]
    trees: list[Tree]
    keyword_only: int = 0
    """How many at the end were given by keyword."""
    defaults: OrderedDict[str, Any] = field(default_factory=OrderedDict)
    """What arguments that are values of Python's are where they are left out."""
    given: GivenArguments = field(default_factory=GivenArguments, compare=False, repr=False)
    """The objects and numbers of a call, which the graph asks for by their place."""

    @property
    def plain(self) -> bool:
        """Whether every argument is one tensor."""
        return all(tree.kind == "tensor" for tree in self.trees)

    def note_places(self, places: set[str]) -> None:
        """Calls keep what stands at these places, for the graph to ask for; and what is to be the same elsewhere."""
        parts = [part for tree in self.trees for part in tree.walk()]
        wanted = places | {part.value for part in parts if part.kind == "same"}
        for part in parts:
            part.noted = bool(part.place) and part.place in wanted and part.kind != "same"

    def note_copies(self, leaves: list[torch.Tensor]) -> None:
        """Let the graph write to copies of the objects that the last call gave, with these tensors."""
        if not self.given.items:
            return
        found = Matching()
        for tree, name, item in zip(self.trees, self.names, rebuild_all(self.trees, iter(leaves)), strict=True):
            found.match(tree, item, name)
        numbers = {place: item for place, item in self.given.items.items() if isinstance(item, (int, float))}
        self.given.note({**found.noted, **numbers})

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
        found = Matching()
        for name, tree in zip(names, self.trees, strict=True):
            if name not in given:
                if tree.kind == "none":
                    continue
                if tree.kind in ("value", "number") and name in self.defaults:
                    given[name] = self.defaults[name]
            if name not in given:
                raise InputError(f"{function} needs the argument `{name}`; it takes {', '.join(names)}")
            try:
                found.match(tree, given[name], name)
            except InputError as error:
                if not tree.holds_objects:
                    raise
                raise AssumptionError(str(error)) from None
        if found.differing and differing is None:
            raise InputError(f"{found.differing[0]}: trace again")
        if differing is not None:
            differing += found.differing
        if found.noted:
            self.given.note(found.noted)
        return found.leaves
