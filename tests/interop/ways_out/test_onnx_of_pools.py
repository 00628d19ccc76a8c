"""Adaptive pools in ONNX take every size, as the trace does."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional

import tracelab
from tracelab.errors import AssumptionWarning

pytest.importorskip("onnxscript")
runtime = pytest.importorskip("onnxruntime")


def session_of(model, x, path, **options):
    tracelab.trace(model, x).to_onnx(path, **options)
    return runtime.InferenceSession(path, providers=["CPUExecutionProvider"])


def given(session, x):
    return [torch.as_tensor(item) for item in session.run(None, {session.get_inputs()[0].name: x.numpy()})]


POOLS = {
    "average_of_a_row": (nn.AdaptiveAvgPool1d(3), (2, 3, 8), [(1, 3, 5), (4, 3, 17)]),
    "average": (nn.AdaptiveAvgPool2d(3), (2, 3, 8, 8), [(1, 3, 16, 16), (3, 3, 11, 2)]),
    "average_of_one_side": (nn.AdaptiveAvgPool2d((2, None)), (2, 3, 8, 8), [(1, 3, 16, 5), (3, 3, 3, 9)]),
    "average_of_a_volume": (nn.AdaptiveAvgPool3d((2, 3, 1)), (2, 1, 4, 6, 5), [(3, 1, 9, 4, 7)]),
    "greatest_of_a_row": (nn.AdaptiveMaxPool1d(3), (2, 3, 8), [(1, 3, 5), (4, 3, 17)]),
    "greatest": (nn.AdaptiveMaxPool2d(2), (2, 3, 8, 8), [(1, 3, 16, 16), (3, 3, 11, 13)]),
    "greatest_of_a_volume": (nn.AdaptiveMaxPool3d((2, 3, 1)), (2, 1, 4, 6, 5), [(3, 1, 9, 4, 7)]),
}


@pytest.mark.parametrize("name", POOLS)
def test_a_pool_takes_every_size(name, tmp_path):
    pool, example, others = POOLS[name]
    session = session_of(pool, torch.randn(example), tmp_path / "pool.onnx", check=False)
    for shape in (example, *others):
        x = torch.randn(shape)
        torch.testing.assert_close(given(session, x)[0], pool(x))


def test_the_places_of_the_greatest_are_those_of_torch(tmp_path):
    def places(x):
        return functional.adaptive_max_pool2d(x, (3, 2), return_indices=True)

    session = session_of(places, torch.randn(2, 3, 8, 8), tmp_path / "pool.onnx")
    x = torch.randint(0, 3, (2, 3, 9, 14)).float()
    for one, other in zip(given(session, x), places(x), strict=True):
        assert torch.equal(one, other)


def test_a_pool_of_fixed_sizes_has_windows(tmp_path):
    onnx = pytest.importorskip("onnx")
    traced = tracelab.trace(nn.AdaptiveAvgPool2d(2), torch.randn(2, 3, 8, 8))
    traced.to_onnx(tmp_path / "pool.onnx", dims={"input": ("batch", None, None, None)})
    kinds = [node.op_type for node in onnx.load(tmp_path / "pool.onnx").graph.node]
    assert kinds == ["AveragePool"]


def test_a_size_that_export_fixes_stays_in_what_is_compared(tmp_path):
    traced = tracelab.trace(nn.AdaptiveMaxPool2d((2, None)), torch.randn(2, 3, 8, 8))
    with pytest.warns(AssumptionWarning, match="size 3 of `input` stays 8"):
        traced.to_onnx(tmp_path / "pool.onnx")
    assert (tmp_path / "pool.onnx").exists()
