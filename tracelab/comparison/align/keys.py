"""A graph as nested lists of items, each with keys that say how alike two items are.

An item is a node or a module call. Equal keys mean, from strong to weak: `named` all of the below and the same names;
`full` the same operators, constants, shapes and dtypes; `structure` the same operators and constants; `skeleton` the
same operators.
"""

from __future__ import annotations

from collections.abc import Hashable
from typing import Any

import torch

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.graph.scope import Scope
from tracelab.graph.source import Source
from tracelab.graph.text.arguments import filled_arguments, text_of
from tracelab.graph.types import TensorType


class Numbers:
    """The same number for the same key, for both graphs that are compared."""

    def __init__(self) -> None:
        self._known: dict[Hashable, int] = {}

    def of(self, key: Hashable) -> int:
        return self._known.setdefault(key, len(self._known))


class Item:
    """A node or a module call, with what stands in it in order of execution."""

    __slots__ = ("children", "full", "name", "named", "parent", "size", "skeleton", "structure", "thing")

    def __init__(self, thing: Node | Scope, parent: Item | None) -> None:
        self.thing = thing
        self.parent = parent
        self.children: list[Item] = []
        self.name = self.named = self.full = self.structure = self.skeleton = -1
        self.size = 1

    @property
    def is_node(self) -> bool:
        return type(self.thing) is Node

    def __repr__(self) -> str:
        return f"Item({self.thing!r})"


def items_of(graph: Graph, numbers: Numbers) -> tuple[Item, dict[Any, Item]]:
    """The root item, and the item of every node and of every scope in which something ran."""
    root = Item(graph.root, None)
    table: dict[Any, Item] = {graph.root: root}
    scopes = [root]

    def item_of(scope: Scope | None) -> Item:
        if scope is None:
            return root
        item = table.get(scope)
        if item is not None:
            return item
        missing = []
        at: Scope | None = scope
        while at is not None and at not in table:
            if at.parent is None:
                # The root of another graph, in one that was put together by hand.
                table[at] = root
                break
            missing.append(at)
            at = at.parent
        above = table.get(at, root) if at is not None else root
        for inner in reversed(missing):
            item = table[inner] = Item(inner, above)
            above.children.append(item)
            scopes.append(item)
            above = item
        return above

    keys = _Keys(numbers)
    for node in graph.nodes:
        parent = item_of(node.scope)
        item = table[node] = Item(node, parent)
        parent.children.append(item)
        keys.fill_node(item, node)
    for item in reversed(scopes):
        keys.fill_scope(item)
    return root, table


class _Keys:
    def __init__(self, numbers: Numbers) -> None:
        self.of = numbers.of
        self.places: dict[tuple[int, int], Hashable] = {}
        self.kept: list[Any] = []
        """Code objects by whose address `places` is filled: kept alive meanwhile."""

    def fill_scope(self, item: Item) -> None:
        scope, children = item.thing, item.children
        assert isinstance(scope, Scope)
        item.name = self.of(("scope", scope.last_name if scope.parent is not None else "", scope.call))
        # One scope by itself is not the same as the node in it.
        item.full = self.of(("scope full", *(child.full for child in children)))
        item.structure = self.of(("scope structure", *(child.structure for child in children)))
        item.skeleton = self.of(("scope skeleton", *(child.skeleton for child in children)))
        names = tuple((child.name, child.named) for child in children)
        item.named = self.of(("scope named", scope.class_name, names))
        item.size = sum(child.size for child in children)

    def fill_node(self, item: Item, node: Node) -> None:
        paths: list[str] = []
        arguments = tuple((name, self.argument(part, node, paths)) for name, part in filled_arguments(node))
        attributes = node.attributes and tuple(
            sorted((name, value) for name, value in node.attributes.items() if type(value) in _WORDS)
        )
        item.skeleton = self.of((node.kind, len(node.outputs)))
        item.structure = self.of((node.kind, node.overload, arguments, attributes or ()))
        item.full = self.of((item.structure, tuple(shown_type(value) for value in node.outputs)))
        item.name = self.of((self.place(node.source), tuple(paths)))
        item.named = item.full

    def argument(self, item: Any, node: Node, paths: list[str]) -> Hashable:
        """An argument without the values' own names: those of parameters count from their module on."""
        if type(item) is Value:
            if item.role in (Role.COMPUTED, Role.INPUT):
                return Value
            path = item.path or item.name
            prefix = node.scope.path + "." if node.scope is not None and node.scope.parent is not None else ""
            paths.append(path[len(prefix) :] if prefix and path.startswith(prefix) else path)
            return Role.PARAMETER
        kind = type(item)
        if item is None or kind in _PLAIN:
            # 1, 1.0 and True are equal, but are three constants; so are 0.0 and -0.0.
            return (kind.__name__, repr(item))
        if kind is list or kind is tuple:
            return ("list", *(self.argument(part, node, paths) for part in item))
        if kind is dict:
            return ("dict", *((str(key), self.argument(part, node, paths)) for key, part in item.items()))
        if kind is slice:
            return ("slice", *(self.argument(part, node, paths) for part in (item.start, item.stop, item.step)))
        return (kind.__name__, text_of(item))

    def place(self, source: Source | None) -> Hashable:
        """Where a node was called, in words that survive an edit of other lines: the function and the line's text."""
        if source is None:
            return None
        if not source.stack:
            return (source.function, source.text.strip() or source.line)
        code, offset = source.stack[0]
        key = (id(code), offset)
        found = self.places.get(key)
        if found is None:
            self.kept.append(code)
            text = source.text.strip()
            found = self.places[key] = (source.function, text or source.line - code.co_firstlineno)
        return found


_WORDS = (str, int, bool)
_PLAIN = frozenset({int, float, bool, str, complex, torch.dtype, torch.device, torch.layout, torch.memory_format})


def shown_type(value: Value) -> Hashable:
    """Dtype and shape of a tensor, the type's word for anything else."""
    type_ = value.type
    return (type_.dtype, type_.shape) if isinstance(type_, TensorType) else type_
