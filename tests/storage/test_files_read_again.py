"""What is saved is read again and runs equal; what could not be read is refused as it is saved."""

from __future__ import annotations

import io
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import tracelab
from tracelab.errors import TracelabFileError
from tracelab.graph.callables.higher_order import functions_in


def without_gradients(x: Tensor) -> Tensor:
    with torch.no_grad():
        return x.exp().clamp(max=3)


def in_half(x: Tensor) -> Tensor:
    with torch.autocast("cpu", torch.bfloat16):
        return (x @ x.T @ x).float()


def written(x: Tensor) -> Tensor:
    made = x.clone()
    made[:, 0] = made[:, 1] * 2
    return made.add_(1)


STEPS: dict[str, Callable[[Tensor], Tensor]] = {
    "linear": nn.Linear(4, 4).requires_grad_(False),
    "norm": nn.LayerNorm(4).requires_grad_(False),
    "sizes": lambda x: x.reshape(x.shape[1], -1).mT / x.shape[0],
    "parts": lambda x: torch.cat([part * 2 for part in x.split(2, 1)], 1),
    "ones": lambda x: x + torch.arange(x.shape[0], dtype=x.dtype)[:, None],
    "written": written,
    "no_grad": without_gradients,
    "autocast": in_half,
    "vmap": lambda x: torch.vmap(lambda row: row.sin() * row.sum())(x),
    "vmap of vmap": lambda x: torch.vmap(torch.vmap(lambda number: number * 2 + 1))(x),
    "vmap that holds": lambda x: torch.vmap(lambda row: row - x.mean(0))(x),
    "grad": lambda x: torch.func.grad(lambda y: (y.tanh() ** 2).sum())(x),
    "jvp": lambda x: torch.func.jvp(torch.sin, (x,), (torch.ones_like(x),))[1],
    "cond": lambda x: torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x - 1, (x,)),
    "cond in vmap": lambda x: torch.vmap(lambda row: torch.where(row.sum() > 0, row, -row))(x),
    "checkpoint": lambda x: checkpoint(lambda y: y.relu() * 2, x, use_reentrant=False),
    "constant": lambda x: x * torch.tensor([1.0, 2.0, 3.0, 4.0]),
    "tuple": lambda x: torch.stack(torch.topk(x, 2, -1).values.unbind(1) * 2, 1),
}


@settings(max_examples=15, deadline=None)
@given(st.lists(st.sampled_from(sorted(STEPS)), min_size=1, max_size=5), st.integers(0, 1000))
def test_a_program_is_read_again_and_runs_equal(steps: list[str], seed: int) -> None:
    def program(x: Tensor) -> Tensor:
        for name in steps:
            x = STEPS[name](x)
        return x

    torch.manual_seed(seed)
    file = io.BytesIO()
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        traced = tracelab.trace(program, torch.randn(3, 4), check_trace=False)
    tracelab.save(traced, file)
    file.seek(0)
    loaded = tracelab.load(file)
    assert not tracelab.diff(traced, loaded)
    x = torch.randn(3, 4)
    torch.testing.assert_close(loaded(x), traced(x), rtol=0, atol=0, equal_nan=True)


def test_a_region_that_could_not_be_read_again_is_refused_and_the_old_file_stays(tmp_path: Path) -> None:
    traced = tracelab.trace(STEPS["vmap that holds"], torch.ones(3, 4), check_trace=False)
    path = tmp_path / "net.tlab"
    tracelab.save(traced, path)
    before = path.read_bytes()
    (region,) = [node for node in traced.graph.nodes if any(functions_in(node.args[1]))]
    (function,) = functions_in(region.args[1])
    function.piece = replace(function.piece, takes=(99,))
    with pytest.raises(TracelabFileError, match=r"^cannot save: the file could not be read again, as "):
        tracelab.save(traced, path)
    assert path.read_bytes() == before
