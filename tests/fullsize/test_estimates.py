"""Estimates against figures that are worked out by hand, and against runs of the graph."""

from __future__ import annotations

import time

import pytest
import torch
from torch import nn
from torch.utils.flop_counter import FlopCounterMode

import tracelab
from support.language_models import without_data
from tracelab.execute.estimate.interpolate import Grid, Rows

transformers = pytest.importorskip("transformers")

LAYERS, HEADS, KV_HEADS, WIDTH, INNER, WORDS = 3, 4, 2, 32, 64, 50
HEAD = WIDTH // HEADS
PRODUCTS = LAYERS * (2 * WIDTH * WIDTH + 2 * WIDTH * KV_HEADS * HEAD + 3 * WIDTH * INNER) + WIDTH * WORDS
"""Weights by which each token is multiplied: queries and outputs, keys and values, three of the MLP; the head."""
PARAMETERS = PRODUCTS + WORDS * WIDTH + (2 * LAYERS + 1) * WIDTH
"""And embeddings and norms."""


SIZES = {
    "hidden_size": WIDTH,
    "intermediate_size": INNER,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "num_key_value_heads": KV_HEADS,
    "vocab_size": WORDS,
}


@pytest.fixture(scope="module")
def llama():
    config = transformers.LlamaConfig(**SIZES, tie_word_embeddings=False)
    return tracelab.trace(*without_data(config, 2, 16, dtype=torch.float32))


@pytest.fixture(scope="module")
def mixtral():
    config = transformers.MixtralConfig(**SIZES, num_local_experts=8, num_experts_per_tok=2)
    return tracelab.trace(*without_data(config, 2, 16, dtype=torch.bfloat16))


@pytest.fixture(scope="module")
def cnn():
    net = nn.Sequential(
        nn.Conv2d(3, 8, 3, padding=1), nn.ReLU(), nn.MaxPool2d(2), nn.Flatten(), nn.Linear(8 * 16 * 16, 10)
    )
    return tracelab.trace(net, torch.randn(2, 3, 32, 32))


# Language models -------------------------------------------------------------------------------------------


def test_parameters_and_weights_are_those_of_the_model(llama):
    estimate = llama.estimate()
    assert (estimate.parameters, estimate.dtype) == (PARAMETERS, "float32")
    rotary = HEAD // 2 * 4
    assert estimate.weights == 4 * PARAMETERS + rotary


@pytest.mark.parametrize(("batch", "length"), [(2, 16), (1, 16), (5, 100), (8, 4096), (1, 1000)])
def test_operations_of_a_prefill_are_two_for_each_weight_and_the_square_of_the_length(llama, batch, length):
    found = llama.estimate(batch=batch, length=length, decode=False).prefill
    attention = 4 * LAYERS * HEADS * HEAD * length**2
    assert found.tokens == batch * length
    assert found.flops == batch * (2 * PRODUCTS * length + attention)


@pytest.mark.parametrize(("batch", "length"), [(2, 16), (1, 16), (5, 100), (8, 4096)])
def test_operations_of_a_decode_step_are_those_of_one_token_with_all_before_it(llama, batch, length):
    found = llama.estimate(batch=batch, length=length).decode
    assert found.tokens == batch
    assert found.flops == batch * (2 * PRODUCTS + 4 * LAYERS * HEADS * HEAD * (length + 1))


@pytest.mark.parametrize(("batch", "length"), [(2, 16), (1, 16), (5, 100), (8, 4096)])
def test_the_cache_holds_keys_and_values_of_each_token(llama, batch, length):
    estimate = llama.estimate(batch=batch, length=length, dtype="bfloat16")
    token = 2 * LAYERS * KV_HEADS * HEAD * 2
    assert estimate.cache == batch * length * token
    assert estimate.decode.cache == batch * (length + 1) * token


def test_another_dtype_halves_weights_and_not_operations(llama):
    half = llama.estimate(batch=2, length=16, dtype="bfloat16")
    assert half.dtype == "bfloat16"
    assert half.prefill.flops == llama.estimate(batch=2, length=16).prefill.flops
    assert half.weights < 0.51 * llama.estimate().weights


def test_the_peak_is_logits_and_what_the_head_takes(llama):
    rows = 8 * 4096
    assert llama.estimate(batch=8, length=4096).prefill.activations >= rows * 4 * max(WORDS + WIDTH, 2 * INNER)


def test_the_sizes_of_another_call_are_found_in_milliseconds(llama):
    llama.estimate(batch=8, length=512)
    begin = time.process_time()
    llama.estimate(batch=7, length=3000)
    assert time.process_time() - begin < 0.05


def test_experts_count_those_that_a_token_runs_through(mixtral):
    found = mixtral.estimate(batch=4, length=64)
    expert, router = 3 * WIDTH * INNER, WIDTH * 8
    each = LAYERS * (2 * WIDTH * WIDTH + 2 * WIDTH * KV_HEADS * HEAD + 2 * expert + router) + WIDTH * WORDS
    assert found.prefill.flops == 4 * (2 * each * 64 + 4 * LAYERS * HEADS * HEAD * 64**2)
    assert found.notes == ()


def test_a_step_for_one_row_moves_the_weights_of_its_experts_alone(mixtral):
    one, many = (mixtral.estimate(batch=batch, length=64).decode.bytes_moved for batch in (1, 8))
    expert = 3 * WIDTH * INNER * 2
    assert many - one > 6 * LAYERS * expert
    assert one < mixtral.estimate().weights


def test_a_model_that_was_edited_says_that_it_cannot_decode():
    traced = tracelab.trace(*without_data(transformers.LlamaConfig(**SIZES), 2, 4))
    traced.origins = {}
    estimate = traced.estimate()
    assert estimate.decode is None
    assert estimate.notes[0].startswith("decoding is not estimated: ")


SMALL = {"vocab_size": WORDS, "d_model": WIDTH, "decoder_start_token_id": 0}
LAYERED = {"encoder_layers": 2, "decoder_layers": 2, "encoder_attention_heads": 4, "decoder_attention_heads": 4}
SPECIAL = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
ENCODING = {
    "t5": transformers.T5Config(**SMALL, d_kv=8, d_ff=INNER, num_layers=2, num_heads=4),
    "bart": transformers.BartConfig(
        **SMALL, **LAYERED, **SPECIAL, encoder_ffn_dim=INNER, decoder_ffn_dim=INNER, attn_implementation="eager"
    ),
    "whisper": transformers.WhisperConfig(
        **SMALL, **LAYERED, **SPECIAL, encoder_ffn_dim=INNER, decoder_ffn_dim=INNER, max_source_positions=20
    ),
}


@pytest.mark.parametrize("name", ENCODING)
def test_a_step_of_a_model_with_an_encoder_counts_the_decoder_alone(name: str):
    with torch.device("meta"):
        model = (
            transformers.AutoModelForSeq2SeqLM.from_config(ENCODING[name]).eval()
            if name != "whisper"
            else (transformers.WhisperForConditionalGeneration(ENCODING[name]).eval())
        )

        def prompt(batch: int, length: int, words: int) -> dict[str, torch.Tensor]:
            if name == "whisper":
                given = {"input_features": torch.zeros(batch, 80, 40)}
            else:
                given = {"input_ids": torch.zeros(batch, length, dtype=torch.long)}
            return {**given, "decoder_input_ids": torch.zeros(batch, words, dtype=torch.long)}

        traced = tracelab.trace(model, **prompt(1, 8, 4), check_trace=False)
        given = prompt(2, 16, 16 if name == "whisper" else 4)
        with torch.no_grad():
            returned = model(**given, use_cache=True)
            with FlopCounterMode(display=False) as counter:
                model(
                    decoder_input_ids=given["decoder_input_ids"][:, -1:],
                    encoder_outputs=(returned.encoder_last_hidden_state,),
                    past_key_values=returned.past_key_values,
                    use_cache=True,
                )
    estimate = traced.estimate(batch=2, length=16)
    assert estimate.decode.flops == counter.get_total_flops()


def test_a_length_that_the_code_counts_is_refused_with_its_line():
    def code(ids: torch.Tensor) -> torch.Tensor:
        total = torch.zeros(len(ids), 8, device=ids.device)
        for place in range(ids.shape[1]):
            total = total + ids[:, place, None]
        return total * ids

    traced = tracelab.trace(code, torch.ones(2, 8, dtype=torch.long), check_trace=False)
    with pytest.raises(tracelab.InputError, match=r"not for batch=2, length=16: it assumes that range"):
        traced.estimate(length=16)


# Other models ----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("batch", [1, 2, 16, 1000])
def test_operations_of_a_network_of_convolutions(cnn, batch):
    estimate = cnn.estimate(batch=batch)
    assert estimate.prefill.flops == batch * (2 * 32 * 32 * 8 * 27 + 2 * 2048 * 10)
    assert (estimate.length, estimate.decode, estimate.cache) == (0, None, 0)


@pytest.mark.parametrize("batch", [1, 3, 64])
def test_figures_are_those_of_a_run(cnn, batch):
    run = cnn.run(torch.randn(batch, 3, 32, 32), device="meta", flops=True)
    found = cnn.estimate(batch=batch)
    assert found.prefill.flops == sum(record.flops for record in run.records)
    assert found.prefill.bytes_moved == sum(record.bytes for record in run.records)
    # The convolution and what `relu` makes of it.
    assert found.prefill.activations == batch * 2 * 8 * 32 * 32 * 4


def test_costs_may_grow_with_the_square_of_the_batch():
    traced = tracelab.trace(lambda x: x @ x.T, torch.randn(3, 4))
    assert traced.estimate(batch=100).prefill.flops == 2 * 100 * 100 * 4


def test_a_graph_with_autocast_counts_its_dtypes():
    def function(x, w):
        with torch.autocast("cpu", torch.bfloat16):
            return x @ w

    traced = tracelab.trace(function, (torch.ones(2, 4), torch.ones(4, 4)))
    assert traced.estimate(batch=8).prefill.flops == 2 * 8 * 4 * 4


def test_numbers_among_the_arguments_are_those_of_the_trace():
    traced = tracelab.trace(lambda x, k: x.topk(k).values @ torch.ones(3, 2), (torch.randn(4, 8), 3))
    assert traced.estimate(batch=5).prefill.flops == 2 * 5 * 3 * 2


def test_in_place_operators_take_no_memory():
    def function(x):
        y = x * 2
        y.add_(1)
        return y

    traced = tracelab.trace(function, torch.ones(4, 4))
    assert traced.estimate(batch=4).prefill.activations == 2 * 4 * 4 * 4


def test_rounded_sizes_are_found_by_going_through_the_graph_there():
    def function(ids):
        half = ids.shape[1] // 2
        return ids[:, :half].float() @ torch.ones(half, 3)

    traced = tracelab.trace(function, torch.zeros(2, 8, dtype=torch.long))
    for length in (9, 20, 21, 31):
        assert traced.estimate(batch=4, length=length).prefill.flops == 2 * 4 * 3 * (length // 2)


def test_a_window_is_seen_on_both_sides_of_its_end():
    def function(ids, table):
        return table[ids][:, -16:].sum(1) @ table.T

    traced = tracelab.trace(function, (torch.zeros(2, 8, dtype=torch.long), torch.ones(10, 4)))
    near = traced.estimate(batch=4, length=12).prefill.activations
    far = traced.estimate(batch=4, length=1000).prefill.activations
    assert far - near == 4 * (1000 - 12) * (8 + 4 * 4)


def test_code_of_others_without_a_formula_is_named():
    class Own(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x.sin()

        @staticmethod
        def backward(ctx, g):
            return g

    estimate = tracelab.trace(lambda x: Own.apply(x), torch.ones(2, 3)).estimate(batch=4)
    assert len(estimate.notes) == 1
    assert estimate.notes[0].startswith("operations inside of 1 kind of calls are not counted: ")


# What is shown ---------------------------------------------------------------------------------------------


def test_the_table(cnn):
    assert (
        str(cnn.estimate(batch=16))
        == """\
Sequential, batch 16, float32
20.71 thousand parameters, 80.9 KiB of weights, 1.1 MiB of memory at the most
                         forward
  rows                        16
  FLOPs              7.733 MFLOP
  bytes moved            2.5 MiB
  FLOPs per byte             2.9
  activations, peak      1.0 MiB"""
    )


def test_html_is_escaped():
    traced = tracelab.trace(type("A<b>", (nn.Linear,), {})(2, 2), torch.ones(1, 2))
    html = traced.estimate(batch=3)._repr_html_()
    assert "A&lt;b&gt;" in html
    assert "<b>" not in html


# What is refused -------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"batch": 0}, "batch=0 is no size: give a whole number from 1"),
        ({"batch": 2.5}, "batch=2.5 is no size: give a whole number from 1"),
        (
            {"length": 7},
            "length=7 is for nothing: Sequential has no input of whole numbers with two dimensions",
        ),
        ({"dtype": "int8"}, "dtype='int8' is no floating dtype: give a name such as 'bfloat16', or torch.bfloat16"),
    ],
)
def test_sizes_and_dtypes_that_are_none(cnn, options, message):
    with pytest.raises(tracelab.InputError) as caught:
        cnn.estimate(**options)
    assert str(caught.value) == message


def test_sizes_for_which_the_code_takes_another_branch():
    def function(x):
        return x * 2 if x.shape[0] < 10 else x @ x.T

    traced = tracelab.trace(function, torch.randn(3, 4))
    assert traced.estimate(batch=4).prefill.flops == 0
    with pytest.raises(
        tracelab.InputError, match=r"the trace is not for batch=20: it assumes that x.shape\[0\] < 10 is True"
    ):
        traced.estimate(batch=20)


def test_values_that_decide_sizes_name_the_operator():
    traced = tracelab.trace(lambda x: x[x > 0], torch.ones(3, 4))
    with pytest.raises(tracelab.InputError, match=r"aten::index at test_estimates.py:\d+ has no estimate"):
        traced.estimate(batch=4)


def test_one_token_is_not_what_a_trace_of_several_does(llama):
    with pytest.raises(tracelab.InputError, match="it assumes that q_length > 1 is True"):
        llama.estimate(batch=1, length=1)


def test_a_function_that_names_its_dtype_is_not_estimated_in_another():
    traced = tracelab.trace(lambda x: x.half().to(torch.float32), torch.ones(2, 3))
    with pytest.raises(tracelab.InputError, match=r"build it with dtype=torch.bfloat16 and trace that"):
        traced.estimate(dtype="bfloat16")


# Interpolation ---------------------------------------------------------------------------------------------


def test_what_is_no_polynomial_does_not_fit():
    grid = Grid((8, 100), (True, True))
    assert grid.fits(Rows([[batch * length**2 for batch, length in grid.points]]))
    assert not grid.fits(Rows([[batch * (length // 16) for batch, length in grid.points]]))
    assert not grid.fits(Rows([[min(length, 120) for batch, length in grid.points]]))


def test_the_greatest_is_exact_far_from_the_grid():
    grid = Grid((8, 8192), (True, True))
    rows = [[batch * length * 10**12 + place for batch, length in grid.points] for place in range(50)]
    assert grid.greatest((3, 7), Rows(rows)) == 3 * 7 * 10**12 + 49
