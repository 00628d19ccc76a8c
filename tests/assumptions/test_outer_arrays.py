"""A NumPy array from outside of the code is a constant; a call after it was written to is told."""

from __future__ import annotations

import numpy as np
import pytest
import torch
from torch import nn

import tracelab
from support.told import told

X = torch.ones(3)
ARRAY = np.ones(3, dtype=np.float32)


def by_closure(make):
    held = np.ones(3, dtype=np.float32)

    def code(x):
        return x * make(held)

    return code, held


class Holder(nn.Module):
    def __init__(self):
        super().__init__()
        self.table = np.ones(3, dtype=np.float32)

    def forward(self, x):
        return x * torch.from_numpy(self.table)


def of_a_module():
    module = Holder()
    return module, module.table


MAKERS = [lambda held: torch.from_numpy(held), lambda held: torch.tensor(held), lambda held: torch.as_tensor(held)]
CODES = [lambda: (lambda x: x * torch.from_numpy(ARRAY), ARRAY), of_a_module]
CODES += [lambda make=make: by_closure(make) for make in MAKERS]


@pytest.mark.parametrize("make", CODES)
def test_a_write_to_it_is_told(make):
    code, array = make()
    array[:] = 1
    traced = tracelab.trace(code, X)
    assert told(traced, X) == []
    array[1] = 5
    (sentence,) = told(traced, X)
    assert "was an array as it was when" in sentence
    assert "and is one that was written to since at this call" in sentence
    array[1] = 1
    assert told(traced, X) == []


def test_an_array_that_the_code_makes_is_no_assumption():
    traced = tracelab.trace(lambda x: x * torch.from_numpy(np.ones(3, dtype=np.float32)), X)
    assert not traced.assumptions
