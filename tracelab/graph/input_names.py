"""What the tensors of an argument are called: by their path, as one would write it."""

from __future__ import annotations

import json
from collections import OrderedDict, defaultdict
from collections.abc import Iterator
from typing import Any

from tracelab.graph.tree import LEAVES, Tree

_PLAIN = ("tensor", "array", "tuple", "list", "none", "value")
_BY_KEY = (dict, OrderedDict, defaultdict)


def input_names(tree: Tree, name: str) -> list[str]:
    """The name of each tensor of an argument: `mask["left"]`, `batch.input_ids`, `past_key_values.0.keys`.

    The only tensor of a plain tuple or list is called as the argument.
    """
    if tree.size == 1 and all(part.kind in _PLAIN for part in tree.walk()):
        return [name]
    return list(_names(tree, name))


def _names(tree: Tree, name: str) -> Iterator[str]:
    if tree.kind in LEAVES:
        yield name
    elif tree.kind == "dict":
        for key, child in zip(tree.keys, tree.children, strict=True):
            yield from _names(child, f"{name}{_key(tree, key)}")
    elif tree.kind in ("object", "namedtuple"):
        inner = _only_container(tree)
        for field, child in zip(tree.keys, tree.children, strict=True):
            if child is not inner:
                yield from _names(child, f"{name}.{field}")
            elif child.kind == "dict":
                for key, part in zip(child.keys, child.children, strict=True):
                    yield from _names(part, f"{name}.{key}" if _is_word(key) else f"{name}[{_quoted(key)}]")
            else:
                yield from _names(child, name)
    else:
        for index, child in enumerate(tree.children):
            yield from _names(child, f"{name}.{index}")


def _only_container(tree: Tree) -> Tree | None:
    """The list or dict of an object that is a container itself, such as the layers of a cache."""
    cls = getattr(tree.maker, "cls", None)
    if cls is None or not (hasattr(cls, "__len__") or hasattr(cls, "__getitem__")):
        return None
    found = [child for child in tree.children if child.size]
    return found[0] if len(found) == 1 and found[0].kind in ("list", "dict") else None


def _key(tree: Tree, key: Any) -> str:
    named = tree.maker is not None and getattr(tree.maker, "func", tree.maker) not in _BY_KEY
    return f".{key}" if named and _is_word(key) else f"[{_quoted(key)}]"


def _is_word(key: Any) -> bool:
    return type(key) is str and key.isidentifier()


def _quoted(key: Any) -> str:
    return json.dumps(key, ensure_ascii=False) if type(key) is str else repr(key)
