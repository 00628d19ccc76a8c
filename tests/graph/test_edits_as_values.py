"""`edited` gives another trace; the one that was edited stays as it is."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError

aten = torch.ops.aten


def net():
    return tracelab.trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)), torch.ones(4, 3))


def kinds(traced):
    return [node.name for node in traced.graph.nodes]


def test_a_node_is_replaced_on_its_own_arguments():
    layers = [nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 2)]
    x = torch.randn(4, 3)
    other = tracelab.trace(nn.Sequential(*layers), x).edited(replace={"1": aten.gelu.default})
    assert kinds(other) == ["linear", "gelu", "linear"]
    torch.testing.assert_close(other(x), nn.Sequential(layers[0], nn.GELU(), layers[2])(x))


def test_the_old_trace_stays_and_is_the_undo():
    traced, x = net(), torch.randn(4, 3)
    text, before = str(traced.graph), traced(x)
    other = traced.edited(remove=["1"])
    assert other.undo is traced
    assert traced.undo is None
    assert str(traced.graph) == text
    assert traced(x).equal(before)
    assert "_undo" not in dict(other.named_modules())


def test_edits_are_made_of_edits():
    traced = net()
    other = traced.edited(remove=["1"]).edited(insert_after={"0": aten.tanh.default})
    assert kinds(other) == ["linear", "tanh", "linear"]
    assert other.undo.undo is traced


def test_what_used_a_removed_node_uses_its_first_tensor():
    traced = tracelab.trace(lambda x: (x * 2).relu() + 1, torch.ones(2))
    assert traced.edited(remove=["mul", "relu"])(torch.tensor([-3.0, 1.0])).tolist() == [-2, 2]
    assert traced.edited(remove="relu")(torch.tensor([-3.0, 1.0])).tolist() == [-5, 3]


def test_a_function_is_put_behind_a_node():
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    other = traced.edited(insert_after={"relu": lambda t: t * 10})
    assert other(torch.tensor([-3.0, 1.0])).tolist() == [1, 11]


def test_a_node_may_be_replaced_and_have_one_behind_it():
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    other = traced.edited(replace={"relu": aten.neg.default}, insert_after={"relu": aten.abs.default})
    assert kinds(other) == ["neg", "abs", "add"]
    assert other(torch.tensor([-3.0, 1.0])).tolist() == [4, 2]


def test_a_node_that_the_graph_returns_is_replaced():
    traced = tracelab.trace(lambda x: x.relu(), torch.ones(2))
    assert traced.edited(replace={"relu": aten.neg.default})(torch.ones(2)).tolist() == [-1, -1]


def test_it_saves_and_diffs():
    traced = net()
    other = traced.edited(replace={"1": aten.gelu.default})
    ((before, after, _),) = tracelab.diff(traced, other).changed
    assert (before.kind, after.kind) == ("aten::relu", "aten::gelu")
    file = io.BytesIO()
    other.save(file)
    file.seek(0)
    x = torch.randn(4, 3)
    torch.testing.assert_close(tracelab.load(file)(x), other(x))


def test_parameters_are_shared_and_modules_are_not():
    traced = net()
    other = traced.edited(remove=["1"])
    assert other.get_parameter("0.weight") is traced.get_parameter("0.weight")
    assert other.get_submodule("0") is not traced.get_submodule("0")


@pytest.mark.parametrize(
    ("edits", "message"),
    [
        ({"remove": ["nothing"]}, "no value or module of the graph is called `nothing`"),
        (
            {"remove": ["relu"], "replace": {"relu": aten.neg.default}},
            "is to be replaced or removed twice",
        ),
        ({"replace": {"relu": aten.add.Tensor}}, r"call_function\(aten::add\): the argument `other` is missing"),
        ({"replace": {"relu": len}}, "such as torch.relu"),
        ({"remove": ["x"]}, "`x` is an input of the graph: no node makes it"),
    ],
)
def test_an_edit_that_cannot_be_made_is_one_sentence(edits, message):
    traced = tracelab.trace(lambda x: x.relu() + 1, torch.ones(2))
    with pytest.raises(TracelabError, match=message):
        traced.edited(**edits)


def test_a_node_that_makes_no_tensor_of_one_cannot_be_removed():
    traced = tracelab.trace(lambda x: torch.ones(x.shape[0]) + x, torch.ones(2))
    with pytest.raises(TracelabError, match="it does not make one tensor of another, which could take its place"):
        traced.edited(remove=["ones"])
