"""What leaves starts from the state that the module has, leaves the module as it was, and keeps its regions."""

from __future__ import annotations

import copy

import pytest
import torch
from torch import nn

import tracelab
from tracelab.api.traced_function import TracedFunction


class Counting(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(3)
        self.register_buffer("n", torch.ones(1))
        self.register_buffer("odd", torch.tensor([float("nan")]))
        self.scale = nn.Parameter(torch.ones(3))

    def forward(self, x):
        self.n.add_(1)
        with torch.no_grad():
            self.scale.mul_(2)
        return self.norm(x) * self.n * self.scale + self.odd.nan_to_num()


def test_to_torchscript_leaves_the_module_as_it_was():
    module, x = Counting().train(), torch.randn(4, 3)
    traced = tracelab.trace(module, x)
    before = copy.deepcopy(module)
    made = traced.to_torchscript()
    for name, tensor in before.state_dict().items():
        assert torch.allclose(module.state_dict()[name], tensor, equal_nan=True), name
        assert torch.allclose(made.state_dict()[name], tensor, equal_nan=True), name
    assert torch.allclose(copy.deepcopy(made)(x), before(x))


class Regions(nn.Module):
    def __init__(self):
        super().__init__()
        self.layer = nn.Linear(3, 3)

    def forward(self, x):
        with torch.autocast("cpu", torch.bfloat16):
            y = self.layer(x)
            with torch.autocast("cpu", enabled=False):
                z = self.layer(y.float())
            w = self.layer(z)
        return y.float(), z, w.float()


def test_an_autocast_region_is_exported():
    module, x = Regions(), torch.randn(4, 3)
    program = tracelab.trace(module, x).export()
    for size in (4, 7, 1):
        given = torch.randn(size, 3)
        for found, wanted in zip(program.module()(given), module(given), strict=True):
            assert torch.equal(found, wanted)
    assert not torch.is_autocast_enabled("cpu")


@pytest.mark.parametrize("dims", [None, {"x": ("batch", None)}])
def test_what_an_autocast_region_makes_is_of_its_dtype(dims):
    def run(x, w):
        with torch.autocast("cpu", torch.bfloat16):
            return x @ w

    program = tracelab.trace(run, (torch.ones(2, 3), torch.ones(3, 3))).export(dims)
    assert program.module()(torch.ones(5, 3), torch.ones(3, 3)).dtype == torch.bfloat16


# Names -----------------------------------------------------------------------------------------------------


class Words(nn.Module):
    """Modules and parameters that are called by words of Python's."""

    def __init__(self):
        super().__init__()
        self.parts = nn.ModuleDict({"for": nn.Linear(3, 3), "class": nn.Linear(3, 3)})
        self.register_parameter("lambda", nn.Parameter(torch.ones(3)))
        self.register_buffer("if", torch.ones(3))

    def forward(self, x):
        for part in self.parts.values():
            x = part(x)
        return x * getattr(self, "lambda") + getattr(self, "if")


def test_words_of_python_may_be_names_of_modules():
    module, x = Words(), torch.randn(2, 3)
    traced = tracelab.trace(module, x)
    for made in (traced.to_fx(), traced.export().module(), traced.to_torchscript()):
        assert torch.allclose(made(x), module(x))
    assert "parts.for_.weight" in dict(traced.to_fx().named_parameters())


def test_words_of_python_may_be_names_of_arguments():
    def run(x, **more):
        return x + more["class"]

    x = torch.randn(2)
    traced = tracelab.trace(run, (x,), example_kwarg_inputs={"class": x})
    for made in (traced.to_fx(), traced.export().module()):
        assert torch.equal(made(x, class_=x), x + x)
    assert torch.equal(traced.to_torchscript()(x, x), x + x)


def test_two_tensors_that_would_have_one_name_are_refused():
    class Both(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("for", torch.ones(2))
            self.register_buffer("for_", torch.ones(2) * 2)

        def forward(self, x):
            return x * getattr(self, "for") + self.for_

    traced = tracelab.trace(Both(), torch.ones(2))
    with pytest.raises(tracelab.TracelabError, match="two tensors that code would call `for_`"):
        traced.to_fx()


@pytest.mark.parametrize("way", ["export", "to_torchscript"])
def test_a_file_without_sizes_is_refused_in_one_sentence(way, tmp_path):
    torch.jit.save(torch.jit.script(nn.Linear(3, 2)), tmp_path / "net.pt")
    graph = tracelab.read(tmp_path / "net.pt")
    with pytest.raises(tracelab.TracelabError, match="the sizes of the input `input` are not known: the graph comes"):
        getattr(TracedFunction(graph, graph.name), way)()
