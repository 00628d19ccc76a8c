"""Models that torchao quantized: the batch follows, in forward and through what its tensors compute in Python."""

import pytest
import torch
from torch import nn

import tracelab
from support.replay import agrees

quantization = pytest.importorskip("torchao.quantization")

CONFIGS = """
    Int8WeightOnlyConfig Int8DynamicActivationInt8WeightConfig Int8DynamicActivationIntxWeightConfig
    Float8WeightOnlyConfig IntxWeightOnlyConfig
""".split()


@pytest.mark.parametrize("name", CONFIGS)
@pytest.mark.filterwarnings("ignore::tracelab.TracerWarning")
def test_another_batch_gives_what_the_model_gives(name):
    model = nn.Sequential(nn.Linear(64, 64), nn.ReLU(), nn.Linear(64, 32)).eval()
    quantization.quantize_(model, getattr(quantization, name)())
    traced = tracelab.trace(model, torch.randn(2, 64), check_trace=False)
    agrees(traced, model, torch.randn(2, 64), torch.randn(5, 64), rtol=1e-4, atol=1e-4)
