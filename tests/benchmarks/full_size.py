"""Models of published sizes without their weights: trace, first picture and estimates, against the model's own run.

python tests/benchmarks/full_size.py [llama mixtral deepseek]
"""

from __future__ import annotations

import resource
import sys
import time
import warnings
from collections.abc import Callable
from typing import Any

import torch
import transformers

import tracelab
from tracelab.render.view_document.document import view_bytes

CONFIGURATIONS: dict[str, Callable[[], Any]] = {
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
"""By name: Llama 3 70B, Mixtral 8x22B and DeepSeek-V3."""


def seconds(function: Callable[[], Any]) -> tuple[Any, float]:
    begin = time.perf_counter()
    result = function()
    return result, time.perf_counter() - begin


def main(names: list[str]) -> None:
    warnings.simplefilter("ignore")
    print(f"torch {torch.__version__}; seconds, and times the model's own run on the meta device")
    print(f"{'':10}{'run':>8}{'trace':>8}{'':>8}{'picture':>10}{'estimate':>10}{'another':>10}{'memory':>10}")
    for name in names or CONFIGURATIONS:
        with torch.device("meta"):
            model = transformers.AutoModelForCausalLM.from_config(CONFIGURATIONS[name](), dtype=torch.bfloat16).eval()
            ids = torch.zeros(1, 16, dtype=torch.long)
            _, plain = seconds(lambda model=model, ids=ids: model(ids))
        traced, trace = seconds(lambda model=model, ids=ids: tracelab.trace(model, ids))
        _, picture = seconds(lambda traced=traced: view_bytes(traced.graph))
        _, first = seconds(lambda traced=traced: traced.estimate(batch=8, length=8192))
        _, other = seconds(lambda traced=traced: traced.estimate(batch=4, length=4096))
        memory = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 2**20
        print(
            f"{name:10}{plain:8.2f}{trace:8.2f}{trace / plain:7.1f}x{picture:10.2f}{first:10.2f}{other:10.3f}"
            f"{memory:7.2f} GiB",
            flush=True,
        )


if __name__ == "__main__":
    main(sys.argv[1:])
