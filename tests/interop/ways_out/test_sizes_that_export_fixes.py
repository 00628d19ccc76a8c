"""A size or a number that a way out fixes and the trace does not is right, or told of."""

from __future__ import annotations

import warnings
from pathlib import Path
from typing import Any

import pytest
import torch
from torch import Tensor, nn

import tracelab
from tracelab.errors import AssumptionWarning
from tracelab.interop.ways_out.fixed import FIXED

RECURRENT = {"LSTM": nn.LSTM, "GRU": nn.GRU, "RNN": nn.RNN}


def recurrent(name: str, **kwargs: Any) -> nn.Module:
    torch.manual_seed(0)
    return RECURRENT[name](4, 6, **kwargs).eval()


@pytest.mark.parametrize("bidirectional", [False, True])
@pytest.mark.parametrize("batch_first", [False, True])
@pytest.mark.parametrize("name", RECURRENT)
def test_a_recurrent_layer_takes_any_length(name: str, batch_first: bool, bidirectional: bool) -> None:
    model = recurrent(name, batch_first=batch_first, bidirectional=bidirectional, num_layers=2)
    program = tracelab.trace(model, torch.randn(3, 5, 4), check_trace=False).export()
    for shape in ((2, 9, 4), (5, 2, 4), (4, 1, 4)):
        x = torch.randn(shape)
        torch.testing.assert_close(program.module()(x), model(x))


@pytest.mark.filterwarnings("ignore:.*oneDNN")
def test_a_recurrent_layer_with_projections_takes_any_length() -> None:
    model = recurrent("LSTM", proj_size=3)
    program = tracelab.trace(model, torch.randn(5, 3, 4), check_trace=False).export()
    x = torch.randn(8, 2, 4)
    torch.testing.assert_close(program.module()(x), model(x))


def test_torch_decomposes_recurrent_layers_afterwards_as_before() -> None:
    model = recurrent("GRU")
    tracelab.trace(model, torch.randn(5, 3, 4), check_trace=False).export()
    x = torch.randn(5, 3, 4)
    decomposed = torch.export.export(model, (x,)).run_decompositions()
    torch.testing.assert_close(decomposed.module()(x), model(x))


def test_onnx_of_an_lstm_and_a_gru_take_any_length(tmp_path: Path) -> None:
    onnxruntime = pytest.importorskip("onnxruntime")
    for name in ("LSTM", "GRU"):
        model = recurrent(name, batch_first=True)
        path = tmp_path / f"{name}.onnx"
        with warnings.catch_warnings():
            warnings.simplefilter("error", AssumptionWarning)
            tracelab.trace(model, torch.randn(3, 5, 4), check_trace=False).to_onnx(path)
        session = onnxruntime.InferenceSession(path, providers=["CPUExecutionProvider"])
        x = torch.randn(2, 9, 4)
        found = session.run(None, {session.get_inputs()[0].name: x.numpy()})
        torch.testing.assert_close(torch.as_tensor(found[0]), model(x)[0], rtol=1e-4, atol=1e-5)


def test_onnx_that_fixes_the_length_is_told_of(tmp_path: Path) -> None:
    pytest.importorskip("onnxruntime")
    traced = tracelab.trace(recurrent("RNN", batch_first=True), torch.randn(3, 5, 4), check_trace=False)
    with pytest.warns(
        AssumptionWarning,
        match=r"ONNX program keeps .*: size 1 of `input` stays 5 \(aten.rnn_tanh.input.* step by step",
    ):
        traced.to_onnx(tmp_path / "net.onnx")


@pytest.mark.nightly
def test_a_package_that_fixes_the_length_is_told_of(tmp_path: Path) -> None:
    traced = tracelab.trace(recurrent("GRU", batch_first=True), torch.randn(3, 5, 4), check_trace=False)
    with pytest.warns(AssumptionWarning, match=r"without a word.*: size 1 of `input` stays 5 \(aten.gru.input"):
        traced.to_package(tmp_path / "net.pt2", check=False)


def scaled(x: Tensor, factor: float) -> Tensor:
    return x * factor


def test_a_float_is_told_of() -> None:
    traced = tracelab.trace(scaled, torch.ones(3), 2.5)
    with pytest.warns(AssumptionWarning, match=r"the argument `factor` stays 2.5 \(.*give it as a tensor"):
        program = traced.export()
    assert program.graph_module.meta[FIXED] == [
        "the argument `factor` stays 2.5 (torch.export holds a float: give it as a tensor of no dimensions)"
    ]


def test_a_size_of_one_is_told_of() -> None:
    traced = tracelab.trace(nn.Linear(4, 3), torch.ones(1, 4))
    with pytest.warns(AssumptionWarning, match=r": size 0 of `input` stays 1 \(.*an example of 2 or more\)$"):
        traced.export()


def test_sizes_that_the_weights_fix_are_not_told_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        tracelab.trace(nn.Conv2d(1, 3, 3), torch.ones(2, 1, 8, 8)).export()
        tracelab.trace(nn.Linear(4, 3), torch.ones(2, 4)).export()


def test_a_size_that_is_not_named_is_not_told_of() -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        tracelab.trace(nn.ReLU(), torch.ones(1, 4)).export({"input": (None, "n")})


def unfolded(x: Tensor) -> Tensor:
    return torch.stack([part * 2 for part in x.unbind(0)])


def test_a_length_that_the_code_unrolls_is_not_told_of_by_the_export() -> None:
    """The trace fixes it, and says so by itself."""
    traced = tracelab.trace(unfolded, torch.ones(3, 2), check_trace=False)
    with warnings.catch_warnings():
        warnings.simplefilter("error", AssumptionWarning)
        program = traced.export()
    assert program.module()(torch.ones(3, 5)).shape == (3, 5)
