"""Tensors without data: shapes alone are enough for a trace."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch._subclasses.fake_tensor import FakeTensorMode

import tracelab
from tracelab.demo import GPT


def test_a_model_on_the_meta_device_traces():
    with torch.device("meta"):
        model = nn.Sequential(nn.Linear(8, 4), nn.ReLU())
    traced = tracelab.trace(model, torch.empty(2, 8, device="meta"))
    assert [node.kind for node in traced.graph.nodes] == ["aten::linear", "aten::relu"]


def test_a_fake_model_traces():
    with FakeTensorMode():
        model = GPT(layers=1)
        traced = tracelab.trace(model, torch.zeros(1, 5, dtype=torch.int64))
    assert traced.graph.outputs[0].shape == (1, 5, 256)


@pytest.mark.slow
@pytest.mark.filterwarnings("ignore")
def test_seven_billion_parameters_need_no_memory_for_weights():
    from transformers import LlamaConfig, LlamaForCausalLM

    with torch.device("meta"):
        model = LlamaForCausalLM(LlamaConfig(use_cache=False)).eval()
    traced = tracelab.trace(model, torch.zeros(1, 128, dtype=torch.int64, device="meta"), strict=False)
    parameters = sum(torch.Size(value.type.shape).numel() for value in traced.graph.parameters)
    assert parameters > 6_700_000_000
