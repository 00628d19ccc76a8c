"""The forty models of `first_views.py`: narrow, of random weights, with as many layers as a reader meets."""

from __future__ import annotations

import importlib
from collections.abc import Callable, Mapping
from typing import Any

import torch
from trace_models import MODELS as OF_BEFORE
from trace_models import zoo

Case = zoo.Case

LAYERS = 8
_ENDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
_SIZES: dict[str, Any] = {
    "vocab_size": 64,
    "hidden_size": 32,
    "intermediate_size": 48,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": 4,
    "num_key_value_heads": 2,
    "max_position_embeddings": 128,
    **_ENDS,
}
_DEEPSEEK: dict[str, Any] = {
    "num_key_value_heads": 4,
    "moe_intermediate_size": 16,
    "n_routed_experts": 4,
    "n_shared_experts": 1,
    "n_group": 2,
    "topk_group": 1,
    "num_experts_per_tok": 2,
    "kv_lora_rank": 8,
    "q_lora_rank": 8,
    "qk_rope_head_dim": 8,
    "qk_nope_head_dim": 8,
    "v_head_dim": 8,
    "first_k_dense_replace": 1,
}
_MAMBA = {"state_size": 8, "expand": 2, "num_heads": 8, "head_dim": 8, "n_groups": 2, "chunk_size": 8}
_JAMBA = {"num_hidden_layers": 16, "num_experts": 2, "num_experts_per_tok": 1, "mamba_d_state": 4}


def _language(family: str, *, model: str = "ForCausalLM", config: str = "Config", **sizes: Any) -> Callable[[], Case]:
    def build() -> Case:
        transformers = importlib.import_module("transformers")
        given = {**_SIZES, **sizes}
        made = getattr(transformers, family + model)(getattr(transformers, family + config)(**given))
        return Case(made.eval(), kwargs={"input_ids": zoo.ids(1, 7)})

    return build


def _two_towers(family: str, **inputs: Callable[[], torch.Tensor]) -> Callable[[], Case]:
    """An encoder and a decoder, whose sizes each family calls otherwise."""
    towers = {
        f"{part}_{what}": number
        for part in ("encoder", "decoder")
        for what, number in (("layers", LAYERS), ("attention_heads", 4), ("ffn_dim", 48))
    }
    narrow = {"d_model": 32, "d_kv": 8, "d_ff": 48, "num_layers": LAYERS, "num_heads": 4, "num_mel_bins": 8}
    ends = {"decoder_start_token_id": 1, "max_source_positions": 20, "max_target_positions": 20, "vocab_size": 64}

    def build() -> Case:
        transformers = importlib.import_module("transformers")
        config = getattr(transformers, f"{family}Config")(**narrow, **towers, **ends, **_ENDS)
        made = getattr(transformers, f"{family}ForConditionalGeneration")(config).eval()
        return Case(made, kwargs={name: make() for name, make in inputs.items()})

    return build


def _llava() -> Case:
    transformers = importlib.import_module("transformers")
    sizes = {"hidden_size": 32, "intermediate_size": 48, "num_hidden_layers": LAYERS, "num_attention_heads": 4}
    config = transformers.LlavaConfig(
        vision_config=transformers.CLIPVisionConfig(**sizes, image_size=32, patch_size=8, projection_dim=32),
        text_config=transformers.LlamaConfig(**_SIZES),
        image_token_index=63,
    )
    made = transformers.LlavaForConditionalGeneration(config).eval()
    tokens = torch.cat([torch.full((1, 16), 63), zoo.ids(1, 5)], dim=1)
    return Case(made, kwargs={"input_ids": tokens, "pixel_values": zoo.image(1, 32)})


def _gpt2() -> Case:
    transformers = importlib.import_module("transformers")
    config = transformers.GPT2Config(vocab_size=64, n_embd=32, n_layer=12, n_head=4, **_ENDS)
    return Case(transformers.GPT2LMHeadModel(config).eval(), kwargs={"input_ids": zoo.ids(1, 7)})


LANGUAGE: dict[str, Callable[[], Case]] = {
    "gpt2-cache": _gpt2,
    "llama-8": _language("Llama"),
    "qwen3": _language("Qwen3", head_dim=8),
    "mixtral-8": _language("Mixtral", num_local_experts=4),
    "qwen3-moe": _language("Qwen3Moe", head_dim=8, num_experts=4, num_experts_per_tok=2, moe_intermediate_size=16),
    "gemma3": _language("Gemma3", config="TextConfig", head_dim=8, sliding_window=8, num_hidden_layers=12),
    "deepseek-v3": _language("DeepseekV3", **_DEEPSEEK),
    "mamba2": _language("Mamba2", **_MAMBA),
    "t5-8": _two_towers("T5", input_ids=lambda: zoo.ids(1, 7), decoder_input_ids=lambda: zoo.ids(1, 5)),
    "bart": _two_towers("Bart", input_ids=lambda: zoo.ids(1, 7), decoder_input_ids=lambda: zoo.ids(1, 5)),
    "whisper-8": _two_towers(
        "Whisper", input_features=lambda: torch.randn(1, 8, 40), decoder_input_ids=lambda: zoo.ids(1, 5)
    ),
    "llava": _llava,
    "jamba": _language("Jamba", **_JAMBA),
}


def _timm(name: str, size: int = 224) -> Callable[[], Case]:
    return lambda: Case(importlib.import_module("timm").create_model(name).eval(), (zoo.image(1, size),))


def _torchvision(room: str, name: str, size: int = 224, **options: Any) -> Callable[[], Case]:
    def build() -> Case:
        models = importlib.import_module(f"torchvision.models{room}")
        return Case(getattr(models, name)(weights=None, **options).eval(), (zoo.image(1, size),))

    return build


def _diffusers(name: str, inputs: Mapping[str, Callable[[], torch.Tensor]], **sizes: Any) -> Callable[[], Case]:
    def build() -> Case:
        made = getattr(importlib.import_module("diffusers"), name)(**sizes).eval()
        return Case(made, kwargs={key: make() for key, make in inputs.items()})

    return build


def _segmentation() -> Case:
    library = importlib.import_module("segmentation_models_pytorch")
    return Case(library.Unet("resnet34", encoder_weights=None, classes=2).eval(), (zoo.image(1, 64),))


_DOWN = ("CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "CrossAttnDownBlock2D", "DownBlock2D")
_UP = ("UpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D", "CrossAttnUpBlock2D")

OTHER_LIBRARIES: dict[str, Callable[[], Case]] = {
    "timm-efficientnet-b0": _timm("efficientnet_b0"),
    "timm-convnext-tiny": _timm("convnext_tiny"),
    "timm-swin-tiny": _timm("swin_tiny_patch4_window7_224"),
    "timm-mobilenetv3": _timm("mobilenetv3_large_100"),
    "densenet121": _torchvision("", "densenet121"),
    "inception-v3": _torchvision("", "inception_v3", 299),
    "deeplabv3": _torchvision(".segmentation", "deeplabv3_resnet50", 64, weights_backbone=None),
    "diffusers-unet": _diffusers(
        "UNet2DConditionModel",
        {
            "sample": lambda: zoo.image(1, 32, 4),
            "timestep": lambda: torch.tensor(5),
            "encoder_hidden_states": lambda: torch.randn(1, 7, 16),
        },
        block_out_channels=(16, 32, 64, 64),
        norm_num_groups=4,
        cross_attention_dim=16,
        attention_head_dim=4,
        down_block_types=_DOWN,
        up_block_types=_UP,
    ),
    "diffusers-vae": _diffusers(
        "AutoencoderKL",
        {"sample": lambda: zoo.image(1, 64)},
        block_out_channels=(16, 32, 64, 64),
        down_block_types=("DownEncoderBlock2D",) * 4,
        up_block_types=("UpDecoderBlock2D",) * 4,
        layers_per_block=2,
        norm_num_groups=4,
    ),
    "diffusers-dit": _diffusers(
        "DiTTransformer2DModel",
        {
            "hidden_states": lambda: zoo.image(1, 16, 4),
            "timestep": lambda: torch.tensor([5]),
            "class_labels": lambda: torch.tensor([1]),
        },
        num_attention_heads=4,
        attention_head_dim=8,
        in_channels=4,
        num_layers=12,
        sample_size=16,
        num_embeds_ada_norm=10,
    ),
    "diffusers-flux": _diffusers(
        "FluxTransformer2DModel",
        {
            "hidden_states": lambda: torch.randn(1, 16, 16),
            "encoder_hidden_states": lambda: torch.randn(1, 7, 32),
            "pooled_projections": lambda: torch.randn(1, 16),
            "timestep": lambda: torch.tensor([0.5]),
            "img_ids": lambda: torch.zeros(16, 3),
            "txt_ids": lambda: torch.zeros(7, 3),
        },
        in_channels=16,
        num_layers=6,
        num_single_layers=12,
        attention_head_dim=16,
        num_attention_heads=2,
        joint_attention_dim=32,
        pooled_projection_dim=16,
        axes_dims_rope=(4, 4, 8),
    ),
    "smp-unet": _segmentation,
}

MODELS: dict[str, Callable[[], Case]] = {**OF_BEFORE, **LANGUAGE, **OTHER_LIBRARIES}
