"""TorchScript takes arguments as the trace does; what a way out cannot hold is told in a sentence of ours."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch
from torch import Tensor, nn

import tracelab
from tracelab.errors import AssumptionWarning
from tracelab.interop.ways_out.refusals import ExportError, reason_of


def test_a_language_model_that_is_called_by_names_is_a_script_of_these_names() -> None:
    transformers = pytest.importorskip("transformers")
    torch.manual_seed(0)
    config = transformers.BertConfig(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, intermediate_size=16, vocab_size=50
    )
    model = transformers.BertModel(config).eval()
    ids, mask = torch.randint(0, 50, (2, 6)), torch.ones(2, 6, dtype=torch.long)
    mask[:, 5:] = 0
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(model, attention_mask=mask, input_ids=ids, check_trace=False, strict=False)
    with pytest.warns(AssumptionWarning, match="the TorchScript module goes one way"):
        made = traced.to_torchscript()
    mask[:, 4:] = 0
    found = made(input_ids=ids, attention_mask=mask)["last_hidden_state"]
    torch.testing.assert_close(found, model(input_ids=ids, attention_mask=mask).last_hidden_state)


def scaled(x: Tensor, mask: Tensor | None = None, how: str = "up") -> Tensor:
    return (x * 2 if how == "up" else x / 2) if mask is None else x * mask


def test_arguments_without_tensors_are_constants_of_a_script() -> None:
    made = tracelab.trace(scaled, torch.ones(3), None, "down").to_torchscript()
    assert made(x=torch.ones(2)).tolist() == [0.5, 0.5]


def test_a_captured_tensor_that_asks_for_gradients_is_a_constant_of_a_script() -> None:
    weight = torch.full((3,), 2.0, requires_grad=True)
    made = tracelab.trace(lambda x: x * weight.exp().log(), torch.ones(3)).to_torchscript()
    torch.testing.assert_close(made(torch.ones(3)), torch.full((3,), 2.0))


def test_a_script_of_gradients_is_refused() -> None:
    weight = torch.ones(3, requires_grad=True)
    traced = tracelab.trace(lambda x: torch.autograd.grad((x * weight).sum(), weight)[0], torch.ones(3))
    with pytest.raises(ExportError, match=r"^autograd.grad .* computes gradients at .*: TorchScript does not"):
        traced.to_torchscript()


def test_a_script_of_a_mixed_result_is_refused_without_tensors_in_the_message() -> None:
    traced = tracelab.trace(lambda x: {"a": x + 1, "b": (x, x)}, torch.ones(3), strict=False)
    with pytest.raises(ExportError, match=r"its result is no tensor, nor a list.*; return a tuple of tensors; use exp"):
        traced.to_torchscript()


@pytest.mark.parametrize("way", ["to_fx", "to_torchscript"])
def test_what_is_taken_for_granted_is_warned_of(way: str) -> None:
    traced = tracelab.trace(lambda x: x + 1 if x.shape[0] > 1 else x - 1, torch.ones(3), check_trace=False)
    with pytest.warns(AssumptionWarning, match=r"goes one way for all inputs: .*x.shape\[0\] > 1 is True"):
        getattr(traced, way)()


def test_a_script_that_cannot_be_compared_is_told_of() -> None:
    traced = tracelab.trace(lambda x: x.to_sparse().to_dense(), torch.ones(3, 3))
    with pytest.warns(AssumptionWarning, match=r"not compared with the trace on other sizes, as torch.export cannot"):
        traced.to_torchscript()


@pytest.mark.filterwarnings("ignore:.*quantize_per_tensor")
def test_a_quantized_tensor_inside_leaves_as_a_graph_module() -> None:
    traced = tracelab.trace(lambda x: torch.quantize_per_tensor(x, 0.1, 0, torch.quint8).dequantize(), torch.rand(3))
    torch.testing.assert_close(traced.to_fx()(torch.ones(4)), torch.ones(4))
    with pytest.raises(ExportError, match=r"at `aten.dequantize.self` .*: torch has no rule that tells what sizes"):
        traced.export()


def test_onnx_tells_of_complex_results(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    traced = tracelab.trace(torch.fft.fft, torch.ones(2, 4))
    with pytest.raises(ExportError, match=r"the result 0 is complex, and ONNX has no complex tensors: give and take"):
        traced.to_onnx(tmp_path / "net.onnx")


def test_onnx_tells_of_what_onnxruntime_has_no_kernel_for(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    model = nn.Linear(4, 4).bfloat16()
    traced = tracelab.trace(model, torch.ones(2, 4, dtype=torch.bfloat16))
    with pytest.raises(ExportError, match=r"^onnxruntime has no kernel for Gemm of these dtypes, .*check=False$"):
        traced.to_onnx(tmp_path / "net.onnx")
    traced.to_onnx(tmp_path / "net.onnx", check=False)
    assert (tmp_path / "net.onnx").exists()


def test_onnx_of_an_argument_that_is_a_result(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    tracelab.trace(lambda x: (x, x + 1), torch.ones(2, 4), check_trace=False).to_onnx(tmp_path / "net.onnx")
    graph = tracelab.read(tmp_path / "net.onnx").graph
    assert [value.name for value in graph.user_inputs] == ["x"]


def test_reasons_leave_out_what_is_for_torchs_developers() -> None:
    error = RuntimeError(
        't.isTensor() INTERNAL ASSERT FAILED at "/pytorch/ivalue.h":144, please report a bug to PyTorch. '
    )
    assert reason_of(error) == "torch does not hold itself what it needs (t.isTensor())"
    error = RuntimeError(
        'x INTERNAL ASSERT FAILED at "a.h":1, please report a bug to PyTorch. Expected Tensor but got Int'
    )
    assert reason_of(error) == "Expected Tensor but got Int"
    assert reason_of(RuntimeError("aten._ctc_loss.Tensor")).endswith("what sizes aten._ctc_loss.Tensor gives")
    assert reason_of(RuntimeError("LoweringException: AssertionError: \n  target: cond\n")).endswith("(operator cond)")
