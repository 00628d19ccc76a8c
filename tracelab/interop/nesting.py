"""How inputs and outputs nest, from the pytree specs that torch.export writes as JSON."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any

from torch.fx.immutable_collections import immutable_dict, immutable_list

from tracelab.errors import TracelabError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT, DICT_CONSTRUCT, LIST_CONSTRUCT, TUPLE_CONSTRUCT
from tracelab.graph.own_attributes import maker_of
from tracelab.graph.tree import Tree
from tracelab.graph.types import type_text
from tracelab.storage import validation
from tracelab.storage.pickling import make_graphs_picklable

make_graphs_picklable()

_DEEPEST = 60
_PLAIN = {"builtins.tuple": "tuple", "builtins.list": "list", "builtins.dict": "dict"}
_PLAIN |= {"collections.OrderedDict": "dict", "collections.defaultdict": "dict", "torch.Size": "tuple"}
_PLAIN |= {"torch.fx.immutable_collections.immutable_list": "list"}
_PLAIN |= {"torch.fx.immutable_collections.immutable_dict": "dict"}


def read_spec(text: Any, where: str, fields: Mapping[str, list[str]]) -> Tree | None:
    """The nesting that a spec says, leaves as `tensor`; None for no spec.

    `fields` are the field names of named tuples by type. A class of the user's own becomes a dict where its context
    lists one key for each part, else a tuple: the class itself is never imported.
    """
    if not text:
        return None
    try:
        content = json.loads(validation.text(text, where))
    except (ValueError, RecursionError):
        validation.bad(where, "is no JSON")
    if isinstance(content, list) and len(content) == 2:
        content = content[1]
    return _tree(content, where, fields, 0)


def _tree(item: Any, where: str, fields: Mapping[str, list[str]], depth: int) -> Tree:
    entry = validation.table(item, where)
    if depth > _DEEPEST:
        validation.bad(where, "is nested too deeply")
    name = entry.get("type")
    below = validation.rows(entry.get("children_spec") or [], where)
    if name is None:
        return Tree("tensor")
    validation.text(name, where)
    children = [_tree(child, where, fields, depth + 1) for child in below]
    short = name.rpartition(".")[2]
    kind = _PLAIN.get(name)
    if name == "collections.namedtuple" or name in fields:
        keys = fields.get(name)
        if keys is None or len(keys) != len(children):
            return Tree("tuple", children, name=short)
        return Tree("namedtuple", children, list(keys), short)
    if kind in ("tuple", "list"):
        return Tree(kind, children)
    keys = _keys(entry.get("context"), len(children))
    if keys is not None:
        return Tree("dict", children, keys, short if kind is None else "")
    return Tree("tuple", children, name=short)


def _keys(context: Any, count: int) -> list[Any] | None:
    """The keys in a context: `["a", "b"]` of a dict; also found one level down, as classes of models write them."""
    if isinstance(context, str):
        try:
            context = json.loads(context)
        except (ValueError, RecursionError):
            return None
    if isinstance(context, dict):
        context = next((part for part in context.values() if isinstance(part, list)), None)
    if not isinstance(context, list):
        return None
    if len(context) != count:
        context = next((part for part in context if isinstance(part, list) and len(part) == count), None)
    if context is None or not all(isinstance(key, (str, int, float, bool, type(None))) for key in context):
        return None
    return context if len(set(map(repr, context))) == count and len(set(context)) == count else None


def construct(graph: Graph, tree: Tree, leaf: Callable[[], Any]) -> Any:
    """The item that nests like `tree`: `leaf()` gives its values and literals in order; adds the nodes that make it."""
    if tree.kind in ("tensor", "array", "none"):
        return leaf()
    if tree.kind == "value":
        return tree.value
    parts = [construct(graph, child, leaf) for child in tree.children]
    if tree.kind == "dict":
        node = _made(graph, DICT_CONSTRUCT, tuple(item for pair in zip(tree.keys, parts, strict=True) for item in pair))
        return node.outputs[0]
    if tree.kind == "list":
        return _made(graph, LIST_CONSTRUCT, tuple(parts)).outputs[0]
    node = _made(graph, TUPLE_CONSTRUCT, tuple(parts))
    if tree.kind == "namedtuple":
        node.set_attribute("fields", list(tree.keys))
        node.set_attribute("class", tree.name)
    return node.outputs[0]


def returned(graph: Graph, item: Any) -> Value:
    """The value of what the graph returns; `TracelabError` for a bare number or text, which is not a value."""
    if isinstance(item, Value):
        return item
    if item is None:
        return _made(graph, CONSTANT, ()).outputs[0]
    raise TracelabError(f"{graph.name} returns the constant {item!r} and nothing else: there is not a graph to show")


def _made(graph: Graph, kind: str, args: tuple[Any, ...]) -> Node:
    node = Node(kind, None, args, None, (), graph.root)
    node.outputs = (Value(node.name.lower().removesuffix("construct"), _type(kind, args), node),)
    graph.nodes.append(node)
    return node


def _type(kind: str, args: tuple[Any, ...]) -> str:
    if kind == TUPLE_CONSTRUCT:
        return f"({', '.join(type_text(arg.type) if isinstance(arg, Value) else type(arg).__name__ for arg in args)})"
    return {LIST_CONSTRUCT: "Tensor[]", DICT_CONSTRUCT: "Dict(str, Tensor)"}.get(kind, "NoneType")


def structured(graph: Graph, item: Any) -> Value:
    """The value of nested tuples, lists and dicts of values; adds the nodes that make them."""
    return returned(graph, _structured(graph, item))


def _structured(graph: Graph, item: Any) -> Any:
    if isinstance(item, dict):
        parts = tuple(part for key, child in item.items() for part in (key, _structured(graph, child)))
        return _of_class(_made(graph, DICT_CONSTRUCT, parts), item, dict).outputs[0]
    if isinstance(item, (list, tuple)):
        kind = LIST_CONSTRUCT if isinstance(item, list) else TUPLE_CONSTRUCT
        node = _made(graph, kind, tuple(_structured(graph, child) for child in item))
        if hasattr(item, "_fields"):
            node.target = type(item)
            node.set_attribute("fields", list(item._fields))
            node.set_attribute("class", type(item).__name__)
        return _of_class(node, item, list, tuple).outputs[0]
    return item


def _of_class(node: Node, item: Any, *plain: type) -> Node:
    """Note the class of what a node makes, where it is one of its own."""
    if node.target is None and type(item) not in (*plain, *_IMMUTABLE):
        node.target = maker_of(item, dict(item) if isinstance(item, dict) else list(item), "what it returns")
        node.set_attribute("class", type(item).__name__)
    return node


_IMMUTABLE = (immutable_list, immutable_dict)
