"""A check that is called in another way than it is meant says so in one sentence; so does one of an edited graph."""

from __future__ import annotations

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError


@pytest.mark.parametrize(
    ("arguments", "options", "message"),
    [
        (
            (torch.ones(3),),
            {},
            r"inputs is a tensor: give a list .* such as \[x, \(x, mask\)\]",
        ),
        ((3,), {}, "inputs is of type int: give a list"),
        (([torch.ones(3)], torch.ones(3)), {}, "executor is of type Tensor, which runs nothing"),
        ((), {"max_examples": "x"}, "max_examples='x' is no number of inputs"),
        ((), {"max_examples": 0}, "max_examples=0 is no number of inputs"),
    ],
)
def test_a_wrong_argument_is_one_sentence(arguments, options, message):
    traced = tracelab.trace(nn.Linear(3, 2), torch.ones(3))
    with pytest.raises(TracelabError, match=message):
        traced.check(*arguments, **options)


def test_inputs_for_the_check_of_a_trace_are_a_list():
    with pytest.raises(TracelabError, match="check_inputs is a tensor: give a list"):
        tracelab.trace(nn.Linear(3, 2), torch.ones(3), check_inputs=torch.ones(3))


def test_an_edited_graph_is_told_from_code_that_keeps_state():
    traced = tracelab.trace(nn.Sequential(nn.Linear(3, 3), nn.ReLU()), torch.ones(3))
    relu = traced.graph.nodes[-1]
    relu.replace_all_uses_with(relu.args[0])
    traced.graph.erase_node(relu)
    report = traced.check(max_examples=4)
    assert "cached_state" not in [finding.kind for finding in report.findings]
    assert report.notes == ["the graph was edited after it was traced, and is checked as it is now"]
