"""A graph that was read from another program's file is saved so that it can be read again, or is refused at once."""

from __future__ import annotations

import io

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError, TracelabFileError
from tracelab.graph.graph import Graph
from tracelab.graph.ir import Node, Role, Value
from tracelab.storage.graph_json.targets import Refusal


class SetsItems(nn.Module):
    def forward(self, x):
        held: dict[str, torch.Tensor] = {"a": x}
        held["b"] = x + 1
        return held


class Appends(nn.Module):
    def forward(self, x):
        held = [x]
        if bool(x.sum() > 0):
            held.append(x + 1)
        held[0] = x
        return held, len(held)


class Loops(nn.Module):
    def forward(self, x):
        held: list[torch.Tensor] = []
        for i in range(x.size(0)):
            held.append(x[i])
        held.extend([x, x])
        held.insert(0, x)
        return torch.cat([part.flatten() for part in held])


def read(module):
    file = io.BytesIO()
    torch.jit.save(torch.jit.script(module), file)
    return tracelab.read(io.BytesIO(file.getvalue()))


@pytest.mark.parametrize("module", [SetsItems, Appends, Loops])
def test_a_script_that_writes_into_a_list_is_saved_and_read_again(module):
    graph, file = read(module()), io.BytesIO()
    tracelab.save(graph, file)
    again = tracelab.load(io.BytesIO(file.getvalue()))
    assert [node.kind for node in again.graph.nodes] == [node.kind for node in graph.nodes]
    assert str(again.graph) == str(graph)


def test_it_says_what_to_do_when_it_should_run():
    file = io.BytesIO()
    tracelab.save(read(SetsItems()), file)
    with pytest.raises(TracelabError, match="_set_item is TorchScript's own, which no file holds: run the"):
        tracelab.load(io.BytesIO(file.getvalue()))(torch.ones(2))


def test_what_could_not_be_read_again_is_not_written(tmp_path):
    graph = Graph("odd")
    x = Value("x", "Tensor", None, Role.INPUT)
    graph.inputs.append(x)
    node = Node("odd::kind", Refusal("kind", "it does not run", {}), (x,), None, (), graph.root)
    node.outputs = (Value("y", "Tensor", node),)
    graph.nodes.append(node)
    graph.outputs = [node.outputs[0]]
    with pytest.raises(
        TracelabFileError, match="cannot save: the file could not be read again, as what runs odd::kind"
    ):
        tracelab.save(graph, tmp_path / "odd.tlab")
    assert not list(tmp_path.iterdir())
