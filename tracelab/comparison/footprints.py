"""A few numbers for each value of a run, by which the values of another program are recognised without keeping them."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass

import torch
from torch import Tensor

from tracelab.execute.run.run import Run, RunError
from tracelab.graph.ir import Value
from tracelab.graph.kinds import CONSTANT

_CHUNK = 1 << 18
_NUMBERS = 3
"""Sums of the elements with weights that look random: two tensors with the same sums are the same."""


@dataclass(frozen=True, slots=True)
class Footprint:
    """One value: its shape, whether it has floats, its length as a vector, and what it sums to under some weights.

    `noise` is what rounding may make of it, as a share of its length.
    """

    value: Value
    shape: tuple[int, ...]
    is_float: bool
    length: float
    sums: tuple[float, ...]
    noise: float


def footprints(run: Run, values: list[Value]) -> list[Footprint]:
    """Those of the tensors among `values` (all of them recorded), in the order of the run, up to where it failed."""
    return list(_footprints(run, set(values)))


def _footprints(run: Run, wanted: set[Value]) -> Iterator[Footprint]:
    for place, node in enumerate(run.graph.nodes):
        try:
            run.advance(place + 1)
        except RunError:
            # The comparison itself comes to this node, and tells of it.
            return
        if run.cancelled:
            return
        for value in node.outputs if node.kind != CONSTANT else ():
            if value in wanted:
                item = run.pop(value)
                if isinstance(item, Tensor) and not item.is_meta and item.layout is torch.strided:
                    yield footprint(value, item)


def footprint(value: Value, tensor: Tensor) -> Footprint:
    """That of one tensor; what is not finite counts as a large number."""
    flat = tensor.detach()
    flat = (torch.view_as_real(flat.resolve_conj()) if flat.is_complex() else flat).reshape(-1)
    total, sums = 0.0, torch.zeros(_NUMBERS, dtype=torch.double)
    for place, chunk in enumerate(flat.split(_CHUNK)):
        numbers = chunk.cpu().double().nan_to_num(nan=1e30, posinf=1e30, neginf=-1e30)
        total += float(numbers.square().sum())
        sums += _weights()[:, : len(numbers)] @ numbers * math.cos(place)
    floating = tensor.is_floating_point() or tensor.is_complex()
    noise = max(1e-4, 8 * torch.finfo(tensor.dtype).eps) if floating else 1e-12
    return Footprint(value, tuple(tensor.shape), floating, math.sqrt(total), tuple(sums.tolist()), noise)


_kept: list[Tensor] = []


def _weights() -> Tensor:
    if not _kept:
        places = torch.arange(1, _CHUNK + 1, dtype=torch.double)
        _kept.append(torch.stack([torch.cos(places * places * (0.7 + 0.31 * row)) for row in range(_NUMBERS)]))
    return _kept[0]
