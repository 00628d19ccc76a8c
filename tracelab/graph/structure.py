"""What a traced callable takes: a nesting for every argument, which each call is compared with."""

from __future__ import annotations

from collections import OrderedDict, deque
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

import numpy
import torch

from tracelab.errors import AssumptionError, InputError
from tracelab.graph.arrays import WRITTEN, ArrayStandIn, array_tensor, is_shared
from tracelab.graph.assumptions import Assumption, AssumptionKind
from tracelab.graph.given_arguments import GivenArguments
from tracelab.graph.given_keys import GivenKeys, key_probe, question
from tracelab.graph.ir import Node
from tracelab.graph.kinds import ARGUMENT, DELETE, SET_FIELD, SET_ITEMS, SET_KEYS
from tracelab.graph.objects import holds_tensor
from tracelab.graph.own_attributes import own_attributes
from tracelab.graph.registered import Structure
from tracelab.graph.same_values import same_value
from tracelab.graph.tree import AS_GIVEN, MUTABLE, Tree, fields_now, rebuild_all
from tracelab.graph.types import counted


class Matching:
    """One call: its tensors, what is to be found again, and sentences of what is not as it was at the trace."""

    __slots__ = ("differing", "first", "leaves", "noted")

    def __init__(self) -> None:
        self.leaves: list[Any] = []
        self.noted: dict[str, Any] = {}
        self.differing: list[str] = []
        self.first: dict[int, tuple[Tree, Any]] = {}
        """What may be written to, by its id, at the first place where it stands."""

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
        elif kind == "same":
            if item is not self.noted.get(tree.value):
                raise InputError(f"`{where}` was the object at `{tree.value}` when it was traced, and is another now")
        else:
            self._nested(tree, item, where)

    def _nested(self, tree: Tree, item: Any, where: str) -> None:
        kind = tree.kind
        if kind in MUTABLE and kind != "structure":
            first, _ = self.first.setdefault(id(item), (tree, item))
            if first is not tree and (first.written or tree.written):
                self.differing.append(
                    f"`{where}` was another object than `{first.place}` when it was traced, "
                    "and is the same at this call"
                )
        if kind == "dict":
            self._mapping(tree, item, where)
        elif kind == "object":
            self._object(tree, item, where)
        elif kind == "structure":
            self._structure(tree, item, where)
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
        before, behind = _short(then), _short(now)
        if before == behind:
            before, behind = f"one {type(then).__name__}", "another"
        self.differing.append(f"`{where}` was {before} when it was traced, and is {behind} at this call")

    def _mapping(self, tree: Tree, item: Any, where: str) -> None:
        if not isinstance(item, Mapping) or (tree.maker is not None and type(item).__name__ != tree.name):
            raise InputError(
                f"`{where}` should be a {tree.name or 'dict'}, as when it was traced, but is {_named(item)}"
            )
        if tree.given is not None:
            tree.given.note(item)
        if tree.maker is not None and len(item) != len(tree.keys):
            self._other_names(tree, list(item), where, "keys")
        if tree.name and (tree.maker is not None or tree.value):
            self._attributes(tree, item, where)
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
        parts, context = maker.taken_apart(item)
        parts = list(parts)
        if not same_value(context, tree.value):
            self._differs(f"the context of {where}", tree.value, context)
        self._parts(tree, parts, where, "part")

    def _sequence(self, tree: Tree, item: Any, where: str) -> None:
        if not isinstance(item, (tuple, list, deque)):
            raise InputError(f"`{where}` should be a {tree.kind}, as when it was traced, but is {_named(item)}")
        then, now = tree.name or tree.kind, type(item).__name__
        if now != then:
            # Code may have asked for it, and can do other things with it.
            self.differing.append(f"`{where}` was of the class {then} when it was traced, and is of {now} at this call")
        if tree.name and (tree.maker is not None or tree.value):
            self._attributes(tree, item, where)
        self._parts(tree, item, where, "element")

    def _attributes(self, tree: Tree, item: Any, where: str) -> None:
        """Attributes of a container beside its elements: those of the trace."""
        then, now = tree.value or {}, own_attributes(item)
        for name in dict.fromkeys((*then, *now)):
            if name not in now or (name not in then and not holds_tensor(now[name], set(), 0)):
                has = "lacks" if name in then else "has"
                self.differing.append(
                    f"`{where}` {has} the attribute {name!r} at this call, other than when it was traced"
                )
            elif name in then and not same_value(now[name], then[name]):
                self._differs(f"{where}.{name}", then[name], now[name])

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
    text = " ".join(repr(item).split())
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
    positional: tuple[str, ...] = ()
    """All arguments of the function that may be given by position, in order; empty where they are not known."""
    omitted: dict[str, Any] = field(default_factory=dict)
    """What the arguments are by default that the call at the trace left out."""
    _plain: bool | None = field(default=None, compare=False, repr=False, init=False)
    given: GivenArguments = field(default_factory=GivenArguments, compare=False, repr=False)
    """The objects and numbers of a call, which the graph asks for by their place."""

    @property
    def plain(self) -> bool:
        """Whether every argument is one tensor, and stands where it stands in the function's signature."""
        if self._plain is None:
            count = len(self.names)
            moved = bool(self.keyword_only and self.positional and tuple(self.names) != self.positional[:count])
            self._plain = not moved and all(tree.kind == "tensor" for tree in self.trees)
        return self._plain

    def used_as_given(self) -> dict[str, Any]:
        """The modules and optimizers among the arguments of the trace, by their place: code runs them as they are."""
        parts = [part for tree in self.trees for part in tree.walk() if part.kind == "value"]
        return {part.place: part.value for part in parts if isinstance(part.value, AS_GIVEN)}

    def note_places(self, nodes: Iterable[Node]) -> None:
        """Calls keep what the graph asks for by its place, and what is to be the same elsewhere."""
        places: set[str] = set()
        written: set[str] = set()
        for node in nodes:
            if node.kind == ARGUMENT:
                places.add(node.args[0])
            elif node.kind in (SET_FIELD, SET_ITEMS, SET_KEYS, DELETE) and node.args[0].node is not None:
                written.add(node.args[0].node.args[0])
        parts = [part for tree in self.trees for part in tree.walk()]
        wanted = places | {part.value for part in parts if part.kind == "same"}
        for part in parts:
            part.noted = bool(part.place) and part.place in wanted and part.kind != "same"
            part.written = part.place in written and part.kind != "same"

    def note_keys(self, assumptions: Iterable[Assumption]) -> None:
        """Ask for the keys of a call again, as a recording did that was kept in a file or a pickle."""
        dicts = [part for tree in self.trees for part in tree.walk() if part.kind == "dict"]
        for item in assumptions:
            if item.kind is not AssumptionKind.KEYS or item.probe is not None:
                continue
            for tree in dicts:
                ask = question(item.subject, tree.place)
                if ask is not None:
                    tree.given = tree.given or GivenKeys()
                    item.probe = key_probe(tree.given, ask, item.constant)

    def note_copies(self, leaves: list[torch.Tensor]) -> None:
        """Let the graph write to copies of the objects that the last call gave, with these tensors."""
        if not self.given.items:
            return
        found = Matching()
        for tree, name, item in zip(self.trees, self.names, rebuild_all(self.trees, iter(leaves)), strict=True):
            found.match(tree, item, name)
        numbers = {place: item for place, item in self.given.items.items() if isinstance(item, (int, float))}
        self.given.note({**found.noted, **numbers})

    def _as_traced(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], function: str
    ) -> tuple[tuple[Any, ...], Mapping[str, Any]]:
        """The arguments of a call by the names of the function's, without those that are as by default."""
        order, by_position = self.positional, len(self.names) - self.keyword_only
        if len(args) > len(order) or tuple(self.names[:by_position]) != order[:by_position]:
            return args, kwargs
        given = dict(zip(order, args, strict=False))
        twice = next((name for name in kwargs if name in given), "")
        if twice:
            raise InputError(f"{function} got `{twice}` twice")
        given.update(kwargs)
        for name in [name for name in given if name not in self.names and name in self.omitted]:
            item, default = given.pop(name), self.omitted[name]
            if not same_value(item, default):
                raise InputError(
                    f"`{name}` was left out when {function} was traced, where it is {_short(default)}, "
                    f"and is {_named(item)} at this call: trace again with it"
                )
        return (), given

    def flatten(
        self, args: tuple[Any, ...], kwargs: Mapping[str, Any], function: str, differing: list[str] | None = None
    ) -> list[torch.Tensor]:
        """The tensors of a call, in the order of the graph's inputs; `InputError` where it does not fit.

        Values of Python's that are others than at the trace are told in `differing`, where it is given.
        """
        names = self.names
        if self.positional and (len(args) > len(names) or kwargs or self.keyword_only):
            args, kwargs = self._as_traced(args, kwargs, function)
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
