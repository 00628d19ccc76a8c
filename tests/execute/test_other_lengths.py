"""A list that has another length than when it was traced: one clear sentence."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab


class Halves(nn.Module):
    def forward(self, x):
        parts = x.split(2)
        return parts[0] + parts[1]


def test_a_function_says_that_the_number_of_parts_differs():
    traced = tracelab.trace(lambda x: x.unbind(0)[0], torch.ones(3, 2))
    with pytest.raises(
        tracelab.InputError,
        match=r"the number of parts of unbind was 3 when <lambda> was traced \(.*\) and is 4 at this call",
    ):
        traced(torch.ones(4, 2))


def test_a_module_says_that_the_number_of_parts_differs():
    traced = tracelab.trace(Halves(), torch.ones(4, 2))
    with pytest.raises(
        tracelab.InputError,
        match=r"parts of split was 2 when Halves\.forward was traced \(.*parts = x\.split\(2\)`\) and is 3",
    ):
        traced(torch.ones(6, 2))
