"""A module that the code makes for the sizes of its input is made anew for those of each call."""

from __future__ import annotations

import numbers
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import tracelab

MODULES: dict[str, Callable[[Tensor], nn.Module]] = {
    "LayerNorm": lambda x: nn.LayerNorm(x.shape[-1]),
    "RMSNorm": lambda x: nn.RMSNorm(x.shape[-1]),
    "GroupNorm": lambda x: nn.GroupNorm(1, x.shape[1]),
    "Flatten": lambda x: nn.Flatten(1),
    "AdaptiveAvgPool1d": lambda x: nn.AdaptiveAvgPool1d(x.shape[-1] - 1),
    "Upsample": lambda x: nn.Upsample(size=x.shape[-1] * 2),
}


@pytest.mark.parametrize("name", MODULES)
def test_it_follows_the_sizes(name: str):
    def function(x: Tensor) -> Tensor:
        return MODULES[name](x)(x)

    traced = tracelab.trace(function, torch.randn(2, 3, 4))
    x = torch.randn(3, 5, 6)
    assert torch.allclose(traced(x), function(x))


def test_a_size_is_a_number_of_the_module_numbers():
    def function(x: Tensor) -> Tensor:
        whole, real = isinstance(x.shape[0], numbers.Integral), isinstance(x.shape[0], numbers.Real)
        return x * 2 if whole and real and not isinstance("2", numbers.Number) else x

    assert torch.equal(tracelab.trace(function, torch.ones(2))(torch.ones(3)), torch.full((3,), 2.0))


def test_a_warning_about_code_of_torch_alone_stands_at_the_call_of_trace():
    layer = nn.TransformerEncoderLayer(8, 2, 16, batch_first=True)
    encoder = nn.TransformerEncoder(layer, 1).eval()
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always", tracelab.TracerWarning)
        tracelab.trace(encoder, torch.randn(2, 5, 8), src_key_padding_mask=torch.zeros(2, 5, dtype=torch.bool))
    lines = [item for item in told if issubclass(item.category, tracelab.TracerWarning)]
    assert {item.filename for item in lines} == {__file__}
