"""Copies of the arguments of a call, so that running a function on them changes nothing else."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from tracelab.capture.values import leaf_copy
from tracelab.check.memory import has_data
from tracelab.check.outputs import cloned
from tracelab.errors import InputError
from tracelab.graph.taking_apart import TakingApart
from tracelab.graph.tree import rebuild


def copied_arguments(args: tuple[Any, ...], kwargs: dict[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
    """The same arguments with tensors, containers and objects copied; what stands twice is one in the copy, too."""
    leaves: list[Tensor] = []
    try:
        tree = TakingApart(leaves).tree((args, kwargs), "", True)
    except InputError:
        return cloned((args, kwargs))  # type: ignore[no-any-return]
    copies: dict[int, Tensor] = {}
    for leaf in leaves:
        if id(leaf) not in copies:
            copies[id(leaf)] = _copy(leaf)
    return rebuild(tree, iter([copies[id(leaf)] for leaf in leaves]))  # type: ignore[no-any-return]


def _copy(tensor: Tensor) -> Tensor:
    if tensor.layout is not torch.strided or tensor.is_nested or not has_data(tensor):
        return tensor
    return leaf_copy(tensor)
