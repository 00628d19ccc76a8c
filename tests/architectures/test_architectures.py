"""Architectures of `transformers`, small, with random weights: traced, replayed on other values and other sizes.

None may be silently wrong: a replay that differs from eager, or cannot run, says so at the call, with the line.
A plain run takes one of each kind, and models that `test_models.py` has are not among them; the rest is `nightly`.
"""

from __future__ import annotations

import warnings
from collections.abc import Iterator
from typing import Any

import pytest
import torch
from torch import Tensor, nn
from transformers import CONFIG_MAPPING, AutoModel, PretrainedConfig

import tracelab

NAMES = """
albert apertus bart beit bert big_bird biogpt blenderbot bloom camembert clip_text_model clip_vision_model codegen
cohere convbert ctrl cvt data2vec-audio data2vec-vision deberta deberta-v2 deit diffllama dinov2 dinov3_vit distilbert
dpr electra ernie esm falcon_h1 fnet focalnet gemma gemma2 glm glpn gpt2 gpt_bigcode gpt_neox gpt_oss gptj granite
granitemoe hubert ibert imagegpt layoutlm llama longformer longt5 m2m_100 mamba marian mbart minimax mistral mixtral
mobilebert mobilenet_v1 mobilenet_v2 mobilevit modernbert mpnet mpt mt5 mvp nystromformer olmo2 opt pegasus persimmon
phi phi3 phimoe pvt_v2 qwen2 qwen2_moe qwen3 rembert roberta roformer segformer siglip_vision_model splinter
squeezebert stablelm starcoder2 swiftformer t5 tapas umt5 vit vit_mae vit_msn wav2vec2 wavlm whisper xglm xlm-roberta
yolos yoso
""".split()

DAILY = {
    "text, encoder": "deberta-v2 fnet mpnet",
    "text, decoder": "gemma2 gpt_neox qwen2",
    "text, encoder and decoder": "marian longt5",
    "experts": "mixtral",
    "pictures": "clip_vision_model mobilenet_v2 segformer",
    "sound": "wav2vec2",
    "sound to text": "whisper",
}


def every_architecture() -> Iterator[Any]:
    daily = " ".join(DAILY.values()).split()
    assert set(daily) <= set(NAMES)
    for name in NAMES:
        yield pytest.param(name, marks=[] if name in daily else [pytest.mark.nightly])


SMALL: dict[str, Any] = {
    **dict.fromkeys(
        ("hidden_size", "d_model", "n_embd", "embedding_size", "embed_dim", "dim", "word_embed_proj_dim"), 32
    ),
    **dict.fromkeys(("num_hidden_layers", "encoder_layers", "decoder_layers", "num_layers", "n_layer", "n_layers"), 2),
    **dict.fromkeys(("num_attention_heads", "encoder_attention_heads", "decoder_attention_heads", "num_heads"), 4),
    **dict.fromkeys(("n_head", "n_heads", "num_experts", "num_local_experts"), 4),
    **dict.fromkeys(("intermediate_size", "encoder_ffn_dim", "decoder_ffn_dim", "d_ff", "hidden_dim", "ffn_dim"), 48),
    **dict.fromkeys(("num_key_value_heads", "depth", "num_experts_per_tok"), 2),
    **dict.fromkeys(("d_kv", "patch_size", "head_dim", "num_mel_bins", "rotary_dim"), 8),
    **dict.fromkeys(("n_positions", "max_position_embeddings"), 64),
    **dict.fromkeys(("max_source_positions", "max_target_positions"), 20),
    **{"vocab_size": 60, "image_size": 32, "moe_intermediate_size": 16, "use_cache": False},
    **{"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2, "decoder_start_token_id": 1},
}


def small_config(name: str) -> PretrainedConfig:
    config_class = CONFIG_MAPPING[name]
    plain = config_class()
    fits = {
        key: item
        for key, item in SMALL.items()
        if hasattr(plain, key) and isinstance(getattr(plain, key), (int, bool, type(None)))
    }
    return config_class(**fits)


def inputs(model: nn.Module, config: PretrainedConfig, batch: int, length: int) -> dict[str, Tensor]:
    kind = model.main_input_name
    if kind == "pixel_values":
        size = config.image_size if isinstance(getattr(config, "image_size", None), int) else 32
        return {kind: torch.randn(batch, getattr(config, "num_channels", 3), size, size)}
    if kind == "input_values":
        return {kind: torch.randn(batch, 400 + 20 * length)}
    if kind == "input_features":
        return {kind: torch.randn(batch, 8, 40), "decoder_input_ids": torch.randint(3, 50, (batch, length))}
    given = {"input_ids": torch.randint(3, 50, (batch, length))}
    if config.is_encoder_decoder:
        given["decoder_input_ids"] = torch.randint(3, 50, (batch, length - 1))
    return given


def tensors(item: Any) -> Iterator[Tensor]:
    if isinstance(item, Tensor):
        yield item
    elif isinstance(item, dict):
        for child in item.values():
            yield from tensors(child)
    elif isinstance(item, (tuple, list)):
        for child in item:
            yield from tensors(child)


def verdict(traced: nn.Module, model: nn.Module, given: dict[str, Tensor]) -> str:
    """`right`, `told` or `silent`; a call that is right and told of is a false alarm."""
    torch.manual_seed(1)
    wanted = list(tensors(model(**given)))
    torch.manual_seed(1)
    with warnings.catch_warnings(record=True) as said:
        warnings.simplefilter("always")
        try:
            found = list(tensors(traced(**given)))
        except tracelab.TracelabError as error:
            return "told" if ".py:" in str(error) else f"no line in {error}"
    told = [str(item.message) for item in said if issubclass(item.category, tracelab.AssumptionWarning)]
    same = len(found) == len(wanted) and all(
        a.shape == b.shape and a.dtype == b.dtype and torch.allclose(a, b, rtol=1e-3, atol=1e-4, equal_nan=True)
        for a, b in zip(found, wanted, strict=True)
    )
    if same:
        return "false alarm" if told else "right"
    return "told" if any(".py:" in sentence for sentence in told) else "silent"


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", list(every_architecture()))
def test_no_replay_is_silently_wrong(name: str) -> None:
    config = small_config(name)
    model = AutoModel.from_config(config).eval()
    example = inputs(model, config, 2, 7)
    with torch.no_grad():
        # BigBird switches its attention for good as it first sees a short text: its first call is another.
        model(**example)
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            traced = tracelab.trace(model, example_kwarg_inputs=example, strict=False, check_trace=False)
        assert verdict(traced, model, example) == "right"
        for batch, length in ((2, 7), (3, 9), (4, 12)):
            assert verdict(traced, model, inputs(model, config, batch, length)) in ("right", "told")
        assert verdict(traced, model, inputs(model, config, 1, 3)) != "silent"
