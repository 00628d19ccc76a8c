"""What an exported program or a graph module would get wrong in silence is refused, in one sentence."""

from __future__ import annotations

import pytest
import torch
from torch import Tensor, nn

import tracelab
from tracelab.interop.ways_out.refusals import ExportError


class GivesOld(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.register_buffer("count", torch.zeros(2))

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        old = self.count
        self.count = self.count + x
        return old * 1, old


class GivesNew(GivesOld):
    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        old = self.count
        self.count = self.count + x
        return old * 1, self.count


@pytest.mark.parametrize("way", ["to_fx", "export"])
def test_a_buffer_that_is_set_while_its_old_tensor_is_still_given(way: str) -> None:
    traced = tracelab.trace(GivesOld(), torch.ones(2), check_trace=False)
    with pytest.raises(ExportError, match=r"still gives its old tensor: .*trace again"):
        getattr(traced, way)()


def test_a_buffer_that_is_set_is_written() -> None:
    module = tracelab.trace(GivesNew(), torch.ones(2), check_trace=False).to_fx()
    before = module.count.clone()
    old, new = module(torch.ones(2))
    assert [old.tolist(), new.tolist(), module.count.tolist()] == [
        before.tolist(),
        (before + 1).tolist(),
        (before + 1).tolist(),
    ]


def test_python_code_in_a_graph() -> None:
    calls = []

    def own(x: Tensor) -> Tensor:
        calls.append(x)
        return x * len(calls)

    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    (relu,) = traced.graph.find_nodes("relu")
    with traced.graph.inserting_after(relu):
        called = traced.graph.call_function(own, (relu.output,))
    relu.replace_all_uses_with(called)
    with pytest.raises(ExportError, match=r"own.* runs Python code"):
        traced.export()


class Doubled(torch.autograd.Function):
    @staticmethod
    def forward(ctx: object, x: Tensor) -> Tensor:
        return x * 2

    @staticmethod
    def backward(ctx: object, gradient: Tensor) -> Tensor:
        return gradient * 100


def test_a_graph_module_keeps_the_gradient_of_an_autograd_function() -> None:
    module = tracelab.trace(lambda x: Doubled.apply(x), torch.ones(2), check_trace=False).to_fx()
    x = torch.ones(2, requires_grad=True)
    module(x).sum().backward()
    assert x.grad is not None
    assert x.grad.tolist() == [100, 100]
