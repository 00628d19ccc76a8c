"""The shapes of a trace by the names of sizes: right at other sizes, or not known, and never wrong."""

from __future__ import annotations

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import tracelab


def shapes_that_ran(traced, *args):
    run = traced.run(*args, record=True)
    return {value.name: tuple(item.shape) for value, item in run.recorded.items() if isinstance(item, torch.Tensor)}


def attention(x):
    batch, length, width = x.shape
    heads = x.view(batch, length, 2, width // 2).transpose(1, 2)
    scores = heads @ heads.transpose(-1, -2)
    return (scores.softmax(-1) @ heads).transpose(1, 2).reshape(batch, length, width)


def test_sizes_have_the_names_that_the_code_gives_them():
    shapes = tracelab.trace(attention, torch.ones(2, 5, 4)).shapes()
    assert shapes["x"] == "float32[batch, length, width]"
    assert shapes["scores"] == "float32[batch, 2, length, length]"
    assert shapes["heads"] == "float32[batch, 2, length, width//2]"


def test_names_may_be_given():
    traced = tracelab.trace(lambda x: x.flatten(1), torch.ones(2, 3, 4))
    assert traced.shapes(dims={"x": ("rows", None, "width")})["flatten"] == "float32[rows, x.1*width]"


def one_by_one(x):
    rows = x.size(0)
    columns = x.shape[-1]
    return x.reshape(rows * columns)


def test_a_size_that_is_read_alone_names_itself():
    assert tracelab.trace(one_by_one, torch.ones(2, 3)).shapes()["reshape"] == "float32[columns*rows]"


def twice(a, b):
    n = a.shape[0]
    a = a * n
    n = b.shape[0]
    return a.sum() + b * n


def test_two_sizes_of_one_name_are_told_apart():
    shapes = tracelab.trace(twice, torch.ones(2), torch.ones(3)).shapes()
    assert (shapes["a"], shapes["b"]) == ("float32[n]", "float32[n_2]")


def test_sizes_that_must_be_equal_have_one_name():
    shapes = tracelab.trace(lambda a, b: a @ b, torch.ones(2, 3), torch.ones(3, 4)).shapes()
    assert (shapes["a"], shapes["b"], shapes["matmul"]) == (
        "float32[a.0, a.1]",
        "float32[a.1, b.1]",
        "float32[a.0, b.1]",
    )


def test_a_size_that_the_weights_fix_is_a_number():
    traced = tracelab.trace(nn.Linear(3, 4), torch.ones(2, 3))
    assert traced.shapes()["input"] == "float32[input.0, 3]"


def test_a_size_of_one_is_a_number_because_it_broadcasts():
    shapes = tracelab.trace(lambda x: x + torch.ones(3), torch.ones(2, 1)).shapes()
    assert (shapes["x"], shapes["add"]) == ("float32[x.0, 1]", "float32[x.0, 3]")


def test_what_depends_on_values_is_not_known_and_neither_is_what_follows():
    traced = tracelab.trace(lambda x: (x[x > 0] * 2, x + 1), torch.ones(4))
    shapes = traced.shapes()
    assert shapes["mul"] == "float32[?]"
    assert shapes["add"] == "float32[x.0]"
    assert shapes.at(**{"x.0": 7})["mul"] is None


class Positions(nn.Module):
    def __init__(self):
        super().__init__()
        self.register_buffer("table", torch.arange(16.0))

    def forward(self, x):
        length = x.shape[1]
        return x + self.table[:length]


def test_the_signature_says_what_the_code_asks_of_sizes():
    signature = tracelab.trace(Positions(), torch.ones(2, 5)).signature
    first, *bounds = signature.split("\n")
    assert first == "x: float32[x.0, length]"
    assert any("length ≤ 16" in bound and "test_symbolic_shapes.py" in bound for bound in bounds)


def test_shapes_of_a_module_that_runs_python_are_not_known_behind_it():
    class Square(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * x

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    traced = tracelab.trace(lambda x: Square.apply(x) + 1, torch.ones(3))
    assert traced.shapes()["add"] == "float32[?]"


def test_unknown_names_are_refused():
    traced = tracelab.trace(nn.ReLU(), torch.ones(2, 3))
    with pytest.raises(tracelab.TracelabError, match="dims names 'y', which is no tensor input: there are"):
        traced.shapes(dims={"y": ("a", "b")})
    with pytest.raises(tracelab.TracelabError, match="dims has 1 name for"):
        traced.shapes(dims={"input": ("a",)})
    with pytest.raises(tracelab.TracelabError, match="there is no size 'a'"):
        traced.shapes().at(a=3)


def test_nothing_of_the_users_changes():
    module = nn.BatchNorm1d(3)
    traced = tracelab.trace(module, torch.ones(4, 3), check_trace=False)
    before = {name: tensor.clone() for name, tensor in module.state_dict().items()}
    state = torch.get_rng_state()
    traced.shapes()
    assert all(torch.equal(tensor, before[name]) for name, tensor in module.state_dict().items())
    assert torch.equal(torch.get_rng_state(), state)


def test_the_same_trace_gives_the_same_text():
    texts = {str(tracelab.trace(attention, torch.ones(2, 5, 4)).shapes()) for _ in range(2)}
    assert len(texts) == 1


CODES = {
    "attention": (attention, 3),
    "flat": (lambda x: x.flatten(1).cumsum(1), 3),
    "rolled": (lambda x: torch.cat([x[:, 1:], x[:, :1]], 1), 3),
    "stacked": (lambda x: torch.stack([x, x * 2], 1).sum(0), 3),
    "padded": (lambda x: F.pad(x, (1, 2)), 3),
    "pooled": (lambda x: F.avg_pool1d(x, 2), 3),
    "convolved": (lambda x: F.conv1d(x.transpose(1, 2), torch.ones(3, 4, 2), stride=2), 3),
    "halves": (lambda x: x.chunk(2, 1)[0] + 1, 3),
    "outer": (lambda x: x[:, :, None] * x[:, None], 2),
    "repeated": (lambda x: x.repeat(2, 1, 3), 3),
    "expanded": (lambda x: x[:, None].expand(-1, x.shape[1], -1, -1).reshape(-1, x.shape[2]), 3),
    "positions": (lambda x: x + torch.arange(x.shape[1])[None, :, None], 3),
    "folded": (lambda x: x.unfold(1, 2, 1), 3),
}


@pytest.mark.parametrize("name", list(CODES))
@settings(max_examples=6, deadline=None)
@given(st.integers(2, 5), st.sampled_from([4, 6, 8]))
def test_the_shapes_at_other_sizes_are_those_that_run(name, batch, length):
    code, rank = CODES[name]
    traced = tracelab.trace(code, torch.ones([2, 6, 4][:rank]), check_trace=False)
    shapes = traced.shapes()
    other = torch.ones([batch, length, 4][:rank])
    words = shapes["x"].removeprefix("float32[").removesuffix("]").split(", ")
    told = shapes.at(**{word: size for word, size in zip(words, other.shape, strict=True) if not word.isdigit()})
    ran = shapes_that_ran(traced, other)
    known = {name: shape for name, shape in ran.items() if told.get(name) is not None}
    assert {name: told[name] for name in known} == known
    assert len(known) == len([name for name in ran if name in told])


def scaled(x):
    d = x.shape[-1]
    return x * d**-0.5


def product(x):
    size = x.shape[0] * x.shape[1]
    return x.view(size)


def of_an_inner_tensor(x):
    b, n = x.view(x.shape[1], -1).shape
    return x.view(n, b)


GRU = nn.GRU(6, 3)
LABELS = [
    # torch's rules fix sizes that the operators leave open.
    (scaled, "float32[x.0, d]"),
    (lambda x: F.one_hot(torch.arange(3), x.shape[1]), "int64[3, x.1]"),
    (lambda x: torch.linspace(0, 1, x.shape[0]), "float32[x.0]"),
    # One side of a minimum, or of a remainder, is no law.
    (lambda x: x[:, :8], "float32[?]"),
    (lambda x: x[5:], "float32[?]"),
    (lambda x: x.new_zeros(min(x.shape[1], 8)), "float32[?]"),
    (lambda x: x.tensor_split(4, 1)[1], "float32[?]"),
    (lambda x: F.max_pool2d(x[None, None], 2, 3, ceil_mode=True), "float32[?]"),
    # A name stands for what the line reads, and not for what it reckons.
    (product, "float32[x.1*x.0]"),
    (of_an_inner_tensor, "float32[x.0, x.1]"),
    (lambda x: GRU(x)[0], "float32[x.0, 3]"),
]


@pytest.mark.parametrize(("code", "label"), LABELS)
def test_a_label_holds_at_other_sizes_or_is_not_given(code, label):
    traced = tracelab.trace(code, torch.ones(4, 6), check_trace=False)
    shapes = traced.shapes()
    assert shapes.text(traced.graph.outputs[0]) in (label, f"{label.partition('[')[0]}[?]")
    for sizes in [(9, 6), (4, 9), (3, 11), (17, 23), (2, 4)]:
        names = shapes["x"].removeprefix("float32[").removesuffix("]").split(", ")
        told = shapes.at({name: size for name, size in zip(names, sizes, strict=True) if not name.isdigit()})
        shape = told[traced.graph.outputs[0].name]
        try:
            ran = tuple(traced(torch.ones(sizes)).shape)
        except RuntimeError:
            continue
        assert names[1].isdigit() or shape is None or shape == ran


def test_bounds_are_conditions_without_which_the_code_fails():
    assert tracelab.trace(lambda x: x[:, :8] + x[:1, :8], torch.ones(4, 6)).shapes().bounds == []


@pytest.mark.parametrize("size", [-1, True, None, "3"])
def test_a_size_that_is_none_is_refused(size):
    shapes = tracelab.trace(lambda x: x + 1, torch.ones(4, 6)).shapes()
    with pytest.raises(tracelab.TracelabError, match="give a whole number from 0 on"):
        shapes.at({"x.0": size})


@pytest.mark.parametrize(
    "code",
    [lambda x, y: x[: min(x.shape[0], y.shape[0])] + 1, lambda x, y: y[:, :512] * 2],
    ids=["the smaller of two sizes", "what is too long is cut off"],
)
def test_a_size_that_is_another_one_for_other_inputs_has_no_name(code):
    shapes = tracelab.trace(code, torch.ones(2, 3), torch.ones(5, 4)).shapes()
    assert shapes["slice"] == "float32[?]"


def test_a_buffer_that_is_cut_to_the_length_keeps_the_name_of_the_length():
    bias = torch.ones(16, 16)

    def code(x):
        length = x.shape[1]
        return (x @ x.transpose(1, 2)) * bias[:length, :length]

    shapes = tracelab.trace(code, torch.ones(2, 5, 4)).shapes()
    assert shapes["mul"] == "float32[x.0, length, length]"
