"""Inputs of a run that is asked for in the explorer: those of the trace, variables by name, or random ones."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import torch
from torch import Tensor

from tracelab.errors import InputError
from tracelab.execute.origin import Origin
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Value
from tracelab.graph.tree import rebuild_all
from tracelab.graph.types import TensorType

_SHAPE = re.compile(r"\s*[\[(]?\s*\d+(?:\s*[x×*,\s]\s*\d+)*\s*,?\s*[\])]?\s*")
"""`8×3×224×224`, `8x3x224x224`, `8, 3, 224, 224` or `(8, 3)`."""


def examples_of(traced: Any) -> list[Tensor] | None:
    """The tensors that it was traced on, in the order of the graph's inputs; None where they were not kept."""
    origin = getattr(traced, "origin", None)
    if not isinstance(origin, Origin):
        origins = getattr(traced, "origins", None)
        origin = next(iter(origins.values()), None) if isinstance(origins, Mapping) else None
    examples = origin.examples if isinstance(origin, Origin) else getattr(traced, "examples", None)
    return None if examples is None or any(example.is_meta for example in examples) else examples


def inputs_from(traced: Any, graph: Graph, texts: Sequence[str], names: Mapping[str, Any]) -> list[Tensor]:
    """One tensor for each input of the graph, from what a person wrote about it.

    An empty text stands for the tensor of the trace (a random one of its shape where that was not kept), `random` and
    a shape such as `8×3×224×224` for random numbers, anything else for a variable in `names`. Raises `InputError`,
    naming the input, where there is no such variable or it is not a tensor.
    """
    examples = examples_of(traced)
    made = []
    for place, value in enumerate(graph.user_inputs):
        text = texts[place].strip() if place < len(texts) else ""
        if not text and examples is not None:
            made.append(examples[place])
        elif not text or text == "random":
            made.append(random_input(graph, value, None))
        elif _SHAPE.fullmatch(text):
            made.append(random_input(graph, value, tuple(int(number) for number in re.findall(r"\d+", text))))
        else:
            made.append(_named(value, text, names))
    return made


def random_input(graph: Graph, value: Value, shape: tuple[int, ...] | None) -> Tensor:
    """Numbers that fit an input: normal ones, or indices that are valid where the graph looks them up."""
    type_ = value.type
    if not isinstance(type_, TensorType):
        raise InputError(f"the input {value.name} is not a tensor: name a variable for it")
    extents = type_.shape if shape is None else shape
    if type_.dtype.is_floating_point or type_.dtype.is_complex:
        plain = type_.dtype if type_.dtype.itemsize >= 2 else torch.float32
        return torch.randn(extents, dtype=plain).to(type_.dtype)
    return torch.randint(0, _most(graph, value), extents).to(type_.dtype)


def arguments_from(graph: Graph, flat: list[Tensor]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The tensors as the arguments of a call, nested as they were when it was traced."""
    tree = graph.input_tree
    if tree is None:
        return tuple(flat), {}
    leaves = iter(flat)
    items = rebuild_all(tree.trees, leaves)
    positional = len(items) - tree.keyword_only
    return tuple(items[:positional]), dict(zip(tree.names[positional:], items[positional:], strict=True))


def _most(graph: Graph, value: Value) -> int:
    """How many rows the smallest table has that integers of this input are looked up in; 2 where there is none."""
    found = []
    for node in graph.nodes:
        if node.kind == "aten::embedding" and len(node.inputs) > 1 and node.inputs[1] is value:
            table = node.inputs[0].type
            if isinstance(table, TensorType) and table.shape:
                found.append(table.shape[0])
    return max(1, min(found)) if found else 2


def _named(value: Value, text: str, names: Mapping[str, Any]) -> Tensor:
    if not text.isidentifier():
        raise InputError(
            f"{text!r} for the input {value.name} is neither a variable's name nor a shape such as 8×3×224×224"
        )
    if text not in names:
        raise InputError(f"there is no variable `{text}` for the input {value.name}: run the cell that makes it")
    item = names[text]
    if not isinstance(item, Tensor):
        raise InputError(f"`{text}` is of type {type(item).__name__}, but the input {value.name} is a tensor")
    return item
