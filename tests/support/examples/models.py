"""Models that must trace, replay on other sizes, and equal eager: random weights, small."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional as F

from tracelab.demo import GPT, ResNet


@dataclass(frozen=True)
class Case:
    """A model, the inputs it is traced on, and inputs of another batch size or length."""

    model: nn.Module
    inputs: tuple[Any, ...] = ()
    others: tuple[Any, ...] = ()
    kwargs: dict[str, Any] = field(default_factory=dict)
    other_kwargs: dict[str, Any] = field(default_factory=dict)


class UNet(nn.Module):
    """Down twice and up twice, with skips; up by interpolation to the size of the skip."""

    def __init__(self) -> None:
        super().__init__()
        self.enc1, self.enc2, self.enc3 = self.block(3, 8), self.block(8, 16), self.block(16, 32)
        self.dec2, self.dec1 = self.block(48, 16), self.block(24, 8)
        self.head = nn.Conv2d(8, 2, 1)

    @staticmethod
    def block(channels_in: int, channels_out: int) -> nn.Module:
        return nn.Sequential(
            nn.Conv2d(channels_in, channels_out, 3, padding=1), nn.BatchNorm2d(channels_out), nn.ReLU(inplace=True)
        )

    def forward(self, x: Tensor) -> Tensor:
        skip1 = self.enc1(x)
        skip2 = self.enc2(F.max_pool2d(skip1, 2))
        deep = self.enc3(F.max_pool2d(skip2, 2))
        up2 = F.interpolate(deep, size=skip2.shape[-2:], mode="bilinear", align_corners=False)
        up2 = self.dec2(torch.cat([up2, skip2], dim=1))
        up1 = F.interpolate(up2, scale_factor=2.0, mode="nearest")
        return self.head(self.dec1(torch.cat([up1, skip1], dim=1)))


class LSTMTagger(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.embed = nn.Embedding(50, 16)
        self.lstm = nn.LSTM(16, 12, num_layers=2, bidirectional=True, batch_first=True)
        self.head = nn.Linear(24, 5)

    def forward(self, ids: Tensor) -> Tensor:
        states, (hidden, _) = self.lstm(self.embed(ids))
        return self.head(states) + hidden[-1].mean()


class Attention(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.attn = nn.MultiheadAttention(16, 4, batch_first=True)

    def forward(self, query: Tensor, memory: Tensor) -> tuple[Tensor, Tensor]:
        return self.attn(query, memory, memory)


class VAE(nn.Module):
    def __init__(self) -> None:
        super().__init__()
        self.encoder = nn.Sequential(nn.Linear(20, 16), nn.ReLU())
        self.mean, self.log_variance = nn.Linear(16, 4), nn.Linear(16, 4)
        self.decoder = nn.Sequential(nn.Linear(4, 16), nn.ReLU(), nn.Linear(16, 20), nn.Sigmoid())

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor, Tensor]:
        hidden = self.encoder(x)
        mean, log_variance = self.mean(hidden), self.log_variance(hidden)
        z = mean + torch.randn_like(mean) * torch.exp(0.5 * log_variance)
        return self.decoder(z), mean, log_variance


def encoder(training: bool) -> Case:
    layer = nn.TransformerEncoderLayer(16, 4, 32, dropout=0.1, batch_first=True)
    model = nn.TransformerEncoder(layer, 2).train(training)
    return Case(model, (torch.randn(2, 7, 16),), (torch.randn(3, 5, 16),))


def image(batch: int, size: int = 64, channels: int = 3) -> Tensor:
    return torch.randn(batch, channels, size, size)


def ids(batch: int, length: int, high: int = 50) -> Tensor:
    return torch.randint(2, high, (batch, length))


HAND_WRITTEN: dict[str, Callable[[], Case]] = {
    "resnet18": lambda: Case(ResNet.resnet18(10, 16).eval(), (image(2),), (image(3, 96),)),
    "resnet18-train": lambda: Case(ResNet.resnet18(10, 16).train(), (image(2),), (image(3, 96),)),
    "resnet50": lambda: Case(ResNet.resnet50(10, 16).eval(), (image(2),), (image(3, 96),)),
    "unet": lambda: Case(UNet().eval(), (image(1, 32),), (image(2, 48),)),
    "lstm": lambda: Case(LSTMTagger().eval(), (ids(2, 7),), (ids(3, 9),)),
    "attention": lambda: Case(
        Attention().eval(),
        (torch.randn(2, 5, 16), torch.randn(2, 6, 16)),
        (torch.randn(3, 4, 16), torch.randn(3, 8, 16)),
    ),
    "attention-train": lambda: Case(
        Attention().train(),
        (torch.randn(2, 5, 16), torch.randn(2, 6, 16)),
        (torch.randn(3, 4, 16), torch.randn(3, 8, 16)),
    ),
    "encoder-eval": lambda: encoder(False),
    "encoder-train": lambda: encoder(True),
    "gpt": lambda: Case(GPT(layers=2).eval(), (ids(2, 9),), (ids(3, 12),)),
    "vae": lambda: Case(VAE(), (torch.randn(4, 20),), (torch.randn(6, 20),)),
}


def bert() -> Case:
    from transformers import BertConfig, BertModel

    config = BertConfig(vocab_size=60, hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48)
    return Case(BertModel(config).eval(), (ids(2, 7),), (ids(3, 9),))


def gpt2() -> Case:
    from transformers import GPT2Config, GPT2LMHeadModel

    config = GPT2Config(vocab_size=60, n_embd=32, n_layer=2, n_head=4, n_positions=64, use_cache=False)
    return Case(GPT2LMHeadModel(config).eval(), (ids(2, 7),), (ids(3, 9),))


def t5() -> Case:
    from transformers import T5Config, T5ForConditionalGeneration

    config = T5Config(
        vocab_size=60, d_model=32, d_kv=8, d_ff=48, num_layers=2, num_heads=4, use_cache=False, decoder_start_token_id=0
    )
    model = T5ForConditionalGeneration(config).eval()
    return Case(
        model,
        kwargs={"input_ids": ids(2, 7), "decoder_input_ids": ids(2, 5)},
        other_kwargs={"input_ids": ids(3, 9), "decoder_input_ids": ids(3, 4)},
    )


def vit() -> Case:
    from transformers import ViTConfig, ViTModel

    config = ViTConfig(
        hidden_size=32, num_hidden_layers=2, num_attention_heads=4, intermediate_size=48, image_size=32, patch_size=8
    )
    return Case(ViTModel(config).eval(), (image(2, 32),), (image(3, 32),))


def llama() -> Case:
    from transformers import LlamaConfig, LlamaForCausalLM

    config = LlamaConfig(
        vocab_size=60,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=4,
        num_key_value_heads=2,
        intermediate_size=48,
        max_position_embeddings=64,
        use_cache=False,
    )
    return Case(LlamaForCausalLM(config).eval(), (ids(2, 7),), (ids(3, 9),))


def whisper() -> Case:
    from transformers import WhisperConfig, WhisperForConditionalGeneration

    config = WhisperConfig(
        vocab_size=60,
        d_model=32,
        encoder_layers=2,
        decoder_layers=2,
        encoder_attention_heads=4,
        decoder_attention_heads=4,
        encoder_ffn_dim=48,
        decoder_ffn_dim=48,
        num_mel_bins=8,
        max_source_positions=20,
        max_target_positions=20,
        pad_token_id=0,
        bos_token_id=1,
        eos_token_id=1,
        decoder_start_token_id=1,
        use_cache=False,
    )
    model = WhisperForConditionalGeneration(config).eval()
    return Case(
        model,
        kwargs={"input_features": torch.randn(2, 8, 40), "decoder_input_ids": ids(2, 5)},
        other_kwargs={"input_features": torch.randn(3, 8, 40), "decoder_input_ids": ids(3, 4)},
    )


TRANSFORMERS: dict[str, Callable[[], Case]] = {
    "bert": bert,
    "gpt2": gpt2,
    "t5": t5,
    "vit": vit,
    "llama": llama,
    "whisper": whisper,
}
