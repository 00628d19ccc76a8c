"""Models of published sizes, without their weights: figures and memory. For times see `benchmarks/full_size.py`."""

from __future__ import annotations

import functools
import json
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.nightly, pytest.mark.slow]
pytest.importorskip("transformers")
if not Path("/proc/self/status").exists():
    pytest.skip("the peak of a process's memory is read from /proc", allow_module_level=True)

TESTS = str(Path(__file__).parents[1])
SCRIPT = """
import json, re, sys, warnings
sys.path.insert(0, sys.argv[2])
import torch, tracelab
from support.language_models import PUBLISHED, without_data
from tracelab.render.view_document.document import view_bytes
warnings.simplefilter("ignore")
model, ids = without_data(PUBLISHED[sys.argv[1]](), 1, 16, dtype=torch.bfloat16)
traced = tracelab.trace(model, ids)
view_bytes(traced.graph)
found = traced.estimate(batch=4, length=4096)
# `getrusage` would give the peak of pytest, from which this process is forked, where that is higher.
with open("/proc/self/status") as status:
    peak = int(re.search(r"VmHWM:\\s+(\\d+) kB", status.read())[1]) * 1024
print(json.dumps({
    "memory": peak,
    "parameters": found.parameters, "flops": found.prefill.flops, "cache": found.cache,
    "decode": found.decode.flops,
}))
"""


@functools.cache
def measured(name):
    command = [sys.executable, "-c", SCRIPT, name, TESTS]
    out = subprocess.run(command, capture_output=True, text=True, timeout=600)
    assert out.returncode == 0, out.stderr[-4000:]
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
