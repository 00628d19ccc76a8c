"""Models of published sizes, without their weights: figures and memory. For times see `benchmarks/full_size.py`."""

from __future__ import annotations

import functools
import json
import subprocess
import sys

import pytest

pytestmark = [pytest.mark.nightly, pytest.mark.slow]
pytest.importorskip("transformers")

SCRIPT = """
import json, resource, sys, warnings
import torch, transformers, tracelab
from tracelab.render.view_document.document import view_bytes
warnings.simplefilter("ignore")
config = {
    "llama": lambda: transformers.LlamaConfig(hidden_size=8192, intermediate_size=28672, num_hidden_layers=80,
        num_attention_heads=64, num_key_value_heads=8, vocab_size=128256, tie_word_embeddings=False),
    "mixtral": lambda: transformers.MixtralConfig(hidden_size=6144, intermediate_size=16384, num_hidden_layers=56,
        num_attention_heads=48, num_key_value_heads=8, vocab_size=32768, num_local_experts=8),
    "deepseek": lambda: transformers.DeepseekV3Config(),
}[sys.argv[1]]()
with torch.device("meta"):
    model = transformers.AutoModelForCausalLM.from_config(config, dtype=torch.bfloat16).eval()
    ids = torch.zeros(1, 16, dtype=torch.long)
traced = tracelab.trace(model, ids)
view_bytes(traced.graph)
found = traced.estimate(batch=4, length=4096)
print(json.dumps({
    "memory": resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024,
    "parameters": found.parameters, "flops": found.prefill.flops, "cache": found.cache,
    "decode": found.decode.flops,
}))
"""


@functools.cache
def measured(name):
    out = subprocess.run([sys.executable, "-c", SCRIPT, name], capture_output=True, text=True, check=True, timeout=600)
    return json.loads(out.stdout.splitlines()[-1])


@pytest.mark.parametrize("name", ["llama", "mixtral", "deepseek"])
def test_it_is_traced_shown_and_estimated_in_little_memory(name):
    assert measured(name)["memory"] < 1.5e9


def test_the_figures_of_llama_3_70b():
    found = measured("llama")
    assert found["parameters"] == 70_553_706_496
    tokens = 4 * 4096
    products = 70_553_706_496 - 128256 * 8192 - (2 * 80 + 1) * 8192
    assert found["flops"] == 2 * products * tokens + 4 * 4 * 80 * 64 * 128 * 4096**2
    assert found["cache"] == 327_680 * tokens
    assert found["decode"] == 4 * (2 * products + 4 * 80 * 64 * 128 * 4097)


def test_the_figures_of_mixtral_8x22b():
    found = measured("mixtral")
    assert found["parameters"] == 140_630_071_296
    assert found["cache"] == 2 * 56 * 8 * 128 * 2 * 4 * 4096


def test_the_figures_of_deepseek_v3():
    found = measured("deepseek")
    assert found["parameters"] == 671_026_404_352
    # 37 billion parameters are active for each token; attention comes on top.
    attention = 2 * 61 * 128 * (192 + 128) * 4096
    assert found["flops"] / (4 * 4096) == pytest.approx(2 * 37e9 + attention, rel=0.03)
