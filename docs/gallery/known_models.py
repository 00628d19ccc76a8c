"""Models of the gallery that `transformers` brings, from small configurations with random weights, each traced."""

from __future__ import annotations

from typing import Any

import torch
from torch import Tensor

from models import ids, plain

SMALL = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "intermediate_size": 48}
WORDS = {"vocab_size": 64}
DECODER = {**WORDS, **SMALL, "use_cache": False}
GROUPED = {**DECODER, "num_key_value_heads": 2}
ENCODER_DECODER = {
    **WORDS,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 4,
    "decoder_attention_heads": 4,
    "encoder_ffn_dim": 48,
    "decoder_ffn_dim": 48,
    "use_cache": False,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "decoder_start_token_id": 1,
}


def image(size: int = 32) -> Tensor:
    return torch.randn(1, 3, size, size)


def known(model: str, config: str, settings: dict[str, Any], *args: Any, **kwargs: Any) -> Any:
    """A trace of a model of transformers, both of its classes given by name."""
    import transformers

    built = getattr(transformers, model)(getattr(transformers, config)(**settings))
    return plain(built, *args, **kwargs)


def llama() -> Any:
    return known("LlamaForCausalLM", "LlamaConfig", GROUPED, ids())


def llama_70b() -> Any:
    """Of the published size, on `meta`: no weights are made."""
    import transformers

    config = transformers.LlamaConfig(
        hidden_size=8192,
        intermediate_size=28672,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=128256,
        tie_word_embeddings=False,
        use_cache=False,
    )
    with torch.device("meta"):
        model = transformers.LlamaForCausalLM._from_config(config, dtype=torch.bfloat16)
        return plain(model, torch.zeros(1, 16, dtype=torch.long))


def mistral() -> Any:
    return known("MistralForCausalLM", "MistralConfig", GROUPED, ids())


def mixtral() -> Any:
    return known("MixtralForCausalLM", "MixtralConfig", {**GROUPED, "num_local_experts": 4}, ids())


def qwen3() -> Any:
    return known("Qwen3ForCausalLM", "Qwen3Config", {**GROUPED, "head_dim": 8}, ids())


def gemma3() -> Any:
    return known("Gemma3ForCausalLM", "Gemma3TextConfig", {**GROUPED, "head_dim": 8}, ids())


def deepseek() -> Any:
    settings = {
        **DECODER,
        "moe_intermediate_size": 16,
        "num_key_value_heads": 4,
        "n_routed_experts": 4,
        "n_group": 2,
        "topk_group": 1,
        "num_experts_per_tok": 2,
        "n_shared_experts": 1,
        "kv_lora_rank": 8,
        "q_lora_rank": 12,
        "qk_rope_head_dim": 4,
        "qk_nope_head_dim": 4,
        "v_head_dim": 8,
        "first_k_dense_replace": 1,
    }
    return known("DeepseekV3ForCausalLM", "DeepseekV3Config", settings, ids())


def gpt2() -> Any:
    settings = {**WORDS, "n_embd": 32, "n_layer": 2, "n_head": 4, "n_positions": 64, "use_cache": False}
    return known("GPT2LMHeadModel", "GPT2Config", {**settings, "bos_token_id": 1, "eos_token_id": 1}, ids())


def mamba() -> Any:
    settings = {**WORDS, "hidden_size": 32, "num_hidden_layers": 2, "state_size": 4, "use_cache": False}
    return known("MambaForCausalLM", "MambaConfig", settings, ids())


def bert() -> Any:
    return known("BertModel", "BertConfig", {**WORDS, **SMALL}, ids())


def deberta() -> Any:
    settings = {
        **WORDS,
        **SMALL,
        "relative_attention": True,
        "position_buckets": 8,
        "max_relative_positions": 16,
        "pos_att_type": ["c2p", "p2c"],
    }
    return known("DebertaV2Model", "DebertaV2Config", settings, ids())


def bart() -> Any:
    settings = {**ENCODER_DECODER, "forced_eos_token_id": 2}
    inputs = {"input_ids": ids(), "decoder_input_ids": ids(5)}
    return known("BartForConditionalGeneration", "BartConfig", settings, **inputs)


def t5() -> Any:
    settings = {
        **WORDS,
        "d_model": 32,
        "d_kv": 8,
        "d_ff": 48,
        "num_layers": 2,
        "num_heads": 4,
        "use_cache": False,
        "decoder_start_token_id": 0,
    }
    inputs = {"input_ids": ids(), "decoder_input_ids": ids(5)}
    return known("T5ForConditionalGeneration", "T5Config", settings, **inputs)


def vit() -> Any:
    settings = {**SMALL, "image_size": 32, "patch_size": 8}
    return known("ViTForImageClassification", "ViTConfig", settings, image())


def dinov2() -> Any:
    settings = {"hidden_size": 32, "num_hidden_layers": 2, "num_attention_heads": 4, "image_size": 28, "patch_size": 14}
    return known("Dinov2Model", "Dinov2Config", settings, image(28))


def swin() -> Any:
    shape = {"image_size": 32, "patch_size": 4, "embed_dim": 16, "window_size": 4}
    return known("SwinModel", "SwinConfig", {**shape, "depths": [1, 1], "num_heads": [2, 4]}, image())


def convnext() -> Any:
    settings = {"hidden_sizes": [8, 16, 16, 32], "depths": [1, 1, 2, 1]}
    return known("ConvNextModel", "ConvNextConfig", settings, image(64))


def mobilenet() -> Any:
    settings = {"depth_multiplier": 0.25, "min_depth": 4, "depth_divisible_by": 4}
    return known("MobileNetV2Model", "MobileNetV2Config", settings, image(64))


def segformer() -> Any:
    settings = {
        "depths": [1, 1, 1, 1],
        "hidden_sizes": [8, 16, 16, 32],
        "num_attention_heads": [1, 2, 2, 4],
        "decoder_hidden_size": 16,
        "num_labels": 3,
    }
    return known("SegformerForSemanticSegmentation", "SegformerConfig", settings, image(64))


def clip() -> Any:
    text = {**WORDS, **SMALL, "max_position_embeddings": 16, "bos_token_id": 1, "eos_token_id": 2}
    vision = {**SMALL, "image_size": 32, "patch_size": 8}
    settings = {"text_config": text, "vision_config": vision, "projection_dim": 16}
    return known("CLIPModel", "CLIPConfig", settings, input_ids=ids(), pixel_values=image())


def vilt() -> Any:
    settings = {**WORDS, **SMALL, "image_size": 32, "patch_size": 8, "max_image_length": -1}
    return known("ViltModel", "ViltConfig", settings, input_ids=ids(), pixel_values=image())


def whisper() -> Any:
    settings = {**ENCODER_DECODER, "num_mel_bins": 16, "max_source_positions": 20, "max_target_positions": 32}
    inputs = {"input_features": torch.randn(1, 16, 40), "decoder_input_ids": ids(4)}
    return known("WhisperForConditionalGeneration", "WhisperConfig", settings, **inputs)


def wav2vec2() -> Any:
    settings = {
        "vocab_size": 32,
        **SMALL,
        "conv_dim": [8, 8, 8],
        "conv_kernel": [10, 3, 3],
        "conv_stride": [5, 2, 2],
        "num_feat_extract_layers": 3,
        "num_conv_pos_embeddings": 8,
        "num_conv_pos_embedding_groups": 2,
    }
    return known("Wav2Vec2Model", "Wav2Vec2Config", settings, torch.randn(1, 2000))


def encodec() -> Any:
    settings = {
        "num_filters": 4,
        "hidden_size": 16,
        "codebook_size": 16,
        "codebook_dim": 16,
        "upsampling_ratios": [4, 2],
        "num_lstm_layers": 1,
    }
    return known("EncodecModel", "EncodecConfig", settings, torch.randn(1, 1, 640))


def patchtst() -> Any:
    settings = {
        "num_input_channels": 2,
        "context_length": 32,
        "patch_length": 8,
        "patch_stride": 8,
        "d_model": 16,
        "num_attention_heads": 4,
        "num_hidden_layers": 2,
        "ffn_dim": 32,
    }
    return known("PatchTSTModel", "PatchTSTConfig", settings, torch.randn(1, 32, 2))
