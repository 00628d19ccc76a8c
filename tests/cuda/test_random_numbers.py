"""Random numbers of a CUDA device: the same stream in a trace as in plain PyTorch, and left where it was."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab

DRAWS = {
    "dropout": lambda x: nn.functional.dropout(x, 0.4),
    "randn": lambda x: x + torch.randn(x.shape, device=x.device),
    "randn_like": lambda x: x + torch.randn_like(x),
    "in place": lambda x: torch.empty_like(x).normal_() + x.clone().uniform_(),
    "bernoulli": lambda x: torch.bernoulli(x.sigmoid()),
    "multinomial": lambda x: torch.multinomial(x.softmax(1), 2),
    "randperm": lambda x: x[torch.randperm(x.shape[0], device=x.device)],
    "both devices": lambda x: x + torch.rand(4).cuda() + torch.rand(4, device="cuda"),
    "attention": lambda x: nn.functional.scaled_dot_product_attention(x[None], x[None], x[None], dropout_p=0.3),
    "rrelu": lambda x: nn.functional.rrelu(x, training=True),
}


@pytest.mark.parametrize("name", DRAWS)
def test_a_replay_draws_what_plain_code_draws(name):
    function = DRAWS[name]
    x = torch.randn(5, 4, device="cuda")
    traced = tracelab.trace(function, x[:3])
    torch.manual_seed(9)
    expected = function(x)
    after = torch.cuda.get_rng_state()
    torch.manual_seed(9)
    torch.testing.assert_close(traced(x), expected)
    assert torch.equal(torch.cuda.get_rng_state(), after)


@pytest.mark.parametrize("name", DRAWS)
def test_tracing_leaves_the_stream_as_one_plain_call_leaves_it(name):
    function = DRAWS[name]
    x = torch.randn(3, 4, device="cuda")
    torch.manual_seed(9)
    function(x)
    expected = torch.cuda.get_rng_state(), torch.get_rng_state()
    torch.manual_seed(9)
    tracelab.trace(function, x)
    assert torch.equal(torch.cuda.get_rng_state(), expected[0])
    assert torch.equal(torch.get_rng_state(), expected[1])


def test_a_generator_of_the_device_is_followed():
    generator = torch.Generator("cuda").manual_seed(4)

    def drawn(x):
        return x + torch.randn(4, device="cuda", generator=generator)

    x = torch.zeros(4, device="cuda")
    traced = tracelab.trace(drawn, x)
    generator.manual_seed(7)
    expected = drawn(x)
    generator.manual_seed(7)
    torch.testing.assert_close(traced(x), expected)


@pytest.mark.parametrize("what", ["profile", "check", "compare"])
def test_what_looks_at_a_trace_leaves_the_stream(what):
    x = torch.randn(3, 4, device="cuda")
    traced = tracelab.trace(DRAWS["dropout"], x)
    before = torch.cuda.get_rng_state()
    if what == "profile":
        traced.profile(x)
    elif what == "check":
        traced.check([(x,)])
    else:
        tracelab.compare(traced, traced, x)
    assert torch.equal(torch.cuda.get_rng_state(), before)


def test_a_draw_on_the_device_without_an_input_there_leaves_the_stream():
    def drawn(x):
        return x + torch.rand(3, device="cuda").cpu()

    x = torch.zeros(3)
    torch.manual_seed(9)
    drawn(x)
    expected = torch.cuda.get_rng_state()
    torch.manual_seed(9)
    tracelab.trace(drawn, x)
    assert torch.equal(torch.cuda.get_rng_state(), expected)
