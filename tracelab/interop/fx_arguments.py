"""The arguments and results of a graph module that takes structures, as its code generator has them."""

from __future__ import annotations

from collections import OrderedDict, defaultdict
from typing import Any

from torch import fx
from torch.utils import _pytree as pytree

from tracelab.compat.leaving import structures_of
from tracelab.graph.tree import Tree

_NUMBERS = (bool, int, float)


def argument_trees(module: fx.GraphModule) -> tuple[list[str], list[Tree], int] | None:
    """Name and nesting of each argument, and how many are by keyword; None for one that takes flat tensors.

    Leaves are in the order of the placeholders; those that are no tensors, and that no node uses, are values.
    """
    info = structures_of(module.graph)
    if info is None or info.in_spec is None:
        return None
    spec = info.in_spec
    nodes = iter([node for node in module.graph.nodes if node.op == "placeholder"])
    names = [name for name in info.orig_args if name != "self"]
    children = spec.children()
    if spec.type is tuple and len(children) == 2 and children[0].type is tuple and children[1].type is dict:
        parts = [*children[0].children(), *children[1].children()]
        keywords = children[1].num_children
    else:
        parts, keywords = list(children), 0
    if len(parts) != len(names):
        return None
    return names, [_tree(part, name, nodes) for part, name in zip(parts, names, strict=True)], keywords


def _tree(spec: Any, place: str, nodes: Any) -> Tree:
    if spec.is_leaf():
        node = next(nodes, None)
        constant = node.meta.get("val") if node is not None else None
        if node is not None and not node.users and (constant is None or isinstance(constant, (*_NUMBERS, str))):
            if "val" in node.meta:
                return Tree("none" if constant is None else "value", value=constant, place=place)
        elif isinstance(constant, _NUMBERS):
            return Tree("number", value=constant, place=place)
        return Tree("tensor", place=place)
    kind, children = spec.type, spec.children()
    if kind in (dict, OrderedDict, defaultdict):
        keys = list(spec.context[1] if kind is defaultdict else spec.context)
        parts = [_tree(child, f"{place}[{key!r}]", nodes) for key, child in zip(keys, children, strict=True)]
        return Tree(
            "dict", parts, keys, maker=None if kind is dict else kind, name="" if kind is dict else kind.__name__
        )
    below = [_tree(child, f"{place}[{index}]", nodes) for index, child in enumerate(children)]
    if kind is list:
        return Tree("list", below)
    named = spec.context if isinstance(spec.context, type) else None
    if named is not None and hasattr(named, "_fields"):
        return Tree("namedtuple", below, list(named._fields), named.__name__, named)
    return Tree("tuple", below, name="" if kind is tuple else kind.__name__)


def result_of(module: fx.GraphModule, result: Any) -> Any:
    """What the graph module returns, put together of its flat results."""
    info = structures_of(module.graph)
    if info is None or info.out_spec is None:
        return result
    leaves = list(result) if isinstance(result, (list, tuple)) else [result]
    return pytree.tree_unflatten(leaves, info.out_spec)
