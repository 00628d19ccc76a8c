"""Code that raises: the sentence names what clashes, by the code's words, and tracebacks show the user's frames."""

from __future__ import annotations

import traceback

import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import nn
from torch.nn import functional as F

import tracelab


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.body = nn.Sequential(nn.Conv2d(3, 8, 3))
        self.head = nn.Linear(10, 2)

    def forward(self, x):
        return self.head(self.body(x).flatten(1))


EMBEDDING = nn.Embedding(5, 3)
CLASHES = [
    (
        Net(),
        (torch.ones(1, 4, 8, 8),),
        "`conv2d` expects 3 channels and gets 4: x is float32[1, 4, 8, 8], weight float32[8, 3, 3, 3], "
        "in `body.0` (Conv2d)",
    ),
    (
        Net(),
        (torch.ones(1, 3, 4, 4),),
        "`linear` expects 10 features and gets 32: input (`flatten`) is float32[1, 32], weight float32[2, 10], "
        "in `head` (Linear)",
    ),
    (
        nn.Conv2d(3, 8, 5),
        (torch.ones(1, 3, 4, 4),),
        "Calculated padded input size per channel",
    ),
    (
        lambda a, b: a @ b,
        (torch.ones(2, 3), torch.ones(4, 5)),
        "`matmul` needs equal sizes at the inner place and gets 3 and 4: a is float32[2, 3], b float32[4, 5]",
    ),
    (
        lambda a, b: (a * 2) + b,
        (torch.ones(2, 3), torch.ones(4)),
        "`add` needs sizes that fit and gets 3 and 4 in the last dimension: mul is float32[2, 3], b float32[4]",
    ),
    (
        lambda a, b: torch.cat([a, b]),
        (torch.ones(2, 3), torch.ones(2, 5)),
        "`cat` needs equal sizes in dimension 1 and gets 3 and 5: a is float32[2, 3], b float32[2, 5]",
    ),
    (
        lambda a, b: torch.stack([a, b]),
        (torch.ones(2), torch.ones(3)),
        "`stack` needs equal sizes in dimension 0 and gets 2 and 3: a is float32[2], b float32[3]",
    ),
    (
        lambda a, b: a @ b,
        (torch.ones(2, 2), torch.ones(2, 2, dtype=torch.int64)),
        "`matmul` takes tensors of one dtype and gets float32 and int64: a is float32[2, 2], b int64[2, 2]",
    ),
    (
        lambda a: a + torch.ones(2, device="meta"),
        (torch.ones(2),),
        "`add` takes tensors of one device and gets cpu and meta: a is float32[2] on cpu, ones float32[2] on meta",
    ),
    (
        EMBEDDING,
        (torch.tensor([7]),),
        "`embedding` has 5 rows, and an index is outside of them: weight is float32[5, 3], input int64[1]",
    ),
    (
        EMBEDDING,
        (torch.tensor([1.0]),),
        "`embedding` takes whole numbers (int64) as indices and gets float32: weight is float32[5, 3], "
        "input float32[1]",
    ),
    (
        lambda a: a.view(5, 5),
        (torch.ones(2, 3),),
        "`view` cannot give 6 elements the shape [5, 5], which has 25: a is float32[2, 3]",
    ),
    (
        lambda a: a.view(4, -1),
        (torch.ones(2, 3),),
        "`view` cannot give 6 elements the shape [4, -1], whose -1 would be no whole number: a is float32[2, 3]",
    ),
    (
        lambda a, b: F.cross_entropy(a, b),
        (torch.ones(2, 3), torch.tensor([5, 1])),
        "`cross_entropy_loss` has scores of 3 classes, and a target is outside of them: a is float32[2, 3], b int64[2]",
    ),
    (
        nn.BatchNorm2d(4).eval(),
        (torch.ones(2, 3, 4, 4),),
        "`batch_norm` expects 4 channels and gets 3: input is float32[2, 3, 4, 4], weight float32[4]",
    ),
    (
        lambda q, k: F.scaled_dot_product_attention(q, k, k),
        (torch.ones(2, 3, 4), torch.ones(2, 3, 5)),
        "`scaled_dot_product_attention` needs queries and keys of equal size and gets 4 and 5: "
        "q is float32[2, 3, 4], k float32[2, 3, 5]",
    ),
]


def raised_by(call):
    with pytest.raises(Exception) as caught:  # noqa: PT011
        call()
    return caught.value


@pytest.mark.parametrize(("code", "args", "sentence"), CLASHES)
def test_the_sentence_names_what_clashes(code, args, sentence):
    found = str(raised_by(lambda: tracelab.trace(code, *args)))
    assert sentence in found


@pytest.mark.parametrize(("code", "args", "sentence"), CLASHES)
def test_torchs_own_words_stay_in_it(code, args, sentence):
    own = raised_by(lambda: code(*args))
    found = raised_by(lambda: tracelab.trace(code, *args))
    assert isinstance(found, type(own))
    assert str(own).split("\n")[0] in str(found)


def test_a_value_that_is_out_of_range_is_told_as_torch_tells_it():
    found = str(raised_by(lambda: tracelab.trace(lambda a: a[5], torch.ones(2, 3))))
    assert "in aten::select" in found
    assert "index 5 out of range" in found


def test_the_traceback_shows_the_frames_of_the_user():
    error = raised_by(lambda: tracelab.trace(Net(), torch.ones(1, 3, 4, 4)))
    frames = traceback.extract_tb(error.__cause__.__traceback__)
    assert [(frame.filename, frame.line) for frame in frames] == [
        (__file__, "return self.head(self.body(x).flatten(1))")
    ]
    own = [frame.name for frame in traceback.extract_tb(error.__traceback__) if frame.filename != __file__]
    assert own == ["trace"]


def test_a_replay_that_raises_says_in_which_operator_and_why():
    net = Net()
    net.head = nn.Linear(8, 2)
    traced = tracelab.trace(net, torch.ones(1, 3, 3, 3))
    error = raised_by(lambda: traced(torch.ones(1, 3, 4, 4)))
    assert error.__notes__ == [
        "Net.forward is a trace, which may not fit: it was recorded on x: float32[1, 3, 3, 3], "
        "and is called with float32[1, 3, 4, 4]",
        "it raised in aten::linear at test_named_clashes.py:24: `linear` expects 8 features and gets 32: "
        "input (`flatten`) is float32[1, 32], weight float32[2, 8], in `head` (Linear)",
    ]


def test_a_run_says_it_too():
    net = Net()
    net.head = nn.Linear(8, 2)
    traced = tracelab.trace(net, torch.ones(1, 3, 3, 3))
    error = raised_by(lambda: traced.run(torch.ones(1, 3, 4, 4)))
    assert "`linear` expects 8 features and gets 32: input (`flatten`) is float32[1, 32]" in str(error)


shapes = st.lists(st.integers(0, 3), max_size=3)
TWO = [
    torch.add,
    torch.matmul,
    lambda a, b: torch.where(a > 0, a, b),
    lambda a, b: torch.lerp(a, b, 0.5),
    F.linear,
    torch.bmm,
    torch.mm,
    F.mse_loss,
    lambda a, b: torch.cat([a, b], 0),
    lambda a, b: torch.stack([a, b], 0),
    lambda a, b: a.view(tuple(b.shape)),
    lambda a, b: F.embedding(a.long(), b),
    lambda a, b: F.cross_entropy(a, b.long()),
    lambda a, b: F.conv1d(a, b),
    lambda a, b: F.layer_norm(a, tuple(b.shape)),
]


@pytest.mark.filterwarnings("ignore")
@settings(max_examples=80, deadline=None)
@given(st.sampled_from(TWO), shapes, shapes, st.sampled_from([torch.float32, torch.float64]))
def test_a_call_of_any_sizes_raises_what_python_raises(function, one, two, dtype):
    a, b = torch.zeros(one), torch.zeros(two, dtype=dtype)
    try:
        function(a, b)
    except Exception as error:
        own = error
    else:
        tracelab.trace(function, a, b, check_trace=False)
        return
    found = raised_by(lambda: tracelab.trace(function, a, b, check_trace=False))
    assert isinstance(found, type(own))
    assert str(own).split("\n")[0] in str(found)


NOT_THE_REASON = [
    (lambda a, m: F.scaled_dot_product_attention(a, a, a, m), (torch.ones(2, 4, 3, 8), torch.ones(5, 5) > 0)),
    (lambda a, b: torch.matmul(a, b, out=torch.zeros(2, 2, dtype=torch.int64)), (torch.ones(2, 3), torch.ones(3, 2))),
    (lambda a: a.view(0, -1), (torch.ones(0, 3),)),
    (lambda a, b: a.requires_grad_().add_(b), (torch.ones(2, 3), torch.ones(2, 3))),
]


@pytest.mark.parametrize(("code", "args"), NOT_THE_REASON)
def test_what_is_not_the_reason_is_not_told(code, args):
    own = raised_by(lambda: code(*(item.clone() for item in args)))
    found = str(raised_by(lambda: tracelab.trace(code, *args)))
    assert "`" not in found.replace(str(own), "")


OTHER = [
    (
        nn.Conv2d(3, 4, 9, padding=4),
        (torch.ones(1, 3, 8, 8).double(),),
        "`conv2d` takes tensors of one dtype and gets float64 and float32: input is float64[1, 3, 8, 8], "
        "weight float32[4, 3, 9, 9], bias float32[4]",
    ),
    (
        lambda a, b: a @ b,
        (torch.ones(2, 3, 4), torch.ones(3, 4, 5)),
        "`matmul` needs batch sizes that fit and gets 2 and 3 in the third last dimension",
    ),
    (
        torch.bmm,
        (torch.ones(1, 3, 4), torch.ones(2, 4, 5)),
        "`bmm` needs equal batch sizes and gets 1 and 2",
    ),
    (
        torch.mm,
        (torch.ones(2, 3, 4), torch.ones(4, 5)),
        "`mm` multiplies tensors of 2 dimensions and gets 3 and 2",
    ),
    (
        F.mse_loss,
        (torch.ones(2, 3), torch.ones(4, 5)),
        "`broadcast_tensors` needs sizes that fit and gets 3 and 5 in the last dimension",
    ),
    (
        nn.Conv2d(3, 8, 5),
        (torch.ones(1, 3, 4, 4),),
        "`conv2d` has a kernel of [5, 5], larger than the [4, 4] that it gets",
    ),
]


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize(("code", "args", "sentence"), OTHER)
def test_the_reason_is_told_of_others_too(code, args, sentence):
    assert sentence in str(raised_by(lambda: tracelab.trace(code, *args)))
