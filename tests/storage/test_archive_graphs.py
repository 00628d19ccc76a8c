"""A graph comes back from a file as it was."""

from __future__ import annotations

import collections
import math

import pytest
import torch
from torch import nn

import tracelab
from support.archives import again, to_bytes
from tracelab.graph import Graph, Node, Value
from tracelab.storage.graph_json.constants import Decoder, Encoder

Pair = collections.namedtuple("Pair", ["left", "right"])


def sizes(x):
    rows = x.shape[0] * 2
    return x.view(rows, -1)[: rows // 2] + rows


def network():
    torch.manual_seed(0)
    return nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)).eval()


def branch(x):
    if x.sum() > 0:
        return x + 1
    return x - 1


CASES = {
    "sizes": (lambda: tracelab.trace(sizes, torch.ones(4, 4)), (torch.rand(6, 4),)),
    "network": (lambda: tracelab.trace(network(), torch.ones(1, 1, 4, 4)), (torch.rand(3, 1, 4, 4),)),
    "constant": (
        lambda: tracelab.trace(lambda x: x + torch.tensor([1.0, 2.0]), torch.ones(2)),
        (torch.rand(2),),
    ),
    "index": (lambda: tracelab.trace(lambda x: x[..., 1:, None], torch.ones(2, 3)), (torch.rand(4, 5),)),
    "dtype": (
        lambda: tracelab.trace(lambda x: x.to(torch.bfloat16).float(), torch.ones(2)),
        (torch.rand(3),),
    ),
    "cat": (
        lambda: tracelab.trace(lambda x, y: torch.cat([x, y], 1), (torch.ones(2, 3), torch.ones(2, 1))),
        (torch.rand(4, 2), torch.rand(4, 7)),
    ),
    "no_grad": (lambda: tracelab.trace(torch.no_grad()(lambda x: x * 2), torch.ones(2)), (torch.rand(3),)),
    "split": (lambda: tracelab.trace(lambda x: torch.split(x, 2), torch.ones(4)), (torch.rand(4),)),
    "inf": (
        lambda: tracelab.trace(lambda x: x.masked_fill(x > 0, -math.inf), torch.ones(4)),
        (torch.rand(4),),
    ),
    "autocast": (lambda: tracelab.trace(autocast_region, torch.ones(2, 2)), (torch.rand(2, 2),)),
    "item": (lambda: tracelab.trace(lambda x: x * x.sum().item(), torch.ones(2)), (torch.rand(2),)),
    "data": (lambda: tracelab.trace(lambda x: x.data + 1, torch.ones(2)), (torch.rand(2),)),
}


def autocast_region(x):
    with torch.autocast("cpu", dtype=torch.bfloat16):
        return x @ x


@pytest.mark.parametrize("case", CASES)
def test_the_text_of_the_graph_stays(case):
    traced = CASES[case][0]()
    assert str(again(traced).graph) == str(traced.graph)


@pytest.mark.parametrize("case", CASES)
def test_the_code_stays(case):
    traced = CASES[case][0]()
    assert again(traced).code == traced.code


@pytest.mark.parametrize("case", CASES)
def test_the_outputs_are_equal(case):
    make, inputs = CASES[case]
    traced = make()
    torch.testing.assert_close(again(traced)(*inputs), traced(*inputs), rtol=0, atol=0)


@pytest.mark.parametrize("case", CASES)
def test_saving_what_was_loaded_gives_the_same_bytes(case):
    content = to_bytes(CASES[case][0]())
    assert to_bytes(again(CASES[case][0]())) == content


def test_the_name_of_a_function_stays():
    assert again(tracelab.trace(sizes, torch.ones(2, 2))).__name__ == "sizes"


def test_a_graph_can_be_saved_by_itself():
    graph, _ = tracelab.trace_graph(sizes, (torch.ones(4, 4),))
    assert str(again(graph).graph) == str(graph)


def test_sources_stay_with_their_columns():
    traced = tracelab.trace(sizes, torch.ones(4, 4))
    places = [
        (s.file, s.function, s.line, s.end_line, s.column, s.end_column)
        for node in traced.graph.nodes
        if (s := node.source)
    ]
    loaded = [
        (s.file, s.function, s.line, s.end_line, s.column, s.end_column)
        for node in again(traced).graph.nodes
        if (s := node.source)
    ]
    assert loaded == places
    assert places


def outer(x):
    return sizes(x) + 1


def test_the_callers_of_a_source_stay():
    loaded = again(tracelab.trace(outer, torch.ones(4, 4))).graph
    assert loaded.find_nodes("aten::view")[0].source.caller.function == "outer"


def test_the_text_of_a_source_comes_out_of_the_file():
    loaded = again(tracelab.trace(sizes, torch.ones(4, 4))).graph
    assert "return x.view(rows, -1)" in loaded.find_nodes("aten::view")[0].source.text


def test_scopes_stay():
    traced = tracelab.trace(network(), torch.ones(1, 1, 4, 4))
    described = [(scope.path, scope.class_name, scope.call, scope.depth) for scope in traced.graph.scopes()]
    loaded = again(traced).graph
    assert [(scope.path, scope.class_name, scope.call, scope.depth) for scope in loaded.scopes()] == described
    assert [node.scope.path for node in loaded.nodes] == [node.scope.path for node in traced.graph.nodes]


def test_warnings_stay():
    with pytest.warns(tracelab.TracerWarning):
        traced = tracelab.trace(branch, torch.ones(2))
    (warning,), (loaded,) = traced.graph.warnings, again(traced).graph.warnings
    assert (loaded.kind, loaded.message, loaded.constant, loaded.position, str(loaded)) == (
        warning.kind,
        warning.message,
        warning.constant,
        warning.position,
        str(warning),
    )


def test_a_graph_that_failed_stays_marked():
    with pytest.raises(tracelab.TraceError) as caught:
        tracelab.trace(lambda x: x.relu() @ torch.ones(7, 7), torch.ones(2, 2))
    loaded = again(caught.value.graph).graph
    assert loaded.failed is loaded.nodes[-1]
    assert str(loaded) == str(caught.value.graph)


def test_types_stay():
    traced = tracelab.trace(lambda x: x.t().requires_grad_(), torch.ones(2, 3))
    assert [v.type for v in again(traced).graph.values()] == [v.type for v in traced.graph.values()]


def test_nested_inputs_stay():
    traced = tracelab.trace(
        lambda p, d, k: p.left + p.right[0] + d["a"] + d[3] + k[0],
        (Pair(torch.ones(2), (torch.ones(2), None)), {"a": torch.ones(2), 3: torch.ones(2)}, [torch.ones(2)]),
    )
    call = (
        Pair(torch.rand(2), (torch.rand(2), None)),
        {3: torch.rand(2), "a": torch.rand(2)},
        [torch.rand(2)],
    )
    loaded = again(traced)
    assert loaded.graph.input_tree == traced.graph.input_tree
    torch.testing.assert_close(loaded(*call), traced(*call))


def test_a_named_tuple_comes_back_as_an_equal_one():
    traced = tracelab.trace(lambda x: Pair(x + 1, x + 2), torch.ones(2))
    result = again(traced)(torch.zeros(2))
    assert type(result).__name__ == "Pair"
    assert result.right.tolist() == [2.0, 2.0]


def test_an_ordered_dict_comes_back_as_one():
    traced = tracelab.trace(lambda x: collections.OrderedDict(a=x + 1), torch.ones(2), strict=False)
    assert type(again(traced)(torch.zeros(2))) is collections.OrderedDict


def test_a_node_that_a_library_defines_runs_where_it_is_allowed():
    with torch.library._scoped_library("tracelab_storage_test", "DEF") as library:
        library.define("double(Tensor x) -> Tensor")
        library.impl("double", lambda x: x * 2, "CompositeExplicitAutograd")
        traced = tracelab.trace(lambda x: torch.ops.tracelab_storage_test.double(x), torch.ones(2))
        loaded = again(traced, allow={"tracelab_storage_test::double"})
        assert loaded(torch.full((2,), 3.0)).tolist() == [6.0, 6.0]


CONSTANTS = [
    None,
    True,
    False,
    0,
    1,
    -1,
    2**63,
    0.0,
    1.0,
    -0.0,
    1e-320,
    math.inf,
    -math.inf,
    1j,
    complex(-0.0, math.inf),
    "",
    "text",
    "\ud800",
    "\u00e9\n",
    torch.float32,
    torch.float8_e4m3fn,
    torch.device("cpu"),
    torch.device("cuda", 3),
    torch.device("cuda"),
    torch.strided,
    torch.sparse_coo,
    torch.channels_last,
    torch.preserve_format,
    torch.Size([2, 3]),
    [],
    [1, 1.0, True],
    (),
    (1,),
    ([2], (None,)),
    {},
    {"a": [1], 2: None},
    slice(None),
    slice(1, None, 2),
    Ellipsis,
]


def through_json(item):
    import json

    encoded = json.loads(json.dumps(Encoder({}, {}).encode(item), allow_nan=False))
    return Decoder([], lambda device: device).decode(encoded, "a test")


@pytest.mark.parametrize("constant", CONSTANTS, ids=repr)
def test_a_constant_comes_back_exactly(constant):
    back = through_json(constant)
    assert type(back) is type(constant)
    assert repr(back) == repr(constant)
    assert back == constant


def test_not_a_number_comes_back():
    assert math.isnan(through_json(math.nan))


def test_a_named_tuple_argument_keeps_its_fields():
    assert through_json(Pair(1, 2.0))._asdict() == {"left": 1, "right": 2.0}


def test_a_generator_comes_back_as_the_default_one():
    assert through_json(torch.Generator()) is None


def test_a_value_that_no_node_makes_is_refused():
    graph = Graph()
    value = Value("x", "Tensor")
    graph.nodes.append(Node("aten::relu", torch.ops.aten.relu.default, (value,)))
    with pytest.raises(tracelab.TracelabError, match="%x, which no node makes"):
        to_bytes(graph)
