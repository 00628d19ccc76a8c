"""Caches of transformers as arguments: a decode step is traced once and replayed while the cache grows."""

from __future__ import annotations

import copy
import warnings
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tracelab

transformers = pytest.importorskip("transformers")
STEPS = 20


@pytest.fixture(autouse=True)
def nothing_is_told() -> Iterator[None]:
    with warnings.catch_warnings(), torch.no_grad():
        warnings.simplefilter("ignore")
        warnings.simplefilter("error", tracelab.AssumptionWarning)
        yield


SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": 2,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": None,
}


def built(model: str, config: str, **options: Any) -> nn.Module:
    torch.manual_seed(0)
    made: nn.Module = getattr(transformers, model)(getattr(transformers, config)(**{**SIZES, **options})).eval()
    return made


def gpt2() -> nn.Module:
    sizes = {"n_positions": 128, "n_embd": 32, "n_layer": 2, "n_head": 4}
    return built("GPT2LMHeadModel", "GPT2Config", **sizes)


def deepseek() -> nn.Module:
    return built(
        "DeepseekV3ForCausalLM",
        "DeepseekV3Config",
        num_key_value_heads=4,
        moe_intermediate_size=16,
        n_routed_experts=4,
        n_shared_experts=1,
        n_group=2,
        topk_group=1,
        num_experts_per_tok=2,
        kv_lora_rank=8,
        q_lora_rank=8,
        qk_rope_head_dim=8,
        qk_nope_head_dim=8,
        v_head_dim=8,
        first_k_dense_replace=1,
    )


def gemma3() -> nn.Module:
    layers = ["sliding_attention", "full_attention"] * 2
    options = {"num_hidden_layers": 4, "head_dim": 8, "sliding_window": 8, "layer_types": layers}
    return built("Gemma3ForCausalLM", "Gemma3TextConfig", **options)


def mamba2() -> nn.Module:
    options = {"state_size": 8, "expand": 2, "num_heads": 8, "head_dim": 8, "n_groups": 2, "chunk_size": 8}
    return built("Mamba2ForCausalLM", "Mamba2Config", **options)


def jamba() -> nn.Module:
    layers = {"attn_layer_period": 2, "attn_layer_offset": 1, "expert_layer_period": 2, "expert_layer_offset": 1}
    return built("JambaForCausalLM", "JambaConfig", num_experts=2, num_experts_per_tok=1, mamba_d_state=4, **layers)


MODELS: dict[str, Callable[[], nn.Module]] = {
    "GPT-2": gpt2,
    "Llama": lambda: built("LlamaForCausalLM", "LlamaConfig"),
    "Qwen3": lambda: built("Qwen3ForCausalLM", "Qwen3Config", head_dim=8),
    "Mixtral": lambda: built("MixtralForCausalLM", "MixtralConfig", num_local_experts=4),
    "Qwen3-MoE": lambda: built(
        "Qwen3MoeForCausalLM", "Qwen3MoeConfig", head_dim=8, num_experts=4, num_experts_per_tok=2
    ),
    "Gemma 3": gemma3,
    "DeepSeek-V3": deepseek,
    "Mamba 2": mamba2,
    "Jamba": jamba,
}


@pytest.mark.parametrize("name", MODELS)
def test_decode_steps_give_the_tokens_of_generate(name: str):
    model = MODELS[name]()
    ids = torch.randint(6, 64, (1, 5))
    wanted = model.generate(ids, max_new_tokens=STEPS, do_sample=False)
    key = "cache_params" if name == "Mamba 2" else "past_key_values"
    cache = transformers.DynamicCache(config=model.config)
    given = {"input_ids": ids, key: copy.deepcopy(cache), "use_cache": True}
    prefill = tracelab.trace(model, example_kwarg_inputs=given, on_violation="retrace")
    out = prefill(input_ids=ids, use_cache=True, **{key: cache})
    assert out[key] is cache
    tokens = [ids, out.logits[:, -1].argmax(-1, keepdim=True)]
    given = {"input_ids": tokens[-1], key: copy.deepcopy(cache), "use_cache": True}
    decode = tracelab.trace(model, example_kwarg_inputs=given, on_violation="retrace")
    for _ in range(STEPS - 1):
        out = decode(input_ids=tokens[-1], use_cache=True, **{key: cache})
        tokens.append(out.logits[:, -1].argmax(-1, keepdim=True))
    assert torch.equal(torch.cat(tokens, 1), wanted)
    assert len(decode.cases) == (3 if name == "Gemma 3" else 1)
    weights = [next(part.parameters()).data_ptr() for part in (model, prefill, decode)]
    assert len(set(weights)) == 1


def t5() -> nn.Module:
    sizes = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": 2, "num_heads": 4, "decoder_start_token_id": 0}
    return built("T5ForConditionalGeneration", "T5Config", **sizes)


def bart() -> nn.Module:
    sizes = {f"{part}_{what}": 2 for part in ("encoder", "decoder") for what in ("layers", "attention_heads")}
    widths = {"d_model": 32, "encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
    ends = {"decoder_start_token_id": 2, "forced_eos_token_id": None}
    return built("BartForConditionalGeneration", "BartConfig", **sizes, **widths, **ends)


@pytest.mark.parametrize("make", [t5, bart])
def test_encoders_and_decoders(make: Callable[[], nn.Module]):
    model: Any = make()
    ids = torch.randint(6, 64, (1, 5))
    wanted = model.generate(ids, max_new_tokens=STEPS, do_sample=False)
    encoded = tracelab.trace(model.get_encoder(), ids)(ids)
    caches = [transformers.DynamicCache(config=model.config) for _ in range(2)]
    cache = transformers.EncoderDecoderCache(*caches)
    tokens = [wanted[:, :1]]

    def step(cache: Any) -> dict[str, Any]:
        return {"encoder_outputs": encoded, "decoder_input_ids": tokens[-1], "past_key_values": cache}

    decode = tracelab.trace(model, example_kwarg_inputs=step(copy.deepcopy(cache)), on_violation="retrace")
    for _ in range(STEPS):
        tokens.append(decode(**step(cache)).logits[:, -1].argmax(-1, keepdim=True))
    assert torch.equal(torch.cat(tokens, 1), wanted)
    assert len(decode.cases) == 2


def test_a_static_cache_is_written_in_place():
    model = MODELS["Llama"]()
    ids = torch.randint(6, 64, (1, 5))
    wanted = model.generate(ids, max_new_tokens=8, do_sample=False)
    cache = transformers.StaticCache(config=model.config, max_cache_len=32)
    out = model(ids, past_key_values=cache)
    tokens = [ids, out.logits[:, -1].argmax(-1, keepdim=True)]
    keys = cache.layers[0].keys
    given = {"input_ids": tokens[-1], "past_key_values": copy.deepcopy(cache)}
    decode = tracelab.trace(model, example_kwarg_inputs=given)
    for _ in range(7):
        tokens.append(decode(input_ids=tokens[-1], past_key_values=cache).logits[:, -1].argmax(-1, keepdim=True))
    assert torch.equal(torch.cat(tokens, 1), wanted)
    assert cache.layers[0].keys is keys


def test_after_the_trace_the_cache_is_as_after_one_call():
    model = MODELS["Llama"]()
    ids = torch.randint(6, 64, (1, 5))
    mine, theirs = (transformers.DynamicCache(config=model.config) for _ in range(2))
    model(ids, past_key_values=theirs)
    tracelab.trace(model, example_kwarg_inputs={"input_ids": ids, "past_key_values": mine})
    for layer, other in zip(mine.layers, theirs.layers, strict=True):
        assert torch.equal(layer.keys, other.keys)
        assert torch.equal(layer.values, other.values)
        assert layer.is_initialized


def test_inputs_are_called_by_their_path():
    model = MODELS["Llama"]()
    cache = transformers.DynamicCache(config=model.config)
    model(torch.ones(1, 3, dtype=torch.long), past_key_values=cache)
    given = {"input_ids": torch.ones(1, 1, dtype=torch.long), "past_key_values": cache}
    traced = tracelab.trace(model, example_kwarg_inputs=given)
    assert [value.name for value in traced.graph.user_inputs] == [
        "input_ids",
        "past_key_values.0.keys",
        "past_key_values.0.values",
        "past_key_values.1.keys",
        "past_key_values.1.values",
    ]


def test_another_number_of_layers_is_told_by_its_path():
    model = MODELS["Llama"]()
    ids = torch.ones(1, 3, dtype=torch.long)
    cache = transformers.DynamicCache(config=model.config)
    traced = tracelab.trace(model, example_kwarg_inputs={"input_ids": ids, "past_key_values": cache})
    other = transformers.DynamicCache(config=built("LlamaForCausalLM", "LlamaConfig", num_hidden_layers=3).config)
    with pytest.raises(tracelab.AssumptionError, match=r"`past_key_values.layers` has 3 elements, but had 2"):
        traced(input_ids=ids, past_key_values=other)


def test_a_batch_of_a_tokenizer():
    def mean(batch: Any, model: nn.Embedding) -> Tensor:
        return (model(batch["input_ids"]) * batch.attention_mask[..., None]).sum(1)

    def batch(*shape: int) -> Any:
        ids = torch.randint(0, 9, shape)
        return transformers.BatchEncoding({"input_ids": ids, "attention_mask": torch.ones_like(ids)})

    embedding = nn.Embedding(9, 3)
    traced = tracelab.trace(lambda batch: mean(batch, embedding), batch(2, 4))
    given = batch(3, 6)
    assert torch.equal(traced(given), mean(given, embedding))
    assert [value.name for value in traced.graph.user_inputs] == ["batch.input_ids", "batch.attention_mask"]
