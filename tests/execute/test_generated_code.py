"""Generated code reads as Python that a person would write, and does what the graph says."""

from __future__ import annotations

import inspect
import traceback
from textwrap import dedent

import pytest
import torch
from torch import nn
from torch.nn import functional as F

import tracelab


def code(function, *example, **options):
    return tracelab.trace(function, example, **options).code


def test_a_function_reads_as_a_function():
    def activate(x, y):
        hidden = x @ y
        return torch.tanh(hidden) + 1

    assert code(activate, torch.ones(2, 3), torch.ones(3, 4)) == dedent(
        """\
        def forward(x, y):
            hidden = torch.matmul(x, y)
            tanh = torch.tanh(hidden)
            add = torch.add(tanh, 1)
            return add
        """
    )


def test_sizes_read_as_arithmetic():
    def rows(x):
        n = x.shape[0] * 2
        return x.view(n, -1)[: n // 2]

    text = code(rows, torch.ones(2, 4))
    assert "size = x.size(0)" in text
    assert "n = size * 2" in text
    assert "x.view([n, -1])" in text
    assert "n // 2" in text


def test_parameters_are_arguments():
    text = code(nn.Linear(3, 2), torch.ones(1, 3))
    assert text.startswith("def forward(input, weight, bias):\n")
    assert "torch._C._nn.linear(input, weight, bias)" in text


def test_a_write_hands_its_tensor_on_and_results_nest():
    def write(x):
        y = x.clone()
        y.add_(1)
        return y, (y, x)

    assert code(write, torch.ones(2)) == dedent(
        """\
        def forward(x):
            y = x.clone()
            add_ = y.add_(1)
            tuple = (add_, x)
            tuple_1 = (add_, tuple)
            return tuple_1
        """
    )


def test_regions_are_left_on_any_exit():
    def region(x):
        with torch.no_grad():
            return x * 2

    text = code(region, torch.ones(2))
    assert "regions.enter_grad_mode(False)" in text
    assert "finally:\n            regions.close()\n    except KeyboardInterrupt:\n        regions.restore()" in text


def test_names_that_python_reserves_are_changed():
    def reserved(x):
        lambda_ = x + 1
        torch_ = lambda_ * 2
        return torch_

    def shadowing(x):
        torch = x + 1
        return torch.sin()

    for function in (reserved, shadowing):
        traced = tracelab.trace(function, torch.ones(2))
        compile(traced.code, "code", "exec")
        assert torch.equal(traced(torch.zeros(3)), function(torch.zeros(3)))


@pytest.mark.parametrize("number", [float("inf"), float("-inf"), float("nan"), 1e-300, -0.0, 10**18, 2 + 3j, True, -3])
def test_numbers_are_written_so_that_they_come_back(number):
    example = torch.ones(2, dtype=torch.complex64 if isinstance(number, complex) else torch.float64)
    traced = tracelab.trace(lambda x: x * number, example)
    torch.testing.assert_close(traced(example), example * number, rtol=0, atol=0, equal_nan=True)


def test_an_error_at_replay_shows_the_generated_line():
    traced = tracelab.trace(lambda x, y: (x * 2) @ y, (torch.ones(2, 2), torch.ones(2, 2)))
    with pytest.raises(RuntimeError) as caught:
        traced(torch.ones(2, 2), torch.ones(3, 3))
    assert "matmul = torch_matmul(mul, y)" in "".join(traceback.format_exception(caught.value))


def test_intermediate_values_are_freed_at_their_last_use():
    import gc
    import weakref

    alive = []

    class Watch(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            gc.collect()
            alive.append([reference() is not None for reference in references])
            return x + 1

    references = []

    class Note(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            result = x * 2
            references.append(weakref.ref(result))
            return result

    def chain(x):
        return Watch.apply(Note.apply(x) + 1)

    traced = tracelab.trace(chain, torch.ones(2), check_trace=False)
    references.clear()
    alive.clear()
    traced(torch.ones(2))
    assert alive == [[False]]


def test_a_traced_function_has_the_signature_of_its_inputs():
    traced = tracelab.trace(lambda x, mask: x * mask, (torch.ones(2), torch.ones(2)))
    assert list(inspect.signature(traced).parameters) == ["x", "mask"]


def test_a_traced_function_keeps_its_name_and_function():
    def scale(x):
        return x * 2

    traced = tracelab.trace(scale, torch.ones(2))
    assert traced.__name__ == "scale"
    assert traced.origin.python is scale
    assert repr(traced) == "TracedFunction(scale, 1 node)"


def test_a_replay_can_be_compiled_to_code_twice_with_the_same_text():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU())
    assert code(net, torch.ones(1, 3)) == code(net, torch.ones(1, 3))


LOSSES = {
    "nll_loss": lambda x, y: F.nll_loss(x, y),
    "nll_loss of pictures": lambda x, y: F.nll_loss(x[:, :, None, None], y[:, None, None]),
    "cross_entropy": lambda x, y: F.cross_entropy(x, y),
    "smooth_l1_loss": lambda x, y: F.smooth_l1_loss(x, x * 2),
    "huber_loss": lambda x, y: F.huber_loss(x, x * 2),
    "mse_loss": lambda x, y: F.mse_loss(x, x * 2),
    "l1_loss": lambda x, y: F.l1_loss(x, x * 2),
    "soft_margin_loss": lambda x, y: F.soft_margin_loss(x, x * 2),
    "kl_div": lambda x, y: F.kl_div(x, x.softmax(1)),
    "multi_margin_loss": lambda x, y: F.multi_margin_loss(x, y),
    "multilabel_margin_loss": lambda x, y: F.multilabel_margin_loss(x, F.one_hot(y, 4)),
    "binary_cross_entropy": lambda x, y: F.binary_cross_entropy(x.sigmoid(), F.one_hot(y, 4).float()),
    "binary_cross_entropy_with_logits": lambda x, y: F.binary_cross_entropy_with_logits(x, F.one_hot(y, 4).float()),
    "poisson_nll_loss": lambda x, y: F.poisson_nll_loss(x, x.exp()),
    "gaussian_nll_loss": lambda x, y: F.gaussian_nll_loss(x, x * 2, x.exp()),
    "cosine_embedding_loss": lambda x, y: F.cosine_embedding_loss(x, x + 1, y * 0 + 1),
    "margin_ranking_loss": lambda x, y: F.margin_ranking_loss(x, x * 2, x.sign()),
    "hinge_embedding_loss": lambda x, y: F.hinge_embedding_loss(x, x.sign()),
    "triplet_margin_loss": lambda x, y: F.triplet_margin_loss(x, x + 1, x - 1),
}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", LOSSES)
def test_a_loss_is_averaged_as_in_eager_mode(name):
    example, other = ((torch.randn(n, 4), torch.randint(0, 4, (n,))) for n in (3, 5))
    traced = tracelab.trace(LOSSES[name], example, check_trace=False)
    torch.testing.assert_close(traced(*other), LOSSES[name](*other))
    with torch.no_grad():
        torch.testing.assert_close(traced(*other), LOSSES[name](*other))


def test_a_reduction_that_nobody_wrote_is_written():
    assert (
        "nll_loss_nd(x, y, reduction=1)"
        in tracelab.trace(LOSSES["nll_loss"], (torch.randn(3, 4), torch.randint(0, 4, (3,))), check_trace=False).code
    )
