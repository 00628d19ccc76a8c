"""`graph.to_pandas()` and `graph.to_networkx()`."""

from __future__ import annotations

import sys

import networkx
import pandas
import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.layers = nn.Sequential(nn.Linear(3, 4), nn.ReLU())

    def forward(self, x):
        low, high = self.layers(x).chunk(2, dim=1)
        return low * high + low


@pytest.fixture(scope="module")
def graph():
    return tracelab.trace(Net(), torch.ones(2, 3)).graph


def test_a_row_a_node_in_the_order_of_the_run(graph):
    table = graph.to_pandas()
    assert isinstance(table, pandas.DataFrame)
    assert list(table["kind"]) == [node.kind for node in graph.nodes]


def test_rows_have_scopes_types_and_lines(graph):
    row = graph.to_pandas().set_index("operator").loc["linear"]
    assert (row["scope"], row["module"], row["dtype"], row["shape"]) == ("layers.0", "Linear", "float32", (2, 4))
    assert row["inputs"] == ("x", "layers.0.weight", "layers.0.bias")
    row = graph.to_pandas().set_index("operator").loc["mul"]
    assert row["file"] == __file__
    assert row["function"] == "Net.forward"
    assert row["line"] == Net.forward.__code__.co_firstlineno + 2


def test_columns_keep_their_types_where_the_graph_is_empty():
    table = tracelab.trace(lambda x: x, torch.ones(2)).graph.to_pandas()
    assert len(table) == 0
    assert "shape" in table
    assert str(table["line"].dtype) == "Int64"


def test_warnings_stand_with_the_node_that_they_are_about():
    with pytest.warns(tracelab.TracerWarning):
        graph = tracelab.trace_graph(lambda x: x.exp() * int(x.sum()), torch.ones(2))[0]
    table = graph.to_pandas().set_index("operator")
    assert [len(table.loc[name, "warnings"]) for name in ("exp", "sum", "mul")] == [0, 1, 0]


def test_a_node_that_makes_nothing_has_a_name():
    def quiet(x):
        with torch.no_grad():
            return x * 2

    names = list(tracelab.trace(quiet, torch.ones(2)).graph.to_pandas()["name"])
    assert names == ["prim::EnterGradMode#0", "mul", "prim::ExitGradMode#2"]


def test_networkx_has_inputs_parameters_and_nodes(graph):
    found = graph.to_networkx()
    kinds = networkx.get_node_attributes(found, "kind")
    assert (kinds["x"], kinds["layers.0.weight"]) == ("input", "parameter")
    assert networkx.is_directed_acyclic_graph(found)
    assert [name for name, gives in found.nodes(data="returned") if gives] == ["add"]


def test_scopes_are_attributes_of_nodes_and_of_parameters(graph):
    found = graph.to_networkx()
    inside = [name for name, scope in found.nodes(data="scope") if scope == "layers.0"]
    assert len(inside) == 3
    assert {"layers.0.weight", "layers.0.bias"} < set(inside)


def test_an_edge_names_every_value_that_goes_along_it(graph):
    found = graph.to_networkx()
    (unpack,) = [name for name, kind in found.nodes(data="kind") if kind == "prim::ListUnpack"]
    low, high = graph.find_nodes("mul")[0].inputs
    edge = found.edges[unpack, "mul"]
    assert edge == {"values": (low.name, high.name), "types": ("float32[2, 2]", "float32[2, 2]")}


@pytest.mark.parametrize("library", ["pandas", "networkx"])
def test_a_library_that_is_missing_is_asked_for_in_a_sentence(graph, library, monkeypatch):
    monkeypatch.setitem(sys.modules, library, None)
    with pytest.raises(TracelabError, match=rf"^to_{library} needs {library}: pip install {library}$"):
        getattr(graph, f"to_{library}")()
