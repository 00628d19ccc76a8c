"""Sizes, and arithmetic on them, follow the input of the replay; nothing here warns."""

from __future__ import annotations

import math

import numpy
import pytest
import torch
from torch.nn import functional as F

from support.replay import replays


def doubled_rows(x):
    return x.view(x.shape[0] * 2, -1)


def rows_set(x):
    x = x.clone()
    x[: x.shape[0] // 2] = 7
    return x


def column_set(x):
    x = x.clone()
    x[:, -1] = x[:, 0] + 1
    return x


def windows(x):
    return tuple(x[: x.size(0) - i, i : x.size(1), ::2] for i in range(2))


def positions(x):
    length = x.size(1)
    return torch.arange(length).unsqueeze(0).expand(x.size(0), length)


def causal(x):
    n = x.size(-1)
    return torch.full((n, n), float("-inf")).triu(1)


def heads(x):
    batch, length, width = x.shape
    return x.view(batch, length, 2, width // 2).transpose(1, 2).reshape(batch * 2, length, width // 2)


def padded(x):
    return F.pad(x, (0, 8 - x.size(-1)))


def whole_loop_of_dims(x):
    for size in x.shape:
        x = x / size
    return x


def split_half(x):
    first, second = x.split(x.size(1) // 2, dim=1)
    return first * second


def ratio(x):
    return x.sum() / (x.size(0) * x.size(1)), x / x.numel(), x * (x.size(0) / x.size(1))


def root(x):
    return x / math.sqrt(x.size(-1))


def rounded(x):
    return x.new_zeros(math.ceil(x.size(0) / 2), math.floor(x.size(1) * 1.5))


def least(x):
    return x.new_ones(torch.sym_min(x.size(0), 3), torch.sym_max(x.size(1), 3))


CASES = {
    "size": lambda x: x.view(x.size(0) * x.size(1), x.size(2)),
    "shape": lambda x: x.view(x.shape[1], x.shape[0], -1),
    "negative dimension of size": lambda x: x.reshape(x.size(-1), -1),
    "negative index of shape": lambda x: x.reshape(x.shape[-1], x.shape[-2], -1),
    "slice of shape": lambda x: torch.zeros(x.shape[:2]),
    "shape and more": lambda x: x.reshape(*x.shape[:-1], 2, x.shape[-1] // 2),
    "shape plus a tuple": lambda x: torch.ones(x.shape[:1] + (3,)),  # noqa: RUF005
    "numel": lambda x: x.reshape(x.numel()),
    "numel of a slice": lambda x: torch.zeros(x[0].numel()),
    "unpacked shape": heads,
    "iterated shape": whole_loop_of_dims,
    "arange": lambda x: torch.arange(x.shape[0]),
    "arange with start": lambda x: torch.arange(x.shape[0], x.shape[0] + 5),
    "arange with keywords": lambda x: torch.arange(start=1, end=x.shape[0], step=2),
    "full": lambda x: torch.full(x.shape, 2.0),
    "full of a size": lambda x: torch.full((2, 2), x.shape[0]),
    "factories": lambda x: torch.zeros(x.size()) + torch.ones(x.shape[0], 1, 1) + torch.empty(x.shape).fill_(1),
    "new factories": lambda x: x.new_zeros(x.size(0)) + x.new_full((x.size(0),), 2),
    "eye and tril": causal,
    "view": doubled_rows,
    "flatten": lambda x: x.flatten(1),
    "expand": positions,
    "repeat": lambda x: x.repeat(x.size(0), 1, 1),
    "slices": windows,
    "slice from behind": lambda x: x[:, -2:],
    "slice by a size": lambda x: x[:, : x.size(1) // 2],
    "select by a size": lambda x: x[x.size(0) - 1],
    "select in the last dimension": lambda x: x[..., x.size(2) - 2],
    "select from behind": lambda x: x[-1, :, -1],
    "setitem on a slice": rows_set,
    "setitem on a column": column_set,
    "narrow": lambda x: x.narrow(1, 1, x.size(1) - 1),
    "split": split_half,
    "pad": padded,
    "interpolate to a size": lambda x: F.interpolate(x, size=x.shape[-1] * 2),
    "interpolate by a factor": lambda x: F.interpolate(x, scale_factor=2.0),
    "interpolate to another": lambda x: F.interpolate(x[..., :2], size=x.size(-1), mode="linear"),
    "roll": lambda x: x.roll(x.size(0) // 2, 0),
    "division": ratio,
    "math.sqrt": root,
    "rounding": rounded,
    "smaller and greater": least,
    "the smallest and the largest": lambda x: x[: min(x.size(0), 5)] * max(x.shape) + min([x.size(1) / 2, 2.5]),
    "a slice that ends at zero at least": lambda x: x[max(0, x.size(0) - 4) :],
    "rounding to digits": lambda x: x * round(x.size(0) / 3, 1),
    "rounding by NumPy": lambda x: x * numpy.rint(x.size(0) / 3) + numpy.ceil(x.size(1) / 4),
    "NumPy's functions": lambda x: x / numpy.sqrt(x.size(-1)) + numpy.log2(x.size(1)) * numpy.float64(2.0),
    "other functions of math": lambda x: x * math.gcd(x.size(0), 6) + math.isqrt(x.size(1)) + math.hypot(x.size(0), 2),
    "a formatted size": lambda x: x * len(f"{x.size(0) / 3:.1f} of {x.size(1):>4}"),
    "power of a size": lambda x: x * x.size(0) ** 0.5,
    "size as a number": lambda x: x + x.size(0) - 2 * x.size(1),
    "quotient and rest": lambda x: x * divmod(x.size(0), 3)[1] + divmod(9, x.size(1))[0] + divmod(x.size(0) / 2, 2)[0],
    "complement": lambda x: x[~x.size(0) + 2 :] * x.size(0).numerator,
    "size in torch.tensor": lambda x: torch.tensor([x.size(0), x.size(1)]),
    "size in torch.tensor, nested": lambda x: torch.tensor([[x.size(0)], [3]]),
    "dim is a plain number": lambda x: x.sum(dim=x.dim() - 1),
    "attention": lambda x: F.scaled_dot_product_attention(x, x, x, is_causal=True),
    "mean over the others": lambda x: x.mean(dim=tuple(range(1, x.dim()))),
    "layer norm over the last": lambda x: F.layer_norm(x, (x.size(-1),)),
    "einsum": lambda x: torch.einsum("bij,bkj->bik", x, x),
    "index by arange": lambda x: x[torch.arange(x.size(0)), 0],
    "like": lambda x: torch.zeros_like(x),
    "as_strided": lambda x: x.as_strided((x.size(0), x.size(1)), (x.size(1) * x.size(2), x.size(2))),
    "cumulative": lambda x: x.cumsum(0) / torch.arange(1, x.size(0) + 1).view(-1, 1, 1),
    "comparison of shapes": lambda x: x.reshape(x.shape) + x.view_as(x),
    "unflatten": lambda x: x.unflatten(2, (2, x.size(2) // 2)),
    "stack": lambda x: torch.stack([x.sum(0)] * 2),
    "chunk": lambda x: x.chunk(2, dim=2)[0],
}


@pytest.mark.parametrize("name", CASES)
def test_a_replay_on_other_sizes_equals_eager(name):
    replays(CASES[name], torch.randn(4, 6, 8), torch.randn(6, 4, 6), torch.randn(3, 6, 4))


@pytest.mark.parametrize("name", ["size", "slices", "setitem on a slice", "expand", "interpolate by a factor", "pad"])
def test_a_replay_on_other_sizes_has_the_gradient_of_eager(name):
    function = CASES[name]
    traced = replays(function, torch.randn(4, 6, 8, requires_grad=True))
    for x in (torch.randn(6, 4, 6), torch.randn(2, 8, 4)):
        gradients = []
        for run in (function, traced):
            leaf = x.clone().requires_grad_()
            result = run(leaf)
            total = sum((part * part).sum() for part in (result if isinstance(result, tuple) else (result,)))
            if not total.requires_grad:
                return
            total.backward()
            gradients.append(leaf.grad)
        assert torch.equal(*gradients)


def test_a_row_of_size_one_is_no_special_case():
    replays(lambda x: x.expand(3, 4) + x[0], torch.ones(1, 4), torch.randn(3, 4))


def test_a_slice_over_the_whole_dimension_stays_a_slice():
    replays(lambda x: x[0:5, 0] + 1, torch.rand(5, 4), torch.rand(6, 3))


def test_tensors_in_bounds_and_indices_stay_traced():
    def window(x, start, stop):
        return x[start:stop], x[start]

    x, one, three, eight = torch.arange(9), torch.tensor(1), torch.tensor(3), torch.tensor(8)
    replays(window, (x, one, three), (x, three, eight))


def test_a_tensor_that_says_how_many_stays_traced():
    replays(
        lambda x, k: x.topk(k, dim=1)[1],
        (torch.randn(6, 6), torch.tensor(4)),
        (torch.randn(9, 9), torch.tensor(7)),
    )


def test_item_of_a_whole_number_stays_traced():
    x = torch.arange(9)
    replays(lambda x, n: x[: n.item()] * n.item(), (x, torch.tensor(4)), (x, torch.tensor(2)))


def test_sizes_of_what_operators_made_follow_too():
    def masked(x):
        kept = x[x > 0]
        return kept.view(kept.size(0), 1) * kept.numel()

    replays(masked, torch.tensor([1.0, -1.0, 2.0]), torch.tensor([1.0, 3.0, 2.0, 5.0]), torch.tensor([-1.0]))


def test_sizes_of_two_inputs_mix():
    def pad_to(x, y):
        return torch.cat([x, x.new_zeros(y.size(0) - x.size(0), x.size(1))]) + y

    replays(pad_to, (torch.ones(2, 3), torch.ones(5, 3)), (torch.ones(1, 2), torch.ones(7, 2)))


def test_a_size_of_a_parameter_is_a_plain_number():
    layer = torch.nn.Linear(3, 2)

    def use(x):
        assert type(layer.weight.shape[0]) is int
        return layer(x).view(-1, layer.weight.shape[0])

    replays(use, torch.ones(2, 3), torch.randn(5, 3))


@pytest.mark.parametrize(("size", "other"), [((2, 3, 8, 8), (1, 3, 12, 10)), ((1, 1, 4, 4), (3, 1, 6, 4))])
def test_images_resize_to_half_of_what_they_are(size, other):
    def half(x):
        return F.interpolate(x, size=(x.size(2) // 2, x.size(3) // 2), mode="bilinear", align_corners=False)

    replays(half, torch.randn(size), torch.randn(other))


def test_packed_sequences_unpack_to_their_own_length():
    layer = torch.nn.LSTM(3, 2, batch_first=True)

    def encoded(x, lengths):
        packed = torch.nn.utils.rnn.pack_padded_sequence(x, lengths, batch_first=True, enforce_sorted=False)
        return torch.nn.utils.rnn.pad_packed_sequence(layer(packed)[0], batch_first=True)

    x = torch.randn(2, 5, 3)
    replays(encoded, (x, torch.tensor([5, 3])), (x, torch.tensor([2, 4])), (torch.randn(2, 7, 3), torch.tensor([1, 6])))
