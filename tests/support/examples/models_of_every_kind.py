"""Models of twenty-two kinds, at sizes where activations take some megabytes."""

from __future__ import annotations

from collections.abc import Callable
from itertools import pairwise
from types import MappingProxyType
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from support.examples.models import UNet, image


class Given(NamedTuple):
    """A model and the arguments of one call."""

    model: nn.Module
    args: tuple[Any, ...] = ()
    kwargs: Any = MappingProxyType({})


class Tagger(nn.Module):
    """Words, an LSTM in both directions, tags."""

    def __init__(self) -> None:
        super().__init__()
        self.words = nn.Embedding(500, 64)
        self.lstm = nn.LSTM(64, 96, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(192, 20)

    def forward(self, ids: Tensor) -> Tensor:
        found: Tensor = self.head(self.lstm(self.words(ids))[0])
        return found


class Messages(nn.Module):
    """A network on the edges of a graph: messages are gathered, weighed and summed at their ends."""

    def __init__(self, width: int = 64, layers: int = 3) -> None:
        super().__init__()
        self.layers = nn.ModuleList(
            nn.ModuleDict({"send": nn.Linear(2 * width, width), "keep": nn.Linear(width, width)}) for _ in range(layers)
        )

    def forward(self, x: Tensor, edges: Tensor) -> Tensor:
        source, end = edges[0], edges[1]
        for layer in self.layers:
            sent = torch.relu(layer["send"](torch.cat([x[source], x[end]], dim=-1)))
            x = torch.relu(layer["keep"](x) + torch.zeros_like(x).index_add(0, end, sent))
        return x


def generator(width: int = 32) -> nn.Module:
    """That of a DCGAN."""
    sizes = [64, 8 * width, 4 * width, 2 * width, width]
    layers: list[nn.Module] = []
    for place, (before, after) in enumerate(pairwise(sizes)):
        layers += [
            nn.ConvTranspose2d(before, after, 4, 2 if place else 1, 1 if place else 0, bias=False),
            nn.BatchNorm2d(after),
            nn.ReLU(True),
        ]
    return nn.Sequential(*layers, nn.ConvTranspose2d(width, 3, 4, 2, 1, bias=False), nn.Tanh())


def autoencoder() -> nn.Module:
    down = [nn.Conv2d(1, 16, 3, 2, 1), nn.ReLU(), nn.Conv2d(16, 32, 3, 2, 1), nn.ReLU(), nn.Flatten()]
    up = [nn.Linear(64, 32 * 256), nn.ReLU(), nn.Unflatten(1, (32, 16, 16))]
    up += [nn.ConvTranspose2d(32, 16, 3, 2, 1, 1), nn.ReLU(), nn.ConvTranspose2d(16, 1, 3, 2, 1, 1), nn.Sigmoid()]
    return nn.Sequential(*down, nn.Linear(32 * 256, 64), *up)


def perceptron() -> nn.Module:
    return nn.Sequential(nn.Linear(256, 1024), nn.GELU(), nn.LayerNorm(1024), nn.Linear(1024, 256))


def words(batch: int = 4, length: int = 128, high: int = 500) -> Tensor:
    return torch.randint(2, high, (batch, length))


HAND_WRITTEN: dict[str, Callable[[], Given]] = {
    "perceptron": lambda: Given(perceptron(), (torch.randn(512, 256),)),
    "lstm": lambda: Given(Tagger(), (words(16, 100),)),
    "graph network": lambda: Given(Messages(), (torch.randn(2000, 64), torch.randint(0, 2000, (2, 10000)))),
    "unet": lambda: Given(UNet(), (image(2, 128),)),
    "gan generator": lambda: Given(generator(), (torch.randn(8, 64, 1, 1),)),
    "autoencoder": lambda: Given(autoencoder(), (torch.rand(16, 1, 64, 64),)),
    "transformer": lambda: Given(
        nn.TransformerEncoder(nn.TransformerEncoderLayer(128, 4, 256, 0.0, batch_first=True), 3).train(),
        (torch.randn(8, 100, 128),),
    ),
}


def _of(name: str, model: str, *args: Any, **options: Any) -> Callable[[], Given]:
    """A model of transformers by the names of its configuration and of its class."""

    def made() -> Given:
        import transformers

        config = getattr(transformers, name)(**{key: item for key, item in options.items() if key != "kwargs"})
        given = {key: item() if callable(item) else item for key, item in options.get("kwargs", {}).items()}
        return Given(getattr(transformers, model)(config).eval(), tuple(item() for item in args), given)

    return made


_NARROW = {"hidden_size": 128, "num_hidden_layers": 3, "num_attention_heads": 4, "intermediate_size": 256}
_IDS = {"pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 1}
_NO_CACHE = {"kwargs": {"use_cache": False}}

TRANSFORMERS: dict[str, Callable[[], Given]] = {
    "resnet": _of(
        "ResNetConfig",
        "ResNetForImageClassification",
        lambda: image(4, 128),
        embedding_size=32,
        hidden_sizes=[64, 128, 256, 512],
        depths=[2, 2, 2, 2],
    ),
    "mobilenet": _of("MobileNetV2Config", "MobileNetV2ForImageClassification", lambda: image(4, 128)),
    "convnext": _of(
        "ConvNextConfig",
        "ConvNextForImageClassification",
        lambda: image(4, 128),
        hidden_sizes=[48, 96, 192, 384],
        depths=[2, 2, 3, 2],
    ),
    "vit": _of(
        "ViTConfig", "ViTForImageClassification", lambda: image(4, 128), image_size=128, patch_size=8, **_NARROW
    ),
    "swin": _of(
        "SwinConfig",
        "SwinForImageClassification",
        lambda: image(4, 128),
        image_size=128,
        embed_dim=48,
        depths=[2, 2, 2],
        num_heads=[2, 4, 8],
        window_size=4,
    ),
    "clip": _of(
        "CLIPConfig",
        "CLIPModel",
        text_config={**_NARROW, "vocab_size": 500, **_IDS, "max_position_embeddings": 77},
        vision_config={**_NARROW, "image_size": 128, "patch_size": 8},
        kwargs={"input_ids": lambda: words(4, 77), "pixel_values": lambda: image(4, 128)},
    ),
    "detr": _of(
        "DetrConfig",
        "DetrForObjectDetection",
        lambda: image(2, 160),
        d_model=64,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=128,
        decoder_ffn_dim=128,
        num_queries=50,
        use_timm_backbone=False,
        use_pretrained_backbone=False,
        backbone=None,
        backbone_config={
            "model_type": "resnet",
            "embedding_size": 32,
            "hidden_sizes": [32, 64, 128, 256],
            "depths": [1, 1, 1, 1],
            "layer_type": "basic",
            "out_features": ["stage4"],
        },
    ),
    "gpt2": _of(
        "GPT2Config", "GPT2LMHeadModel", words, n_layer=3, n_embd=128, n_head=4, vocab_size=500, **_IDS, **_NO_CACHE
    ),
    "llama": _of(
        "LlamaConfig", "LlamaForCausalLM", words, vocab_size=500, num_key_value_heads=2, **_NARROW, **_IDS, **_NO_CACHE
    ),
    "mixtral": _of(
        "MixtralConfig",
        "MixtralForCausalLM",
        words,
        vocab_size=500,
        num_key_value_heads=2,
        num_local_experts=4,
        **_NARROW,
        **_IDS,
        **_NO_CACHE,
    ),
    "mamba": _of(
        "MambaConfig",
        "MambaForCausalLM",
        lambda: words(2, 64),
        vocab_size=500,
        hidden_size=64,
        num_hidden_layers=2,
        **_IDS,
        **_NO_CACHE,
    ),
    "bert": _of("BertConfig", "BertModel", words, vocab_size=500, **_NARROW),
    "t5": _of(
        "T5Config",
        "T5ForConditionalGeneration",
        vocab_size=500,
        d_model=128,
        d_kv=32,
        d_ff=256,
        num_layers=3,
        num_heads=4,
        kwargs={"input_ids": words, "decoder_input_ids": lambda: words(4, 32), "use_cache": False},
    ),
    "whisper": _of(
        "WhisperConfig",
        "WhisperForConditionalGeneration",
        vocab_size=500,
        d_model=128,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=256,
        decoder_ffn_dim=256,
        max_source_positions=200,
        max_target_positions=64,
        decoder_start_token_id=1,
        **_IDS,
        kwargs={
            "input_features": lambda: torch.randn(4, 80, 400),
            "decoder_input_ids": lambda: words(4, 32),
            "use_cache": False,
        },
    ),
    "wav2vec2": _of(
        "Wav2Vec2Config",
        "Wav2Vec2Model",
        lambda: torch.randn(2, 16000),
        conv_dim=[64] * 7,
        num_feat_extract_layers=7,
        **_NARROW,
    ),
}

MODELS = {**HAND_WRITTEN, **TRANSFORMERS}
