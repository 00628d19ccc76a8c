"""`Node` and `Value`: what a graph is made of.

The shape of it follows TorchScript's IR (nodes in execution order, values with one maker and many uses,
schema names as kinds), with two differences: arguments keep their Python structure, so that a constant is
no node; and in-place operators are recorded as they ran, so that node order is execution order.
"""

from __future__ import annotations

import enum
import functools
import weakref
from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any, Protocol, Self, SupportsIndex

import torch

from tracelab.errors import TracelabError
from tracelab.graph.kinds import Kind, kind_of
from tracelab.graph.scope import Scope
from tracelab.graph.source import Source
from tracelab.graph.types import TensorType, Type


class Role(enum.IntEnum):
    """Where a value comes from."""

    COMPUTED = 0
    INPUT = 1
    PARAMETER = 2
    BUFFER = 3
    CONSTANT = 4


class Value:
    """One value of the graph: an input, a parameter, or something that a node made.

    `name` is the debug name, unique in the graph after recording; `path` the qualified name of a parameter
    or buffer (`layer1.0.conv1.weight`); `node` the node that made it, None for inputs.
    """

    __slots__ = ("name", "node", "path", "role", "type")

    def __init__(
        self,
        name: str,
        type_: Type,
        node: Node | None = None,
        role: Role = Role.COMPUTED,
        path: str = "",
    ) -> None:
        self.name = name
        self.type = type_
        self.node = node
        self.role = role
        self.path = path

    @property
    def is_tensor(self) -> bool:
        return isinstance(self.type, TensorType)

    @property
    def shape(self) -> tuple[int, ...] | None:
        """The recorded shape in elements, None for what is not a tensor."""
        return self.type.shape if isinstance(self.type, TensorType) else None

    def __repr__(self) -> str:
        return f"%{self.name} : {self.type}"


_NO_ATTRIBUTES: Mapping[str, Any] = {}


class Node:
    """One call: an operator, a Python function, or a piece of structure.

    `kind` is the schema name (`aten::linear`), `overload` the overload's name (`Tensor`), `target` what runs it.
    `args` and `kwargs` hold values, constants, and lists, tuples and dicts of both. Setting `args`, `kwargs` or
    `target` is an edit of the graph, which its traced function follows; a change inside a list among the arguments is
    seen by nobody.
    """

    __slots__ = (
        "_args",
        "_attributes",
        "_kwargs",
        "_target",
        "kind",
        "outputs",
        "overload",
        "scope",
        "source",
        "stands_in",
    )

    def __init__(
        self,
        kind: str,
        target: Callable[..., Any] | None,
        args: tuple[Any, ...] = (),
        kwargs: dict[str, Any] | None = None,
        outputs: tuple[Value, ...] = (),
        scope: Scope | None = None,
        source: Source | None = None,
        attributes: dict[str, Any] | None = None,
        overload: str = "",
    ) -> None:
        self.kind = kind
        self.overload = overload
        self._target = target
        self._args = args
        self._kwargs = kwargs
        self.outputs = outputs
        self.scope = scope
        self.source = source
        self._attributes = attributes
        self.stands_in: NodeList | None = None
        """The nodes of its graph."""

    @property
    def graph(self) -> Owner | None:
        """The graph that it stands in; None where it stands in none, or in one that nobody holds any more."""
        return None if self.stands_in is None else self.stands_in.owner

    @property
    def target(self) -> Callable[..., Any] | None:
        """What runs it; None for structure, for which code is written directly."""
        return self._target

    @target.setter
    def target(self, target: Callable[..., Any] | None) -> None:
        self._target = target
        self._edited()

    @property
    def args(self) -> tuple[Any, ...]:
        """Its arguments by position."""
        return self._args

    @args.setter
    def args(self, args: tuple[Any, ...]) -> None:
        if not isinstance(args, tuple):
            raise TracelabError(f"the arguments of {self.kind} are a tuple, but got {type(args).__name__}")
        self._args = as_values(args)
        self._edited()

    @property
    def kwargs(self) -> dict[str, Any] | None:
        """Its arguments by keyword; None where it has none."""
        return self._kwargs

    @kwargs.setter
    def kwargs(self, kwargs: dict[str, Any] | None) -> None:
        self._kwargs = as_values(kwargs)
        self._edited()

    def _edited(self) -> None:
        if self.stands_in is not None:
            self.stands_in.version += 1

    @property
    def attributes(self) -> Mapping[str, Any]:
        """What is known of the node beside its arguments: `inplace`, `value`, `name`."""
        return _NO_ATTRIBUTES if self._attributes is None else self._attributes

    def set_attribute(self, name: str, value: Any) -> None:
        """Note something of the node beside its arguments; running it does not depend on it."""
        if self._attributes is None:
            self._attributes = {}
        self._attributes[name] = value

    @property
    def inputs(self) -> tuple[Value, ...]:
        """The values it uses, in argument order; a value used twice stands twice."""
        found: list[Value] = []
        for item in self._args:
            # Most are values and plain numbers: a call for each of those would cost more than the rest.
            if type(item) is Value:
                found.append(item)
            elif type(item) not in _ATOMS:
                collect_values(item, found)
        if self._kwargs:
            collect_values(self._kwargs, found)
        return tuple(found)

    @property
    def all_input_nodes(self) -> list[Node]:
        """The nodes that made what it uses, each once; inputs of the graph have none."""
        return list(dict.fromkeys(value.node for value in self.inputs if value.node is not None))

    @property
    def users(self) -> dict[Node, None]:
        """The nodes that use what it made, in order; found by one walk over the graph.

        Raises `TracelabError` for a node that is in no graph.
        """
        uses = self._list().uses()
        return dict.fromkeys(user for value in self.outputs for user in uses.get(value, ()))

    def replace_all_uses_with(self, replacement: Node | Value) -> list[Node]:
        """Let its users, and the graph's outputs, use another node's outputs, or another value; gives the users.

        Raises `TracelabError` where the other node has another number of outputs, comes after every use, or where the
        node is in no graph.
        """
        if not isinstance(replacement, (Node, Value)):
            raise TracelabError(f"a node or a value can replace {self.kind}, but got {type(replacement).__name__}")
        new = replacement.outputs if isinstance(replacement, Node) else (replacement,)
        if len(new) != len(self.outputs):
            raise TracelabError(f"{self.kind} has {len(self.outputs)} outputs, and what replaces it has {len(new)}")
        owner = self._list().owner
        if owner is None:
            raise TracelabError(f"nobody holds the graph of {self.kind} any more: keep it, or its traced function")
        changed: dict[Node, None] = {}
        for old, value in zip(self.outputs, new, strict=True):
            changed.update(dict.fromkeys(owner.replace_all_uses_with(old, value)))
        return list(changed)

    def _list(self) -> NodeList:
        if self.stands_in is None:
            raise TracelabError(f"{self.kind} is in no graph: it was erased, or not inserted yet")
        return self.stands_in

    @property
    def output(self) -> Value:
        """Its only output; `TracelabError` when it has none or several."""
        if len(self.outputs) != 1:
            raise TracelabError(f"{self.kind} has {len(self.outputs)} outputs, not one: choose one of node.outputs")
        return self.outputs[0]

    @property
    def schema(self) -> torch.FunctionSchema | None:
        """The operator's schema, None for what is not an operator of torch's registry."""
        return getattr(self._target, "_schema", None)

    @property
    def traits(self) -> Kind:
        """What holds for every node of its kind."""
        return kind_of(self.kind)

    @property
    def name(self) -> str:
        """The operator's short name: `linear` of `aten::linear`."""
        return self.kind.rpartition("::")[2]

    def __repr__(self) -> str:
        made = ", ".join(f"%{value.name}" for value in self.outputs)
        used = ", ".join(f"%{value.name}" for value in self.inputs)
        return f"{made} = {self.kind}({used})" if made else f"{self.kind}({used})"


class Owner(Protocol):
    """What a node asks of the graph that it stands in."""

    @property
    def nodes(self) -> NodeList: ...

    def replace_all_uses_with(self, old: Value, new: Value) -> list[Node]: ...


class NodeList(list[Node]):
    """The nodes of one graph: a list that tells each node which graph it stands in, and counts its edits.

    Nodes hold the list, and the list does not hold the graph: weights go with the last who holds that, and wait for no
    garbage collection.
    """

    __slots__ = ("_owner", "version")

    def __init__(self, owner: Owner) -> None:
        super().__init__()
        self._owner = weakref.ref(owner)
        self.version = 0
        """Grows with every edit, so that what was made from the nodes knows when to be made anew."""

    @property
    def owner(self) -> Owner | None:
        """The graph, while somebody holds it."""
        return self._owner()

    def uses(self) -> dict[Value, list[Node]]:
        """The nodes that use each value, computed in one walk."""
        found: dict[Value, list[Node]] = {}
        for node in self:
            for value in dict.fromkeys(node.inputs):
                found.setdefault(value, []).append(node)
        return found

    def append(self, node: Node) -> None:
        node.stands_in = self
        self.version += 1
        super().append(node)

    def __iter__(self) -> Iterator[Node]:
        """The nodes that are there when it begins; those that are erased on the way are left out."""
        version = self.version
        for node in self[:]:
            if self.version == version or node.stands_in is self:
                yield node

    def insert(self, index: SupportsIndex, node: Node) -> None:
        self._take([node])
        super().insert(index, node)

    def extend(self, nodes: Iterable[Node]) -> None:
        super().extend(self._take(nodes))

    def __iadd__(self, nodes: Iterable[Node]) -> Self:  # type: ignore[override,misc]
        self.extend(nodes)
        return self

    def __setitem__(self, index: Any, item: Any) -> None:
        many = isinstance(index, slice)
        gone = self[index] if many else [self[index]]
        taken = list(item) if many else [item]
        self._leave(gone)
        super().__setitem__(index, self._take(taken) if many else self._take(taken)[0])

    def __delitem__(self, index: SupportsIndex | slice) -> None:
        self._leave(self[index] if isinstance(index, slice) else [self[index]])
        super().__delitem__(index)

    def remove(self, node: Node) -> None:
        super().remove(node)
        self._leave([node])

    def pop(self, index: SupportsIndex = -1) -> Node:
        node = super().pop(index)
        self._leave([node])
        return node

    def clear(self) -> None:
        self._leave(self[:])
        super().clear()

    def reverse(self) -> None:
        self.version += 1
        super().reverse()

    def _take(self, nodes: Iterable[Node]) -> list[Node]:
        taken = list(nodes)
        self.version += 1
        for node in taken:
            node.stands_in = self
        return taken

    def _leave(self, nodes: list[Node]) -> None:
        self.version += 1
        for node in nodes:
            node.stands_in = None

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


class ValueList(list[Value]):
    """The inputs or outputs of one graph: a list whose edits count with those of the graph's nodes."""

    __slots__ = ("nodes",)

    def __init__(self, nodes: NodeList, values: Iterable[Value] = ()) -> None:
        super().__init__(values)
        self.nodes = nodes

    def __reduce__(self) -> tuple[Any, ...]:
        return list, (list(self),)


def _counted(name: str) -> Callable[..., Any]:
    original = getattr(list, name)

    @functools.wraps(original)
    def method(self: ValueList, *args: Any) -> Any:
        self.nodes.version += 1
        return original(self, *args)

    return method


for _name in ("append", "extend", "insert", "remove", "pop", "clear", "reverse", "sort"):
    setattr(ValueList, _name, _counted(_name))
for _name in ("__setitem__", "__delitem__", "__iadd__", "__imul__"):
    setattr(ValueList, _name, _counted(_name))


_ATOMS = frozenset({int, float, bool, str, type(None)})


def collect_values(item: Any, found: list[Value]) -> None:
    """Append every `Value` inside a structure of arguments to `found`, in order."""
    if type(item) is Value:
        found.append(item)
    elif isinstance(item, (tuple, list)):
        for child in item:
            collect_values(child, found)
    elif isinstance(item, dict):
        for child in item.values():
            collect_values(child, found)
    elif type(item) is slice:
        collect_values((item.start, item.stop, item.step), found)


def as_values(item: Any) -> Any:
    """The same structure of arguments, where a node stands for its only output."""
    if isinstance(item, Node):
        return item.output
    if type(item) in (tuple, list):
        return type(item)(map(as_values, item)) if any(_holds_node(child) for child in item) else item
    if type(item) is dict:
        return {key: as_values(child) for key, child in item.items()} if _holds_node(item) else item
    return item


def _holds_node(item: Any) -> bool:
    if type(item) is dict:
        return any(map(_holds_node, item.values()))
    return isinstance(item, Node) or (type(item) in (tuple, list) and any(map(_holds_node, item)))


def map_values(item: Any, function: Callable[[Value], Any]) -> Any:
    """The same structure of arguments with every `Value` replaced by `function(value)`."""
    if type(item) is Value:
        return function(item)
    if isinstance(item, tuple):
        mapped = [map_values(child, function) for child in item]
        return type(item)(*mapped) if hasattr(item, "_fields") else tuple(mapped)
    if isinstance(item, list):
        return [map_values(child, function) for child in item]
    if isinstance(item, dict):
        return {key: map_values(child, function) for key, child in item.items()}
    if type(item) is slice:
        return slice(*(map_values(part, function) for part in (item.start, item.stop, item.step)))
    return item


def unique_names(values: Iterable[Value], taken: Iterable[str] = ()) -> None:
    """Give every value a name of its own, and none of those that are taken: the second `x` becomes `x.1`."""
    names = set(taken)
    counts: dict[str, int] = {}
    for value in values:
        base = value.name
        name = base
        while name in names:
            counts[base] = counts.get(base, 0) + 1
            name = f"{base}.{counts[base]}"
        names.add(name)
        value.name = name
