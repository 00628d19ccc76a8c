"""The arguments of a recording: copies, so that the user's own stay as they are until it is known what one call does.

The traced code gets objects of the user's classes. What it writes into one is found when it has returned, and becomes
nodes that write into the object that a call gives.
"""

from __future__ import annotations

import enum
from collections import OrderedDict
from collections.abc import Callable, Iterable, Iterator
from types import FunctionType
from typing import Any

import torch

from tracelab.capture.recording.arrays.dtypes import version_of
from tracelab.capture.recording.arrays.traced_array import Given, TracedArray
from tracelab.capture.recording.dict_arguments import DictArgument
from tracelab.capture.recording.input_attributes import named_in
from tracelab.capture.recording.outputs import Structure
from tracelab.capture.recording.recorder import Recorder, recording_paused
from tracelab.capture.recording.sym_numbers import traced_number
from tracelab.capture.values import PLAIN_TENSORS, SYMBOLIC
from tracelab.errors import TracelabError
from tracelab.graph.arrays import WRITTEN, ArrayStandIn, is_array
from tracelab.graph.intrinsics import DELETE, SET_ARRAY, SET_ELEMENTS, SET_FIELD, SET_ITEMS, SET_KEYS, Intrinsic
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import ARGUMENT
from tracelab.graph.objects import attributes_of, is_object
from tracelab.graph.own_attributes import own_attributes
from tracelab.graph.same_values import same_value
from tracelab.graph.tree import Tree, build

Change = tuple[str, Any, Any]
"""What was done to an object (a name of `graph.intrinsics`), to which of its parts, and what stands there now."""


_ABSENT: Any = object()
_ELEMENTS = (str, bytes, int, float, bool, complex, type(None))


class Arguments:
    """Copies of the arguments, made for one recording, and what it changed in them."""

    def __init__(self, trees: list[Tree], clones: list[torch.Tensor]) -> None:
        self.trees = trees
        self.clones = clones
        self.marks: list[tuple[torch.Tensor, str, Any]] = []
        """Attributes that the code gave a tensor, each with its name and what it holds."""
        self.changes: list[tuple[str, list[Change]]] = []
        """What was changed, by the place of the object."""
        self.copies: dict[int, tuple[Any, str]] = {}
        """What may be written to, by its id, and its place."""
        self.took_numbers = False
        """Whether code that raised had taken numbers out of tensors."""
        self.undo: Callable[[], None] | None = None
        """Puts back what code that raised had changed in Python's state, so that it can be recorded again."""
        self.arrays: list[tuple[Tree, TracedArray, Given]] = []
        self._recorder: Recorder | None = None
        self._leaves: Iterator[torch.Tensor] = iter(())
        self._values: dict[str, Value] = {}
        self._before: list[tuple[Tree, Any, Any]] = []
        self._attributes: list[tuple[Tree, Any, dict[str, Any]]] = []
        self._marks = [(clone, dict(vars(clone))) for clone in clones if type(clone) in PLAIN_TENSORS]

    def build(self, recorder: Recorder) -> list[Any]:
        """The arguments as the traced code gets them."""
        self._recorder, self._leaves = recorder, iter(self.clones)
        known: dict[str, Any] = {}
        return [build(tree, self, known) for tree in self.trees]

    def value_of(self, item: Any) -> Value | None:
        """The value of an object that is one of the arguments, or in one."""
        found = self.copies.get(id(item))
        if found is None:
            return None
        if found[1] not in self._values:
            assert self._recorder is not None
            self._values[found[1]] = self._asked_at(
                found[1], "ndarray" if isinstance(item, ArrayStandIn) else type(item).__name__
            )
        return self._values[found[1]]

    # What copies are made of -------------------------------------------------------------------------------

    def tensor(self) -> torch.Tensor:
        return next(self._leaves)

    def array(self, tree: Tree) -> Any:
        assert self._recorder is not None
        given = Given(next(self._leaves), tree.value.flags.writeable)
        made = TracedArray(self._recorder, given.tensor, (given,), given)
        self.arrays.append((tree, made, given))
        self.copies[id(made)] = made, tree.place
        return made

    def number(self, tree: Tree) -> Any:
        assert self._recorder is not None
        value = self._asked(tree, type(tree.value).__name__)
        return traced_number(self._recorder, tree.value, value)

    def value(self, tree: Tree) -> Any:
        made = tree.value.copy()
        self._before.append((tree, made, None))
        self.copies[id(made)] = made, tree.place
        return made

    def plain_dict(self, tree: Tree, parts: dict[Any, Any]) -> Any:
        made = DictArgument(parts)
        made.tree, made.where = tree, tree.place
        return made

    def made(self, tree: Tree, item: Any) -> None:
        assert self._recorder is not None
        value = self._values[tree.place] = self._asked(tree, tree.name or tree.kind)
        self.copies[id(item)] = item, tree.place
        self._recorder.note_object(item, value)
        self._before.append((tree, item, _content(tree, item)))
        if tree.kind in ("list", "dict") and tree.name:
            self._attributes.append((tree, item, own_attributes(item)))

    def _asked(self, tree: Tree, type_: str) -> Value:
        return self._asked_at(tree.place, type_)

    def _asked_at(self, place: str, type_: str) -> Value:
        assert self._recorder is not None
        node = Node(ARGUMENT, None, (place,), None, (), self._recorder.graph.root)
        value = Value(place, type_, node)
        node.outputs = (value,)
        self._recorder.nodes.append(node)
        return value

    # What the code changed ---------------------------------------------------------------------------------

    def record_changes(self, recorder: Recorder, structure: Structure, functions: Iterable[FunctionType]) -> None:
        """Nodes that do to the objects of a call what the code, which reaches `functions`, did to the copies."""
        for tree, _, given in self.arrays:
            tree.name = WRITTEN if given.written or version_of(given.tensor) else ""
            tree.value = tree.value if given.read else None
        structure.depth += 1
        for tree, item, before in self._before:
            found = list(_changes(tree, before, _content(tree, item)))
            for what, key, part in found:
                self._record(recorder, structure, tree, what, key, part)
            if found:
                self.changes.append((tree.place, [(what, key, self._plain(part)) for what, key, part in found]))
        self._record_marks(recorder, structure, functions)
        structure.depth -= 1
        for tree, item, before in self._attributes:
            if not _same_attributes(own_attributes(item), before, tree.value or {}):
                _warn(recorder, tree.place, f"the attributes of a {tree.name}. Put it among the elements, or return it")
        for tree, item, _ in self._before:
            _make_numbers_plain(tree, item)
        self._before, self._attributes = [], []

    def _record(self, recorder: Recorder, structure: Structure, tree: Tree, what: str, key: Any, part: Any) -> None:
        if what == "value":
            self._record_content(recorder, tree, self._plain(part))
            return
        target = self._values[tree.place]
        if what == "structure":
            _warn(recorder, tree.place, "an object of a class that was registered. Return what changes")
        elif what == "items":
            parts = [structure.value(child, False, f"{tree.place}[{at}]") for at, child in enumerate(part)]
            _add(recorder, SET_ITEMS, target, parts)
        elif what == "key":
            _add(recorder, SET_KEYS, target, {key: structure.value(part, False, f"{tree.place}[{key!r}]")})
        elif what == "field":
            _add(recorder, SET_FIELD, target, key, structure.value(part, False, f"{tree.place}.{key}"))
        else:
            _add(recorder, DELETE, target, [key])

    def _record_marks(self, recorder: Recorder, structure: Structure, functions: Iterable[FunctionType]) -> None:
        """What the code wrote to attributes of tensors: `x.seen = True`. Those of torch's own are no part of it."""
        changed = [(tensor, before) for tensor, before in self._marks if not _is_table(vars(tensor), before)]
        named = named_in(recorder, functions) if changed else frozenset[str]()
        for tensor, before in changed:
            now, value = vars(tensor), recorder.known(tensor)
            if value is None:
                continue
            for name, part in list(now.items()):
                if part is before.get(name, _ABSENT) or name not in named:
                    continue
                now[name] = self._plain(part)
                self.marks.append((tensor, name, now[name]))
                try:
                    _add(recorder, SET_FIELD, value, name, structure.value(part, False, f"{value.name}.{name}"))
                except TracelabError:
                    _warn(recorder, value.name, f"its attribute {name!r}, which holds no tensor or number. Return it")
            if not named.isdisjoint(before.keys() - now.keys()):
                _warn(recorder, value.name, "attributes that the code deletes. Set them to None")

    def _record_content(self, recorder: Recorder, tree: Tree, content: Any) -> None:
        """What the code left in an array or a set, of which the trace assumes what was in it before."""
        if isinstance(content, set) and all(type(part) in _ELEMENTS or isinstance(part, enum.Enum) for part in content):
            target = self.value_of(self._copy_at(tree.place))
            _add(recorder, SET_ELEMENTS, target, sorted(content, key=repr))
        elif is_array(content) and content.shape == tree.value.shape:
            target = self.value_of(self._copy_at(tree.place))
            with recording_paused(recorder):
                kept = torch.from_numpy(content.copy())
            _add(recorder, SET_ARRAY, target, recorder.value_of(kept))
        else:
            _warn(recorder, tree.place, "an array or a set of such parts. Return what changes, or make it a tensor")

    def _copy_at(self, place: str) -> Any:
        return next(item for item, where in self.copies.values() if where == place)

    def _plain(self, part: Any) -> Any:
        """The same with numbers that are not traced, kept for the user's object."""
        if isinstance(part, SYMBOLIC):
            return part.node.number
        if type(part) in (list, tuple, set):
            return type(part)(map(self._plain, part))
        return part


def _is_table(now: dict[str, Any], before: dict[str, Any]) -> bool:
    """Whether a table of attributes holds what it held."""
    return len(now) == len(before) and all(now[name] is before.get(name) for name in now)


def _warn(recorder: Recorder, place: str, what: str) -> None:
    recorder.warn(
        "state",
        f"The argument `{place}` was written to while tracing, which might cause the trace to be incorrect: a replay "
        f"does not write to {what}.",
        place,
        place=place,
    )


def _content(tree: Tree, item: Any) -> Any:
    """What stands in something that code may write to."""
    if tree.kind == "list":
        return list(item)
    if tree.kind == "dict":
        return dict(item.items() if isinstance(item, OrderedDict) else dict.items(item))
    if tree.kind == "object":
        return attributes_of(item)
    if tree.kind == "value":
        return item
    parts, context = tree.maker.taken_apart(item)  # type: ignore[union-attr]
    return [*parts], context, attributes_of(item) if is_object(item) else {}


def _changes(tree: Tree, before: Any, now: Any) -> Iterator[Change]:
    if tree.kind == "value":
        if not same_value(now, tree.value):
            yield "value", None, now
    elif tree.kind == "list":
        if len(before) != len(now) or any(new is not old for new, old in zip(now, before, strict=True)):
            yield "items", None, now
    elif tree.kind == "structure":
        fields = [(name, part) for name, part in now[2].items() if part is not before[2].get(name, _ABSENT)]
        for name, part in fields:
            yield "field", name, part
        known = {id(part) for _, part in fields}
        fresh = [new for new, old in zip(now[0], before[0], strict=False) if new is not old]
        whole = len(before[0]) == len(now[0]) and all(id(part) in known for part in fresh)
        # What stands in the context is no part; a field that it is made of may have changed.
        if not whole or (not fields and not same_value(now[1], before[1])) or not now[2].keys() >= before[2].keys():
            yield "structure", None, None
    else:
        what = "key" if tree.kind == "dict" else "field"
        moved = _moved(before, now) if what == "key" else set()
        for key in before:
            if key not in now or key in moved:
                yield "delete", key, None
        for key, part in now.items():
            if key not in before or key in moved or part is not before[key]:
                yield what, key, part


def _same_attributes(now: dict[str, Any], before: dict[str, Any], kept: dict[str, Any]) -> bool:
    """Whether a container has the attributes that it had; those that are `kept` may hold what was written to."""
    return now.keys() == before.keys() and all(
        same_value(part, kept[name]) if name in kept else part is before[name] for name, part in now.items()
    )


def _moved(before: dict[Any, Any], now: dict[Any, Any]) -> set[Any]:
    """The keys that stand behind where they would stand if none had been taken out and put in again."""
    places = {key: at for at, key in enumerate(before)}
    stayed, last = set(), -1
    for key in now:
        if places.get(key, -1) <= last:
            break
        stayed.add(key)
        last = places[key]
    return {key for key in before if key in now} - stayed


def _make_numbers_plain(tree: Tree, item: Any) -> None:
    """Nothing holds a traced number when the recording is over: to look for one takes long."""
    if tree.kind == "list":
        for at, part in enumerate(item):
            if isinstance(part, SYMBOLIC):
                item[at] = part.node.number
    elif tree.kind == "dict":
        for key, part in dict.items(item):
            if isinstance(part, SYMBOLIC):
                dict.__setitem__(item, key, part.node.number)
    elif tree.kind == "object":
        for name, part in attributes_of(item).items():
            if isinstance(part, SYMBOLIC):
                object.__setattr__(item, name, part.node.number)


def _add(recorder: Recorder, intrinsic: Intrinsic, *args: Any) -> None:
    recorder.nodes.append(Node(intrinsic.kind, intrinsic.function, args, None, (), recorder.graph.root))
