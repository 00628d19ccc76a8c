"""ONNX, compiled packages and TorchScript of traces, and `tracelab export`."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab.cli import main
from tracelab.errors import TracelabError
from tracelab.interop.ways_out import onnx as onnx_module
from tracelab.interop.ways_out.refusals import ExportError


def scores(x, options):
    y = x.view(x.shape[0], -1) @ options["weight"]
    return {"scores": y.softmax(-1), "parts": (y, y.sum(1))}


@pytest.fixture
def traced():
    return tracelab.trace(scores, torch.randn(5, 4), {"weight": torch.randn(4, 3)}, strict=False)


@pytest.mark.slow
def test_onnx_has_the_names_and_sizes_of_the_trace(traced, tmp_path):
    onnx = pytest.importorskip("onnx")
    traced.to_onnx(tmp_path / "a.onnx", dims={"x": ("batch",)})
    graph = onnx.load(tmp_path / "a.onnx").graph
    assert [item.name for item in graph.input] == ["x", "options__weight"]
    assert [item.name for item in graph.output] == ["scores", "parts.0", "parts.1"]
    first, second = graph.input[0].type.tensor_type.shape.dim
    assert (first.dim_param, second.dim_value) == ("batch", 4)


@pytest.mark.slow
def test_nothing_is_written_where_onnxruntime_gives_something_else(traced, tmp_path, monkeypatch):
    pytest.importorskip("onnxruntime")
    real = onnx_module.runtime_results
    monkeypatch.setattr("tracelab.api.ways_out.runtime_results", lambda *call: [item + 1 for item in real(*call)])
    with pytest.raises(ExportError, match="the ONNX program gives something else than the trace"):
        traced.to_onnx(tmp_path / "a.onnx")
    assert list(tmp_path.iterdir()) == []


def test_a_buffer_that_is_written_is_refused_for_onnx_with_its_line(tmp_path):
    pytest.importorskip("onnxruntime")
    traced = tracelab.trace(nn.BatchNorm1d(3), torch.randn(4, 3))
    with pytest.raises(ExportError, match=r"aten::add_ \(%add_\) writes to `num_batches_tracked`.*: an ONNX program"):
        traced.to_onnx(tmp_path / "a.onnx")


def test_packages_that_onnx_needs_are_named_where_they_are_missing(traced, tmp_path, monkeypatch):
    monkeypatch.setattr(onnx_module, "_NEEDED", ("onnx_that_is_not_there",))
    with pytest.raises(TracelabError, match=r"to_onnx needs onnx_that_is_not_there: pip install 'tracelab\[onnx\]'"):
        traced.to_onnx(tmp_path / "a.onnx")


def test_a_missing_compiler_is_one_sentence(traced, tmp_path):
    no_compiler = torch._inductor.config.patch({"cpp.cxx": ("a-compiler-that-is-not-there",)})
    with no_compiler, pytest.raises(TracelabError, match=r"to_package needs a C\+\+ compiler"):
        traced.to_package(tmp_path / "a.pt2")


@pytest.mark.nightly
def test_a_package_loads_without_tracelab_and_takes_other_sizes(tmp_path):
    net = nn.Sequential(nn.Linear(4, 3), nn.ReLU())
    tracelab.trace(net, torch.randn(5, 4)).to_package(tmp_path / "a.pt2")
    x = torch.randn(9, 4)
    torch.testing.assert_close(torch._inductor.aoti_load_package(str(tmp_path / "a.pt2"))(x), net(x))


def test_torchscript_follows_sizes(tmp_path):
    traced = tracelab.trace(lambda x: x.view(x.shape[0], -1) + 1, torch.ones(2, 3, 4))
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        torch.jit.save(traced.to_torchscript(), tmp_path / "a.pt")
        loaded = torch.jit.load(tmp_path / "a.pt")
    assert loaded(torch.ones(5, 6)).shape == (5, 6)


@pytest.fixture
def relu(tmp_path):
    tracelab.trace(nn.Sequential(nn.Linear(4, 3), nn.ReLU()), torch.ones(2, 4)).save(tmp_path / "relu.tlab")
    return tmp_path / "relu.tlab"


def test_a_file_is_exported_as_a_program_of_torch(relu, tmp_path, capsys):
    assert main(["export", str(relu), "--to", "pt2", "-o", str(tmp_path / "relu.pt2")]) == 0
    assert torch.export.load(tmp_path / "relu.pt2").module()(torch.ones(7, 4)).shape == (7, 3)
    assert f"the pt2 file: {tmp_path / 'relu.pt2'}" in capsys.readouterr().out


@pytest.mark.parametrize(("to", "part"), [("fx", "torch.ops.aten.linear.default"), ("svg", "<svg")])
def test_a_file_is_exported_as_text(relu, tmp_path, to, part):
    assert main(["export", str(relu), "--to", to, "-o", str(tmp_path / "out")]) == 0
    assert part in (tmp_path / "out").read_text(encoding="utf-8")


def test_a_file_is_not_written_over_itself(relu, capsys):
    assert main(["export", str(relu), "--to", "svg", "-o", str(relu)]) == 2
    assert "is a file that is read: choose another one for the output" in capsys.readouterr().err


def test_a_file_without_weights_is_refused(relu, tmp_path, capsys):
    assert main(["export", str(relu), "--to", "pt2", "-o", str(tmp_path / "relu.pt2")]) == 0
    assert main(["export", str(tmp_path / "relu.pt2"), "--to", "fx", "-o", str(tmp_path / "relu.py")]) == 2
    assert "the graph has no weights (`0.weight`)" in capsys.readouterr().err


def test_a_size_that_the_program_fixes_is_a_number_in_onnx(tmp_path) -> None:
    onnx = pytest.importorskip("onnx")
    path = tmp_path / "net.onnx"
    tracelab.trace(nn.Linear(3, 4), torch.ones(2, 3)).to_onnx(path)
    (given,) = onnx.load(path).graph.input
    batch, width = given.type.tensor_type.shape.dim
    assert batch.dim_param
    assert width.dim_value == 3
