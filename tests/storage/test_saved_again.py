"""What was saved, loaded and saved again is the same file, byte for byte."""

from __future__ import annotations

import io
import json
import random
import zipfile

import pytest
import torch
from torch import nn

import tracelab


def saved(traced):
    file = io.BytesIO()
    tracelab.save(traced, file)
    return file.getvalue()


def loaded(content):
    return tracelab.load(io.BytesIO(content))


def parts(content):
    """The parts of the archive in order; quick fixes need the code, which is not there once a file was read."""
    with zipfile.ZipFile(io.BytesIO(content)) as archive:
        found = [(name, archive.read(name)) for name in archive.namelist()]
    for place, (name, data) in enumerate(found):
        if name == "view.json":
            view = json.loads(data)
            for warning in view["warnings"]:
                warning.pop("fix", None)
            found[place] = name, json.dumps(view).encode()
    return found


def program(seed):
    """A function or a module that uses weights, buffers and constants of all sorts, in an order of its own."""
    choose = random.Random(seed)
    torch.manual_seed(seed)
    captured = [nn.Linear(4, 4), nn.Linear(4, 4)]
    grid = torch.randn(4, 4)
    row, shift, strided, turned = grid[0], torch.randn(4), torch.randn(8)[::2], torch.randn(4, 4).t()
    tied, shared, persistent, as_module = (choose.random() < 0.5 for _ in range(4))

    class Net(nn.Module):
        def __init__(self):
            super().__init__()
            self.one, self.two = nn.Linear(4, 4), nn.Linear(4, 4)
            if tied:
                self.two.weight = self.one.weight
            self.register_buffer("noise", torch.randn(4))
            self.register_buffer("other", self.noise if shared else torch.randn(4), persistent=persistent)
            self.plain = torch.randn(4)
            self.last = nn.Sequential(nn.BatchNorm1d(4), nn.Dropout(0.1))

        def forward(self, x):
            for step in steps:
                x = step(self, x)
            return x

    kinds = [
        lambda net, x: net.one(x),
        lambda net, x: net.two(x),
        lambda net, x: captured[0](x),
        lambda net, x: captured[1](x) + captured[0].bias,
        lambda net, x: x + captured[1].weight[0],
        lambda net, x: x + row,
        lambda net, x: x @ grid,
        lambda net, x: x + shift,
        lambda net, x: x * strided,
        lambda net, x: x @ turned,
        lambda net, x: x + net.noise,
        lambda net, x: x * net.other,
        lambda net, x: x + net.plain,
        lambda net, x: x + torch.tensor([1.0, 2.0, 3.0, 4.0]),
        lambda net, x: net.last(x),
        lambda net, x: nn.functional.linear(x, captured[0].weight, shift),
        lambda net, x: x if x.shape[0] > 1 else -x,
    ]
    steps = [choose.choice(kinds) for _ in range(choose.randint(1, 7))]
    net = Net().eval()
    return net if as_module else lambda x: net(x)


@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
@pytest.mark.parametrize("seed", range(40))
def test_a_program_of_weights_and_constants_is_saved_as_before(seed):
    content = saved(tracelab.trace(program(seed), torch.randn(3, 4)))
    assert parts(saved(loaded(content))) == parts(content)


def test_a_captured_layer_beside_a_constant_is_saved_as_before():
    layer, shift = nn.Linear(4, 4), torch.randn(4)
    content = saved(tracelab.trace(lambda x: layer(x + shift), torch.randn(3, 4)))
    assert saved(loaded(content)) == content


def test_a_warning_stays_at_its_node(tmp_path):
    def branch(x):
        y = x.exp()
        return y + 1 if y.shape[0] > 2 else y

    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(branch, torch.randn(3, 4))
    (warning,) = loaded(saved(traced)).graph.warnings
    assert warning.node.kind == "aten::exp"
