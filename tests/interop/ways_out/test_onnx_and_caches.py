"""ONNX of what torch's exporter takes, and language models that give their cache."""

from __future__ import annotations

import pytest
import torch
from torch.utils import _pytree as pytree

import tracelab
from tracelab.interop.ways_out.refusals import ExportError

pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")


def deviations(x):
    return x.std(), x.var(1, unbiased=False)


def writes(x):
    y = x.clone()
    y[:, 0] = 0
    y[y < 0] = -1
    y[:, 1:].mul_(2)
    return y


def chunks(x):
    return x.chunk(2, -1)


def named_like_an_operator(abs):
    add = abs + 1
    mul = add * 2
    return mul, add, mul + add


@pytest.mark.parametrize("function", [deviations, writes, chunks, named_like_an_operator])
def test_it_is_written_and_gives_what_the_code_gives(function, tmp_path):
    x = torch.randn(4, 6)
    tracelab.trace(function, x).to_onnx(tmp_path / "f.onnx")
    given = torch.randn(3, 6)
    session = runtime.InferenceSession(tmp_path / "f.onnx", providers=["CPUExecutionProvider"])
    wanted = pytree.tree_leaves(function(given))
    found = session.run(None, {session.get_inputs()[0].name: given.numpy()})
    for one, other in zip(found, wanted, strict=True):
        assert torch.allclose(torch.as_tensor(one), other, atol=1e-4)


def test_a_number_as_a_result_is_refused_in_one_sentence(tmp_path):
    with pytest.raises(ExportError, match="the result 1 is 3, and ONNX gives tensors only: return what is computed"):
        tracelab.trace(lambda x: (x * 2, 3), torch.ones(2)).to_onnx(tmp_path / "f.onnx")


# Language models -------------------------------------------------------------------------------------------


def gpt2(transformers):
    config = transformers.GPT2Config(n_layer=2, n_head=2, n_embd=16, vocab_size=50, n_positions=32)
    return transformers.GPT2LMHeadModel(config).eval()


def llama(transformers):
    sizes = {"hidden_size": 16, "intermediate_size": 32, "vocab_size": 50}
    heads = {"num_hidden_layers": 2, "num_attention_heads": 2, "num_key_value_heads": 2}
    return transformers.LlamaForCausalLM(transformers.LlamaConfig(**sizes, **heads)).eval()


@pytest.fixture(params=[gpt2, llama])
def model(request):
    torch.manual_seed(0)
    return request.param(pytest.importorskip("transformers"))


def test_a_language_model_is_exported_as_it_is_called_by_default(model):
    ids = torch.randint(0, 50, (3, 5))
    wanted = model(ids)
    traced = tracelab.trace(model, (torch.randint(0, 50, (2, 7)),))
    for made in (traced.to_fx(), traced.export().module()):
        found = made(ids)
        assert torch.allclose(found.logits, wanted.logits, atol=1e-5)
        for one, other in zip(found.past_key_values.layers, wanted.past_key_values.layers, strict=True):
            assert torch.allclose(one.keys, other.keys, atol=1e-5)
            assert torch.allclose(one.values, other.values, atol=1e-5)


def test_the_tensors_of_its_cache_are_results_in_onnx(model, tmp_path):
    tracelab.trace(model, (torch.randint(0, 50, (2, 7)),)).to_onnx(tmp_path / "m.onnx")
    session = runtime.InferenceSession(tmp_path / "m.onnx", providers=["CPUExecutionProvider"])
    ids = torch.randint(0, 50, (3, 5))
    names = [item.name for item in session.get_outputs()]
    found = dict(zip(names, session.run(None, {session.get_inputs()[0].name: ids.numpy()}), strict=True))
    wanted = model(ids)
    assert torch.allclose(torch.as_tensor(found["logits"]), wanted.logits, atol=1e-3)
    for number, layer in enumerate(wanted.past_key_values.layers):
        for part in ("keys", "values"):
            given = torch.as_tensor(found[f"past_key_values.{number}.{part}"])
            assert torch.allclose(given, getattr(layer, part), atol=1e-3), (number, part)


def test_a_cache_that_cannot_leave_is_refused_with_the_way_out(monkeypatch):
    transformers = pytest.importorskip("transformers")
    traced = tracelab.trace(gpt2(transformers), (torch.randint(0, 50, (2, 7)),))
    monkeypatch.setattr("tracelab.interop.ways_out.fx_graph.registered", lambda item: False)
    monkeypatch.delitem(pytree.SUPPORTED_NODES, transformers.DynamicCache, raising=False)
    with pytest.raises(ExportError, match=r"returns a DynamicCache.*: call the model with use_cache=False, and trace"):
        traced.to_fx()
