"""What the code reads of a module's own state decides as what it reads of its inputs: a traced module may be cast."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab

X = torch.ones(2, 3)


class Deciding(nn.Module):
    """One layer, whose result is doubled where a question of its weight has the answer yes."""

    def __init__(self, decide):
        super().__init__()
        self.linear = nn.Linear(3, 3)
        self.register_buffer("step", torch.ones(3))
        self.decide = decide

    def forward(self, x):
        return self.linear(x) * 2 if self.decide(self) else self.linear(x)


DECISIONS = {
    "dtype of a parameter": lambda m: m.linear.weight.dtype == torch.float32,
    "dtype of a buffer": lambda m: m.step.dtype is torch.float32,
    "dtype among others": lambda m: m.linear.weight.dtype in (torch.float32, torch.int64),
    "dtype of the first parameter": lambda m: next(m.parameters()).dtype == torch.float32,
    "dtype as text": lambda m: "32" in str(m.linear.weight.dtype),
    "limits of the dtype": lambda m: torch.finfo(m.linear.weight.dtype).bits == 32,
    "name of the tensor class": lambda m: m.linear.weight.type() == "torch.FloatTensor",
    "bytes of an item": lambda m: m.linear.weight.element_size() == 4,
    "itemsize": lambda m: m.linear.weight.itemsize == 4,
    "bytes of all": lambda m: m.linear.weight.nbytes == 36,
}


def called_in_double(traced):
    with warnings.catch_warnings(record=True) as told:
        warnings.simplefilter("always")
        traced.double()(X.double())
    return [str(item.message) for item in told if item.category is tracelab.AssumptionWarning]


@pytest.mark.parametrize("question", DECISIONS)
def test_a_cast_module_is_told_where_its_dtype_decided(question):
    assert len(called_in_double(tracelab.trace(Deciding(DECISIONS[question]), X))) >= 1


def test_the_sentence_names_the_parameter_and_both_dtypes():
    (told, *_) = called_in_double(tracelab.trace(Deciding(DECISIONS["dtype of a parameter"]), X))
    assert "linear.weight.dtype was torch.float32 when Deciding.forward was traced" in told
    assert "is torch.float64 at this call" in told


class Casting(nn.Module):
    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        y = self.linear(x.to(self.linear.weight.dtype))
        return y + torch.zeros(3, dtype=self.linear.weight.dtype, device="cpu")


def test_a_dtype_that_only_goes_into_calls_follows_in_silence():
    module = Casting()
    traced = tracelab.trace(module, X)
    assert not traced.assumptions
    assert called_in_double(traced) == []
    assert torch.equal(traced(X), module.double()(X))


class Recast(nn.Module):
    """It casts its own weight before it asks for its dtype."""

    def __init__(self):
        super().__init__()
        self.linear = nn.Linear(3, 3)

    def forward(self, x):
        self.linear.to(torch.float64)
        return x * 2 if self.linear.weight.dtype == torch.float64 else x


def test_a_dtype_that_the_code_itself_has_set_is_no_fact_about_the_call():
    traced = tracelab.trace(Recast(), X, check_trace=False)
    assert not [item for item in traced.assumptions if item.test == "dtype"]


def test_a_recording_for_the_other_dtype_is_made_where_it_is_asked_for():
    module = Deciding(DECISIONS["dtype of a parameter"])
    traced = tracelab.trace(module, X, on_violation="retrace")
    traced.double()
    assert torch.equal(traced(X.double()), module.double()(X.double()))
