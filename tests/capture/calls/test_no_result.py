"""Code that returns nothing and is called for what it changes."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab
from tracelab import TracelabError


def train(model, optimizer, x, y):
    for _ in range(2):
        optimizer.zero_grad()
        nn.functional.mse_loss(model(x), y).backward()
        optimizer.step()


def trained(steps):
    """Weights after some calls in Python."""
    model = nn.Linear(3, 1)
    nn.init.ones_(model.weight)
    optimizer = torch.optim.SGD(model.parameters(), 0.1, momentum=0.9)
    for _ in range(steps):
        train(model, optimizer, DATA, TARGET)
    return model, optimizer


DATA, TARGET = torch.rand(4, 3), torch.rand(4, 1)


def test_a_training_function_trains_as_one_plain_call():
    torch.manual_seed(0)
    expected, _ = trained(1)
    torch.manual_seed(0)
    model, optimizer = trained(0)
    tracelab.trace(train, model, optimizer, DATA, TARGET)
    assert torch.allclose(model.weight, expected.weight)


def test_its_replay_trains_on():
    torch.manual_seed(0)
    expected, _ = trained(2)
    torch.manual_seed(0)
    model, optimizer = trained(1)
    traced = tracelab.trace(train, model, optimizer, DATA, TARGET)
    after_trace = model.weight.clone()
    assert torch.allclose(after_trace, expected.weight)
    assert traced(model, optimizer, DATA, TARGET) is None
    assert not torch.equal(model.weight, after_trace)


def test_a_write_into_the_argument_is_enough():
    traced = tracelab.trace(lambda x: (x.mul_(2), None)[1], torch.ones(3))
    x = torch.full((5,), 3.0)
    assert traced(x) is None
    assert torch.equal(x, torch.full((5,), 6.0))


def test_a_key_of_a_dict_is_enough():
    def put(batch):
        batch["y"] = batch["x"] * 2

    traced = tracelab.trace(put, {"x": torch.ones(2)})
    batch = {"x": torch.full((3,), 4.0)}
    assert traced(batch) is None
    assert torch.equal(batch["y"], torch.full((3,), 8.0))


def test_a_buffer_of_a_module_is_enough(tmp_path):
    class Counts(nn.Module):
        def __init__(self):
            super().__init__()
            self.register_buffer("seen", torch.zeros(()))

        def forward(self, x):
            self.seen += x.sum()

    traced = tracelab.trace(Counts(), torch.ones(3))
    traced.save(tmp_path / "counts.tlab")
    loaded = tracelab.load(tmp_path / "counts.tlab")
    before = loaded.seen.item()
    assert loaded(torch.ones(4)) is None
    assert loaded.seen.item() == before + 4


@pytest.mark.parametrize("function", [lambda x: None, lambda x: (x + 1, None)[1]])
def test_code_that_changes_nothing_is_refused(function):
    with pytest.raises(TracelabError, match="the result is None, and the code changes nothing"):
        tracelab.trace(function, torch.ones(3))


def test_so_is_one_that_only_enters_a_mode():
    def nothing(x):
        with torch.no_grad():
            x.exp()

    with pytest.raises(TracelabError, match="the code changes nothing"):
        tracelab.trace(nothing, torch.ones(3))


def test_it_is_summed_up_and_shown():
    traced = tracelab.trace(lambda x: (x.mul_(2), None)[1], torch.ones(3))
    assert "aten::mul_" in str(traced.graph)
    assert "mul_" in traced.to_json()
