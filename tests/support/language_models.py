"""Language models on the meta device: of published sizes, and of any configuration."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
import torch

transformers: Any = pytest.importorskip("transformers")

PUBLISHED: dict[str, Callable[[], Any]] = {
    "llama": lambda: transformers.LlamaConfig(
        hidden_size=8192,
        intermediate_size=28672,
        num_hidden_layers=80,
        num_attention_heads=64,
        num_key_value_heads=8,
        vocab_size=128256,
        tie_word_embeddings=False,
    ),
    "mixtral": lambda: transformers.MixtralConfig(
        hidden_size=6144,
        intermediate_size=16384,
        num_hidden_layers=56,
        num_attention_heads=48,
        num_key_value_heads=8,
        vocab_size=32768,
        num_local_experts=8,
    ),
    "deepseek": transformers.DeepseekV3Config,
}
"""Configurations by name: Llama 3 70B, Mixtral 8x22B and DeepSeek-V3."""


def without_data(config: Any, batch: int, length: int, **options: Any) -> tuple[torch.nn.Module, torch.Tensor]:
    """A model of a configuration, and tokens for it, on the meta device."""
    with torch.device("meta"):
        model = transformers.AutoModelForCausalLM.from_config(config, **options).eval()
        return model, torch.zeros(batch, length, dtype=torch.long)
