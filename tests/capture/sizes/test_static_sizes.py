"""A size that parameters give, or that the code writes down, warns of nothing when it becomes a number."""

import warnings

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab


def frozen(function, *inputs):
    """The numbers that the trace says it froze."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        traced = tracelab.trace(function, inputs, check_trace=False)
    return [warning.constant for warning in traced.graph.warnings]


class Net(nn.Module):
    def __init__(self, forward):
        super().__init__()
        self.linear = nn.Linear(4, 6)
        self.conv = nn.Conv2d(3, 5, 1)
        self.table = nn.Embedding(10, 7)
        self.body = forward

    def forward(self, x):
        return self.body(self, x)


def number(tensor, dim):
    """Uses one size as a plain number."""
    return tensor * float(tensor.shape[dim])


FIXED = {
    "width of a linear layer": (lambda net, x: number(net.linear(x), -1), (2, 4)),
    "through an activation": (lambda net, x: number(F.gelu(net.linear(x)), -1), (2, 4)),
    "through a sum": (lambda net, x: number(net.linear(x) + net.linear(x).mean(0), -1), (2, 4)),
    "through a view by numbers": (lambda net, x: number(x.view(-1, 2, 2), 1), (2, 4)),
    "through a view by fixed sizes": (
        lambda net, x: number(net.linear(x).view(-1, net.linear(x).shape[1] // 2), 1),
        (2, 4),
    ),
    "through a transpose": (lambda net, x: number(net.linear(x).t().transpose(0, 1), 1), (2, 4)),
    "through a permute": (lambda net, x: number(net.conv(x).permute(0, 2, 3, 1), 3), (2, 3, 4, 4)),
    "through unsqueeze and select": (lambda net, x: number(net.linear(x).unsqueeze(0)[0], 1), (2, 4)),
    "a part of it": (lambda net, x: number(net.linear(x).chunk(2, -1)[0], 1), (2, 4)),
    "channels of a convolution": (lambda net, x: number(net.conv(x), 1), (2, 3, 4, 4)),
    "what a linear layer demanded": (lambda net, x: net.linear(x).sum() + number(x, 1), (2, 4)),
    "what a convolution demanded": (lambda net, x: net.conv(x).sum() + number(x, -3), (2, 3, 4, 4)),
    "rounds over a size that a view writes down": (
        lambda net, x: sum(net.linear(x).view(-1, 3, 2).permute(1, 0, 2)),
        (2, 4),
    ),
    "rounds over a parameter": (lambda net, x: x + sum(net.linear.weight), (2, 4)),
    "a parameter": (lambda net, x: x * float(net.linear.weight.shape[0]), (2, 4)),
}
FREE = {
    "the batch": (lambda net, x: number(net.linear(x), 0), (2, 4), "2"),
    "before the layer demanded it": (lambda net, x: net.linear(number(x, 1)), (2, 4), "4"),
    "the rest of a view": (lambda net, x: number(x.view(-1, 2), 0), (2, 4), "4"),
    "a free size in a view": (lambda net, x: number(net.linear(x).view(6, x.shape[0]), 1), (2, 4), "2"),
    "rounds over the rest of a view": (lambda net, x: sum(x.view(-1, 2)), (2, 4), "4"),
    "height of a picture": (lambda net, x: number(net.conv(x), 2), (2, 3, 4, 4), "4"),
    "broadcast from one": (lambda net, x: number(net.linear(x)[:, :1] + x[:, :3], 1), (2, 4), "3"),
    "fixed times free": (lambda net, x: x * float(net.linear(x).shape[1] * x.shape[0]), (2, 4), "12"),
}


@pytest.mark.parametrize("name", FIXED)
def test_fixed(name):
    body, shape = FIXED[name]
    assert frozen(Net(body), torch.randn(shape)) == []


@pytest.mark.parametrize("name", FREE)
def test_free(name):
    body, shape, found = FREE[name]
    assert frozen(Net(body), torch.randn(shape)) == [found]


def test_an_operator_of_another_library_proves_nothing():
    with torch.library._scoped_library("tracelab_fixed", "DEF") as library:
        library.define("linear(Tensor x, Tensor weight) -> Tensor")
        library.impl("linear", lambda x, weight: x * weight.sum(), "CompositeExplicitAutograd")

        def body(net, x):
            return number(torch.ops.tracelab_fixed.linear(x, net.linear.weight), 1)

        assert frozen(Net(body), torch.randn(2, 4)) == ["4"]


@pytest.mark.parametrize("length", [3, 9])
def test_attention_is_traced_without_a_warning_and_right_for_every_length(length):
    attention = nn.MultiheadAttention(8, 2, batch_first=True).eval()
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        traced = tracelab.trace(lambda x: attention(x, x, x)[0], torch.randn(2, 5, 8))
    x = torch.randn(4, length, 8)
    assert torch.allclose(traced(x), attention(x, x, x)[0], atol=1e-6)


def test_another_width_stops_where_the_layer_demands_it():
    net = Net(lambda net, x: net.linear(x).sum() + number(x, 1))
    traced = tracelab.trace(net, torch.randn(2, 4))
    with pytest.raises(RuntimeError, match="mat1 and mat2 shapes cannot be multiplied"):
        traced(torch.randn(2, 5))
