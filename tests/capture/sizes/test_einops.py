"""einops in traced code: right at other sizes with a cold and a warm cache, and as ever afterwards."""

from __future__ import annotations

import gc

import pytest
import torch
from torch import nn

import tracelab

einops = pytest.importorskip("einops")
layers = pytest.importorskip("einops.layers.torch")

pytestmark = pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")


def packed(x):
    together, shapes = einops.pack([x, x[:, :1]], "b * c")
    first, second = einops.unpack(together * 2, shapes, "b * c")
    return first.sum(1) + second.sum(1)


PROGRAMS = {
    "split": lambda x: einops.rearrange(x, "b (h k) c -> b h (k c)", k=2),
    "split by a size": lambda x: einops.rearrange(x, "b (h k) c -> b h k c", k=x.shape[1] // 2),
    "merge": lambda x: einops.rearrange(x, "b n c -> (b n) c"),
    "ellipsis": lambda x: einops.rearrange(x, "b ... -> b (...)"),
    "a list": lambda x: einops.rearrange([x, x * 2], "k b n c -> b (k n) c"),
    "a new dimension": lambda x: einops.rearrange(x, "b n c -> b 1 n c"),
    "repeat": lambda x: einops.repeat(x, "b n c -> b n (c r)", r=3),
    "repeat by a size": lambda x: einops.repeat(x.mean((1, 2)), "b -> b n", n=x.shape[1]),
    "reduce": lambda x: einops.reduce(x, "b (n k) c -> b n c", "mean", k=2),
    "largest": lambda x: einops.reduce(x, "b n c -> b c", "max"),
    "einsum": lambda x: einops.einsum(x, x, "b n c, b m c -> b n m"),
    "pack": packed,
    "parse_shape": lambda x: x.new_zeros(einops.parse_shape(x, "b n _")["n"]),
    "layers": nn.Sequential(layers.Rearrange("b n c -> b c n"), layers.Reduce("b c (n k) -> b c n", "sum", k=2)),
    "a mix": layers.EinMix("b n c -> b n d", weight_shape="c d", c=6, d=5),
}


def clear():
    for item in vars(einops.einops).values():
        if hasattr(item, "cache_clear"):
            item.cache_clear()


def symbolic():
    """The numbers of torch's that are there; those of failed tests stay."""
    return {id(item) for item in gc.get_objects() if type(item) is torch.SymInt}


@pytest.mark.parametrize("warm", [False, True], ids=["cold", "warm"])
@pytest.mark.parametrize("program", PROGRAMS.values(), ids=PROGRAMS)
def test_it_is_right_at_other_sizes_and_plain_code_stays_right(program, warm):
    x, other = torch.randn(2, 4, 6), torch.randn(3, 8, 6)
    clear()
    expected = [program(x), program(other)]
    if not warm:
        clear()
    before = symbolic()
    traced = tracelab.trace(program, x)
    assert torch.equal(traced(other), expected[1])
    assert torch.equal(traced(x), expected[0])
    assert torch.equal(program(x), expected[0])
    assert torch.equal(program(other), expected[1])
    assert symbolic() == before
