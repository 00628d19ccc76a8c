"""Which sizes of the arguments may change, as `torch.export` is told."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from torch.export import Dim

from tracelab.errors import InputError
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.types import TensorType
from tracelab.interop.ways_out.arguments import Arguments, Given, numbers_asked

Dims = Mapping[str, Any]
"""For each argument, or tensor of it, by name: names of its sizes (None for one that does not change)."""


def dynamic_sizes(graph: Graph, arguments: Arguments, dims: Dims | None) -> list[Any]:
    """For each argument the sizes that may change, leaf by leaf.

    Raises:
        InputError: `dims` names no tensor of the arguments, or more sizes than one has.
    """
    named = dict(dims or {})
    known: dict[str, Any] = {}
    asked = numbers_asked(graph)
    used: set[str] = set()
    tree = input_tree_of(graph)

    def dim(name: str | None) -> Any:
        if name is None:
            return Dim.STATIC
        return known.setdefault(name, Dim(name)) if name.isidentifier() else Dim.AUTO

    def leaf(given: Given) -> Any:
        kind = given.value.type if given.value is not None else None
        if not isinstance(kind, TensorType):
            return Dim.AUTO if given.place in asked and type(given.constant) is int else None
        argument = tree.names[given.argument]
        for key in (given.name, argument, arguments.names[given.argument]):
            if key in named:
                used.add(key)
                sizes = named[key]
                break
        else:
            return dict.fromkeys(range(len(kind.shape)), Dim.AUTO if not dims else Dim.STATIC)
        if isinstance(sizes, Mapping):
            return {at: dim(sizes.get(at)) for at in range(len(kind.shape))}
        sizes = (sizes,) if isinstance(sizes, str) else tuple(sizes)
        if len(sizes) > len(kind.shape):
            raise InputError(f"dims: `{given.name}` has {len(kind.shape)} sizes, but {len(sizes)} names are given")
        return {at: dim(sizes[at] if at < len(sizes) else None) for at in range(len(kind.shape))}

    leaves = [leaf(given) for given in arguments.leaves]
    unknown = sorted(set(named) - used)
    if unknown:
        takes = ", ".join(dict.fromkeys(given.name for given in arguments.leaves if given.value is not None))
        raise InputError(f"dims: there is no tensor `{unknown[0]}` among the arguments; there are {takes}")
    return leaves
