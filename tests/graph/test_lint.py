"""The verifier finds each fault of a graph, and says in one sentence what it is and where."""

from __future__ import annotations

import warnings
from collections.abc import Callable

import pytest
import torch
from torch import nn

import tracelab
from tracelab.errors import TracelabError
from tracelab.graph import Graph, Node, Role, Scope, Source, TensorType, Value, passes
from tracelab.graph.diagnostic import TracerWarning
from tracelab.graph.kinds import (
    CONSTANT,
    DICT_CONSTRUCT,
    ENTER_CONTEXT,
    ENTER_GRAD_MODE,
    EXIT_CONTEXT,
    EXIT_GRAD_MODE,
    LIST_CONSTRUCT,
    LIST_UNPACK,
    PYTHON_CALL,
    SET_ATTRIBUTE,
    TUPLE_CONSTRUCT,
)
from tracelab.graph.lint import GraphError

aten = torch.ops.aten
FLOATS = TensorType(torch.float32, (2,), (1,), torch.device("cpu"))


def graph_of_x() -> tuple[Graph, Value]:
    """A graph called `g` with one input and no nodes."""
    graph = Graph("g")
    x = Value("x", FLOATS, None, Role.INPUT)
    graph.inputs = [x]
    return graph, x


def used_before_it_is_defined() -> Graph:
    graph, x = graph_of_x()
    sine = graph.create_node("aten::sin", aten.sin.default, (x,))
    cosine = graph.create_node("aten::cos", aten.cos.default, (x,))
    sine.args = (cosine.output,)
    return graph


def used_and_never_defined() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (Value("y", FLOATS),))
    return graph


def defined_twice() -> Graph:
    graph, x = graph_of_x()
    node = graph.create_node("aten::sin", aten.sin.default, (x,))
    node.outputs = (node.output, node.output)
    node.target = lambda x: (x, x)
    return graph


def an_input_twice() -> Graph:
    graph, x = graph_of_x()
    graph.inputs = [x, x]
    return graph


def an_input_that_a_node_makes() -> Graph:
    graph, x = graph_of_x()
    sine = graph.create_node("aten::sin", aten.sin.default, (x,))
    graph.inputs.append(sine.output)
    return graph


def a_name_twice() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x,)).output.name = "x"
    return graph


def another_maker() -> Graph:
    graph, x = graph_of_x()
    sine = graph.create_node("aten::sin", aten.sin.default, (x,))
    cosine = graph.create_node("aten::cos", aten.cos.default, (x,))
    cosine.outputs = (Value("y", FLOATS, sine),)
    return graph


def too_many_arguments() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x, 1))
    return graph


def a_missing_argument() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::mul", aten.mul.Tensor, (x,))
    return graph


def an_unknown_argument() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::add", aten.add.Tensor, (x, x), {"beta": 2})
    return graph


def an_argument_twice() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::mul", aten.mul.Tensor, (x, x), {"other": x})
    return graph


def too_many_outputs() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x,), types=("Tensor", "Tensor"))
    return graph


def too_few_outputs() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::max", aten.max.dim, (x, 0))
    return graph


def a_word_for_a_tensor() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, ("x",))
    return graph


def a_tensor_for_a_number() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::select", aten.select.int, (x, 0, x))
    return graph


def a_tensor_for_a_list() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::stack", aten.stack.default, (x,))
    return graph


def nothing_for_a_tensor() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::mul", aten.mul.Tensor, (x, None))
    return graph


def a_number_out_of_an_operator_on_tensors() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x,), types=("int",))
    return graph


def strides_of_another_length() -> Graph:
    graph, x = graph_of_x()
    type_ = TensorType(torch.float32, (2, 3), (1,), torch.device("cpu"))
    graph.create_node("aten::sin", aten.sin.default, (x,), types=(type_,))
    return graph


def another_target() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::cos", aten.sin.default, (x,))
    return graph


def no_target() -> Graph:
    graph, x = graph_of_x()
    sine = graph.create_node("aten::sin", aten.sin.default, (x,))
    sine.target = None
    return graph


def a_node_of_another_graph() -> Graph:
    graph, x = graph_of_x()
    other, y = graph_of_x()
    node = other.create_node("aten::sin", aten.sin.default, (y,))
    graph.create_node("aten::sin", aten.sin.default, (x,))
    list.append(graph.nodes, node)
    return graph


def a_context_that_stays_open() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_CONTEXT, torch.autocast, ("cpu",), types=())
    return graph


def a_context_that_ends_twice() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_CONTEXT, torch.autocast, ("cpu",), types=())
    graph.create_node(EXIT_CONTEXT, None, types=())
    graph.create_node(EXIT_CONTEXT, None, types=())
    return graph


def a_mode_that_ends_twice() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_GRAD_MODE, None, (False,), types=())
    graph.create_node(EXIT_GRAD_MODE, None, types=())
    graph.create_node(EXIT_GRAD_MODE, None, types=())
    return graph


def a_context_that_a_mode_would_end() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_GRAD_MODE, None, (False,), types=())
    graph.create_node(EXIT_CONTEXT, None, types=())
    return graph


def a_mode_that_is_no_mode() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_GRAD_MODE, None, (1,), types=())
    return graph


def an_end_that_takes_something() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_GRAD_MODE, None, (False,), types=())
    graph.create_node(EXIT_GRAD_MODE, None, (True,), types=())
    return graph


def a_context_that_makes_something() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(ENTER_CONTEXT, torch.autocast, ("cpu",))
    return graph


def a_foreign_scope() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x,)).scope = Scope("fc", "Linear", None)
    return graph


def a_source_without_a_line() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x,)).source = Source.at("net.py", "f", 0, 0, 0, 0)
    return graph


def a_source_that_ends_before_it_begins() -> Graph:
    graph, x = graph_of_x()
    graph.create_node("aten::sin", aten.sin.default, (x,)).source = Source.at("net.py", "f", 7, 5, 0, 0)
    return graph


def a_result_that_nothing_makes() -> Graph:
    graph, _ = graph_of_x()
    graph.outputs = [Value("y", FLOATS)]
    return graph


def a_tensor_for_an_unknown_value() -> Graph:
    graph, _ = graph_of_x()
    graph.state[Value("w", FLOATS)] = torch.ones(2)
    return graph


def a_warning_behind_the_last_node() -> Graph:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", TracerWarning)
        graph = tracelab.trace_graph(lambda x: x * int(x.sum()), torch.ones(2))[0]
    graph.name = "g"
    graph.warnings[0].position = 7
    for node in graph.nodes:
        node.source = None
    return graph


def a_failed_node_that_is_not_there() -> Graph:
    graph, x = graph_of_x()
    graph.failed = Node("aten::sin", aten.sin.default, (x,))
    return graph


def opaque_without_a_name() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(PYTHON_CALL, torch.sin, (x,))
    return graph


def a_constant_with_an_argument() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(CONSTANT, None, (x,))
    return graph


def a_constant_that_is_no_tensor() -> Graph:
    graph, _ = graph_of_x()
    node = graph.create_node(CONSTANT, None)
    graph.state[node.output] = 3.0  # type: ignore[assignment]
    return graph


def a_list_apart_that_is_none() -> Graph:
    graph, _ = graph_of_x()
    graph.create_node(LIST_UNPACK, None, ([1, 2],))
    return graph


def a_list_with_a_keyword() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(LIST_CONSTRUCT, None, (x,), {"y": x})
    return graph


def a_key_without_a_value() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(DICT_CONSTRUCT, None, ("a", x, "b"))
    return graph


def a_dict_without_its_class() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(DICT_CONSTRUCT, dict, ("a", x))
    return graph


def a_named_tuple_with_a_field_too_many() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(TUPLE_CONSTRUCT, None, (x,), attributes={"fields": ["a", "b"], "class": "Pair"})
    return graph


def a_buffer_without_a_name() -> Graph:
    graph, x = graph_of_x()
    graph.create_node(SET_ATTRIBUTE, None, (x,), types=())
    return graph


FAULTS: list[tuple[Callable[[], Graph], str]] = [
    (used_before_it_is_defined, ", node 0, aten::sin(%cos): %cos is used before it is defined"),
    (used_and_never_defined, ", node 0, aten::sin(%y): %y is used before it is defined"),
    (defined_twice, ", node 0, aten::sin(%x): %sin is defined twice"),
    (an_input_twice, ": %x is defined twice"),
    (an_input_that_a_node_makes, ": the input %sin is made by aten::sin"),
    (a_name_twice, ", node 0, aten::sin(%x): two values are called %x"),
    (another_maker, ", node 1, aten::cos(%x): its output %y names another maker"),
    (too_many_arguments, ", node 0, aten::sin(%x, 1): it has 2 arguments, and the schema 1"),
    (a_missing_argument, ", node 0, aten::mul(%x): the argument `other` is missing"),
    (an_unknown_argument, ", node 0, aten::add(%x, %x, 2): the schema has no argument `beta`"),
    (an_argument_twice, ", node 0, aten::mul(%x, %x, %x): the argument `other` is given twice"),
    (too_many_outputs, ", node 0, aten::sin(%x): it has 2 outputs, and the schema 1"),
    (too_few_outputs, ", node 0, aten::max(%x, 0): it has 1 outputs, and the schema 2"),
    (a_word_for_a_tensor, ", node 0, aten::sin('x'): the argument `self` is str, and the schema wants Tensor"),
    (
        a_tensor_for_a_number,
        ", node 0, aten::select(%x, 0, %x): the argument `index` is float32[2], and the schema wants int",
    ),
    (
        a_tensor_for_a_list,
        ", node 0, aten::stack(%x): the argument `tensors` is float32[2], and the schema wants List[Tensor]",
    ),
    (
        nothing_for_a_tensor,
        ", node 0, aten::mul(%x, None): the argument `other` is NoneType, and the schema wants Tensor",
    ),
    (
        a_number_out_of_an_operator_on_tensors,
        ", node 0, aten::sin(%x): its output %sin is int, and the schema returns Tensor",
    ),
    (strides_of_another_length, ", node 0, aten::sin(%x): %sin has 2 sizes and 1 strides"),
    (another_target, ", node 0, aten::cos(%x): its target is aten::sin"),
    (no_target, ", node 0, aten::sin(%x): nothing is known that runs it"),
    (a_node_of_another_graph, ", node 1, aten::sin(%x): it belongs to another graph"),
    (
        a_context_that_stays_open,
        ", node 0, prim::EnterContext('cpu'): nothing closes the region that it opens",
    ),
    (a_context_that_ends_twice, ", node 2, prim::ExitContext(): it closes a region that nothing opened"),
    (a_mode_that_ends_twice, ", node 2, prim::ExitGradMode(): it closes a region that nothing opened"),
    (a_context_that_a_mode_would_end, ", node 1, prim::ExitContext(): it closes a region that nothing opened"),
    (a_mode_that_is_no_mode, ", node 0, prim::EnterGradMode(1): it takes True or False and makes nothing"),
    (an_end_that_takes_something, ", node 1, prim::ExitGradMode(True): it takes and makes nothing"),
    (a_context_that_makes_something, ", node 0, prim::EnterContext('cpu'): it makes nothing"),
    (a_foreign_scope, ", node 0, aten::sin(%x): its scope Scope('fc', Linear) is not of the graph's tree"),
    (a_source_without_a_line, ", node 0, aten::sin(%x): its source net.py:0:0 is not a place"),
    (a_source_that_ends_before_it_begins, ", node 0, aten::sin(%x): its source net.py:7:0 is not a place"),
    (a_result_that_nothing_makes, ": the graph returns %y, which it does not define"),
    (a_tensor_for_an_unknown_value, ": the graph keeps a tensor for %w, which it does not define"),
    (a_warning_behind_the_last_node, ", node 0, aten::sum(%x): a warning stands at 7 of 2 nodes"),
    (a_failed_node_that_is_not_there, ", aten::sin(%x): the failed node is not a node of the graph"),
    (opaque_without_a_name, ", node 0, prim::PythonOp(%x): it does not say what it calls"),
    (a_constant_with_an_argument, ", node 0, prim::Constant(%x): a constant has no arguments and one output"),
    (a_constant_that_is_no_tensor, ", node 0, prim::Constant(): its value is of type float"),
    (a_list_apart_that_is_none, ", node 0, prim::ListUnpack([1, 2]): it takes one value apart"),
    (
        a_list_with_a_keyword,
        ", node 0, prim::ListConstruct(%x, %x): it makes one value, of arguments by position",
    ),
    (a_key_without_a_value, ", node 0, prim::DictConstruct('a', %x, 'b'): it has a key without a value"),
    (a_dict_without_its_class, ", node 0, prim::DictConstruct('a', %x): it does not name its class"),
    (
        a_named_tuple_with_a_field_too_many,
        ", node 0, prim::TupleConstruct(%x): it has not one item for each field",
    ),
    (a_buffer_without_a_name, ", node 0, prim::SetAttr(%x): it takes one value and the name of a buffer"),
]


@pytest.mark.parametrize(("make", "sentence"), FAULTS, ids=[make.__name__ for make, _ in FAULTS])
def test_a_malformed_graph_is_refused_with_the_fault(make, sentence):
    with pytest.raises(GraphError) as refused:
        make().lint()
    assert str(refused.value) == f"the graph g is not well formed{sentence}"


@pytest.mark.parametrize("edit", [passes.dce, passes.cse, passes.fold_constants, passes.inline, passes.canonicalize])
def test_each_pass_ends_in_the_verifier(edit):
    with pytest.raises(GraphError, match="the graph g is not well formed"):
        edit(a_result_that_nothing_makes())


def test_a_graph_error_is_an_error_of_the_package():
    assert issubclass(GraphError, TracelabError)


def closes_in_another_order(x):
    def parts():
        with torch.no_grad():
            yield x * 2

    made = parts()
    first = next(made)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert next(made, None) is None
    return first


def leaves_a_mode(x):
    torch.set_grad_enabled(True)
    return x * 2


class Norm(nn.Module):
    def __init__(self):
        super().__init__()
        self.norm = nn.BatchNorm1d(2)
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        self.count = self.count + 1
        return {"first": self.norm(x), "both": (x, [x, None])}


@pytest.mark.parametrize(
    "function",
    [
        closes_in_another_order,
        leaves_a_mode,
        lambda x: x.max(0),
        lambda x: x + torch.tensor([1.0, 2.0]),
        lambda x: torch.add(x, 1, alpha=x.shape[0]),
        lambda x: x.view(x.shape[0], -1).sum(dim=[0]),
        lambda x: torch.stack([x, x])[:, 0],
        lambda x: (torch._foreach_add_([x], 1.0), x)[1],
        lambda x: nn.functional.pad(x, (1, 1)),
        lambda x: x.to(torch.float64).mean(dtype=torch.float32),
        Norm(),
    ],
)
def test_what_is_recorded_is_well_formed(function):
    tracelab.trace_graph(function, torch.ones(3, 2), strict=False)[0].lint()


def test_the_graph_of_a_run_that_raised_is_well_formed():
    def raises(x):
        with torch.autocast("cpu", dtype=torch.bfloat16):
            return x @ torch.ones(7, 7)

    with pytest.raises(tracelab.TraceError) as raised:
        tracelab.trace(raises, torch.ones(2, 3))
    raised.value.graph.lint()


def test_the_graph_of_a_run_that_raised_may_have_an_open_region():
    graph = a_context_that_stays_open()
    graph.failed = graph.nodes[0]
    graph.lint()
