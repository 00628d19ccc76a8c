"""Regions that hold a function (`vmap`, `torch.cond`, `torch.func`) leave, or are refused in a sentence."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from torch.utils.checkpoint import checkpoint

import tracelab
from tracelab.interop.ways_out.refusals import ExportError


class Chosen(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.up, self.down = nn.Linear(4, 3), nn.Linear(4, 3)

    def forward(self, x: Tensor) -> Tensor:
        return torch.cond(x.sum() > 0, lambda x: self.up(x), lambda x: self.down(x), (x,))


REGIONS: dict[str, Callable[..., Any]] = {
    "vmap": lambda x: torch.vmap(lambda row: row.sin() * row.sum())(x),
    "nested vmap": lambda x: torch.vmap(torch.vmap(torch.dot, (None, 0)), (0, None))(x, x),
    "cond": lambda x: torch.cond(x.sum() > 0, lambda x: x + 1, lambda x: x - 1, (x,)),
    "jvp": lambda x: torch.func.jvp(torch.sin, (x,), (torch.ones_like(x),)),
    "checkpoint": lambda x: checkpoint(lambda y: y.relu() * 2, x, use_reentrant=False),
}


@pytest.mark.parametrize("name", REGIONS)
@pytest.mark.parametrize("way", ["to_fx", "export"])
def test_a_region_leaves_and_is_equal_on_other_sizes(way: str, name: str) -> None:
    traced = tracelab.trace(REGIONS[name], torch.ones(4, 4), check_trace=False)
    made = traced.to_fx() if way == "to_fx" else traced.export().module()
    for x in (torch.randn(3, 4), -torch.rand(6, 4)):
        torch.testing.assert_close(made(x), REGIONS[name](x))


def test_both_branches_of_cond_have_their_parameters() -> None:
    model = Chosen()
    program = tracelab.trace(model, torch.ones(2, 4), check_trace=False).export()
    for x in (torch.rand(3, 4), -torch.rand(5, 4)):
        torch.testing.assert_close(program.module()(x), model(x))
    assert sorted(program.state_dict) == ["down.bias", "down.weight", "up.bias", "up.weight"]


@pytest.mark.parametrize(
    "function",
    [
        lambda x: torch.func.grad(lambda y: (y**2).sum())(x),
        lambda x: torch.func.jacrev(torch.sin)(x),
        lambda x: torch.vmap(torch.func.grad(lambda y: (y**2).sum()))(x),
    ],
    ids=["grad", "jacrev", "vmap of grad"],
)
def test_derivatives_that_torch_loses_are_refused_with_their_line(function: Callable[..., Any]) -> None:
    traced = tracelab.trace(function, torch.ones(4), check_trace=False)
    with pytest.raises(ExportError, match=r" what \w+ \(%\w+\) computes at test_regions_leave.py:\d+: write it"):
        traced.export()


@pytest.mark.parametrize("name", ["vmap", "cond", "jvp"])
def test_torchscript_refuses_a_region_with_its_line(name: str) -> None:
    traced = tracelab.trace(REGIONS[name], torch.ones(4, 4), check_trace=False)
    with pytest.raises(ExportError, match=rf"^{name} \(%\w+\) holds a function at test_regions_leave.py:\d+: .*export"):
        traced.to_torchscript()


@pytest.mark.parametrize("name", ["vmap", "cond", "jvp"])
def test_regions_are_written_as_onnx(name: str, tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    traced = tracelab.trace(REGIONS[name], torch.ones(4, 4), check_trace=False)
    traced.to_onnx(tmp_path / "net.onnx")
    assert [value.name for value in tracelab.read(tmp_path / "net.onnx").graph.user_inputs] == ["x"]
