"""Inputs that commands are given, and the tensors of results."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from safetensors import SafetensorError
from safetensors.torch import load_file
from torch import Tensor

from tracelab.errors import InputError, TracelabFileError
from tracelab.graph.data import input_tree_of
from tracelab.graph.graph import Graph
from tracelab.graph.tree import rebuild_all


def tensors_in(path: str) -> dict[str, Tensor]:
    """The tensors of a safetensors file by name.

    Raises:
        TracelabFileError: The file cannot be read.
    """
    try:
        return load_file(path)
    except OSError as error:
        raise TracelabFileError(f"cannot open {path}: {error.strerror or error}") from error
    except SafetensorError as error:
        raise TracelabFileError(f"{path}: not a safetensors file, or damaged: {error}") from error


def arguments_of(graph: Graph, path: str) -> dict[str, Any]:
    """The arguments of a call by name, of a safetensors file that has a tensor for each input of the graph.

    Raises:
        TracelabFileError: The file cannot be read.
        InputError: It lacks an input, or has a tensor that is none.
    """
    found = tensors_in(path)
    names = [value.name for value in graph.user_inputs]
    missing = [name for name in names if name not in found]
    more = [name for name in found if name not in names]
    if missing or more:
        wrong = f"lacks `{missing[0]}`" if missing else f"has `{more[0]}`, which is no input"
        raise InputError(f"{path} {wrong}: the graph takes {', '.join(names) or 'no tensor'}")
    tree = input_tree_of(graph)
    items = rebuild_all(tree.trees, iter([found[name] for name in names]))
    return dict(zip(tree.names, items, strict=True))


def tensors_of(item: Any, name: str = "output") -> Iterator[tuple[str, Tensor]]:
    """The tensors of a result, by their place in it: `output`, `output.0`, `output.logits`."""
    if isinstance(item, Tensor):
        yield name, item
    elif isinstance(item, dict):
        for key, part in item.items():
            yield from tensors_of(part, f"{name}.{key}")
    elif isinstance(item, (list, tuple)):
        for index, part in enumerate(item):
            yield from tensors_of(part, f"{name}.{index}")
