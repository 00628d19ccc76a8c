"""What the tensors of a result are called: by their path in it, as one would write it behind the result."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Value
from tracelab.graph.kinds import CONSTANT, CONSTRUCTS, DICT_CONSTRUCT

CONTAINER = "container"
"""The attribute of a node that makes an object which is a container itself, such as a cache."""

Step = tuple[str, Any]
"""One step into a result, `index`, `field` or `key`, and which."""

_BY_KEY = ("", "OrderedDict", "defaultdict")


def output_names(graph: Graph) -> list[tuple[Value, str]]:
    """The values that a graph returns, in order, each with its path; empty where it stands in no named place.

    >>> graph, _ = tracelab.trace_graph(lambda x: {"scores": x + 1, "parts": (x, [x * 2])}, torch.ones(2), strict=False)
    >>> [name for _, name in output_names(graph)]
    ['scores', 'parts.0', 'parts.1.0']
    """
    return [(value, written(steps)) for item in graph.outputs for value, steps in _parts(item, ())]


def written(steps: tuple[Step, ...]) -> str:
    """A path as text: `logits`, `past_key_values.0.keys`, `masks["left"]`; empty for places that have only numbers."""
    if all(way == "index" for way, _ in steps):
        return ""
    text = ""
    for way, key in steps:
        word = type(key) is str and key.isidentifier()
        if way == "key" and (text or not word):
            text += f"[{json.dumps(key, ensure_ascii=False) if type(key) is str else repr(key)}]"
        else:
            text += f".{key}"
    return text.lstrip(".")


def dict_step(name: str, key: Any) -> Step:
    """The step to a key of a dict whose class has this name, empty for a plain one."""
    word = type(key) is str and key.isidentifier()
    return ("field" if name not in _BY_KEY and word else "key", key)


def _parts(item: Any, steps: tuple[Step, ...]) -> Iterator[tuple[Value, tuple[Step, ...]]]:
    if not isinstance(item, Value):
        return
    node = item.node
    if node is None or node.kind not in CONSTRUCTS:
        # A None is nothing to look at.
        if item.is_tensor or node is None or node.kind != CONSTANT:
            yield item, steps
        return
    for step, part in _children(node):
        yield from _parts(part, (*steps, *step))


def _children(node: Node) -> Iterator[tuple[tuple[Step, ...], Any]]:
    name = str(node.attributes.get("class", ""))
    if node.kind == DICT_CONSTRUCT:
        pairs = list(zip(node.args[::2], node.args[1::2], strict=False))
        inner = [part for _, part in pairs if isinstance(part, Value) and _holds_values(part)]
        for key, part in pairs:
            if isinstance(key, Value):
                # A tensor as a key is an output, too.
                yield (), key
                key = "…"
            skipped = len(inner) == 1 and part is inner[0] and node.attributes.get(CONTAINER)
            yield () if skipped else (dict_step(name, key),), part
        return
    fields = node.attributes.get("fields")
    parts = node.args[0] if len(node.args) == 1 and isinstance(node.args[0], (list, tuple)) else node.args
    for index, part in enumerate(parts):
        yield (("field", fields[index]) if fields else ("index", index),), part


def _holds_values(item: Value) -> bool:
    return next(_parts(item, ()), None) is not None


def is_container(cls: type) -> bool:
    """Whether objects of a class are asked for what they hold by an index or a key."""
    return hasattr(cls, "__len__") or hasattr(cls, "__getitem__")
