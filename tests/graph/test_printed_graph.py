"""A graph prints as TorchScript's IR: literal texts, and what torch's own parser makes of them."""

from __future__ import annotations

import re
from textwrap import dedent

import pytest
import torch
from torch import nn

import tracelab
from support.printed_graphs import short


def printed(function, *example, **options):
    return short(tracelab.trace(function, example, **options).graph)


def test_a_function_prints_with_types_places_and_schema_defaults():
    def scaled(x, y):
        hidden = x @ y
        return torch.tanh(hidden) + 1

    graph = tracelab.trace(scaled, (torch.ones(2, 3), torch.ones(3, 4))).graph
    file, line = "test_printed_graph.py", scaled.__code__.co_firstlineno
    assert str(graph) == (
        f"""\
graph(%x : Float(2, 3, strides=[3, 1], requires_grad=0, device=cpu),
      %y : Float(3, 4, strides=[4, 1], requires_grad=0, device=cpu)):
  %hidden : Float(2, 4, strides=[4, 1], requires_grad=0, device=cpu) = aten::matmul(%x, %y) # {file}:{line + 1}:17
  %tanh : Float(2, 4, strides=[4, 1], requires_grad=0, device=cpu) = aten::tanh(%hidden) # {file}:{line + 2}:15
  %1 : int = prim::Constant[value=1]()
  %add : Float(2, 4, strides=[4, 1], requires_grad=0, device=cpu) = aten::add(%tanh, %1, %1) # {file}:{line + 2}:15
  return (%add)
"""
    )


def test_a_module_prints_its_parameters_as_inputs_and_scopes_on_its_nodes():
    net = nn.Sequential(nn.Linear(3, 2, bias=False), nn.ReLU())
    assert printed(net, torch.ones(1, 3)) == dedent(
        """\
        graph(%input : Float(1, 3),
              %_0.weight : Float(2, 3)):
          %1 : NoneType = prim::Constant()
          %linear : Float(1, 2) = aten::linear(%input, %_0.weight, %1), scope: 0
          %relu : Float(1, 2) = aten::relu(%linear), scope: 1
          return (%relu)
        """
    )


def test_in_place_operators_and_views_stand_where_they_ran():
    def first_row(x):
        y = x.clone()
        y[0].add_(1)
        return y

    assert printed(first_row, torch.ones(2, 3)) == dedent(
        """\
        graph(%x : Float(2, 3)):
          %1 : NoneType = prim::Constant()
          %y : Float(2, 3) = aten::clone(%x, %1)
          %2 : int = prim::Constant[value=0]()
          %select : Float(3) = aten::select(%y, %2, %2)
          %3 : int = prim::Constant[value=1]()
          %add_ : Float(3) = aten::add_(%select, %3, %3)
          return (%y)
        """
    )


def test_one_and_one_point_zero_and_true_are_three_constants():
    def constants(x):
        return torch.where(x.add(1.0) > 1, True, False)

    assert printed(constants, torch.ones(2)) == dedent(
        """\
        graph(%x : Float(2)):
          %1 : float = prim::Constant[value=1.0]()
          %2 : int = prim::Constant[value=1]()
          %add : Float(2) = aten::add(%x, %1, %2)
          %gt : Bool(2) = aten::gt(%add, %2)
          %3 : bool = prim::Constant[value=1]()
          %4 : bool = prim::Constant[value=0]()
          %where : Bool(2) = aten::where(%gt, %3, %4)
          return (%where)
        """
    )


def test_arithmetic_on_sizes_prints_as_scalar_operators():
    def halves(x):
        return x.view(x.shape[0], -1, 2 * x.size(1))

    assert printed(halves, torch.ones(2, 3, 4)) == dedent(
        """\
        graph(%x : Float(2, 3, 4)):
          %1 : int = prim::Constant[value=0]()
          %size : int = aten::size(%x, %1)
          %2 : int = prim::Constant[value=1]()
          %size.1 : int = aten::size(%x, %2)
          %3 : int = prim::Constant[value=2]()
          %mul : int = aten::mul(%3, %size.1)
          %4 : int = prim::Constant[value=-1]()
          %5 : int[] = prim::ListConstruct(%size, %4, %mul)
          %view : Float(2, 2, 6) = aten::view(%x, %5)
          return (%view)
        """
    )


def test_nested_tuples_and_dicts_print_as_constructs():
    def nested(x):
        return {"whole": x.neg(), "parts": (x, x.abs())}

    assert printed(nested, torch.ones(2), strict=False) == dedent(
        """\
        graph(%x : Float(2)):
          %neg : Float(2) = aten::neg(%x)
          %abs : Float(2) = aten::abs(%x)
          %tuple : (Float(2), Float(2)) = prim::TupleConstruct(%x, %abs)
          %1 : str = prim::Constant[value="whole"]()
          %2 : str = prim::Constant[value="parts"]()
          %dict : Dict(str, Tensor) = prim::DictConstruct(%1, %neg, %2, %tuple)
          return (%dict)
        """
    )


def test_an_autograd_function_prints_as_a_caret_and_its_name():
    class Double(torch.autograd.Function):
        @staticmethod
        def forward(ctx, x):
            return x * 2

        @staticmethod
        def backward(ctx, gradient):
            return gradient * 2

    assert printed(lambda x: Double.apply(x), torch.ones(2)) == dedent(
        """\
        graph(%x : Float(2)):
          %PythonOp : Float(2) = ^Double[inplace=0](%x)
          return (%PythonOp)
        """
    )


def test_a_list_of_tensors_prints_as_a_list_construct():
    def joined(x, y):
        return torch.cat([x, y], dim=1)

    assert printed(joined, torch.ones(1, 2), torch.ones(1, 1)) == dedent(
        """\
        graph(%x : Float(1, 2),
              %y : Float(1, 1)):
          %1 : Tensor[] = prim::ListConstruct(%x, %y)
          %2 : int = prim::Constant[value=1]()
          %cat : Float(1, 3) = aten::cat(%1, %2)
          return (%cat)
        """
    )


def test_several_outputs_of_an_operator_stand_on_one_line():
    def best(x):
        values, indices = torch.topk(x, 2)
        return values, indices

    assert "%values : Float(2), %indices : Long(2) = aten::topk(" in printed(best, torch.ones(3))


def test_a_graph_prints_the_same_each_time_it_is_traced():
    net = nn.Sequential(nn.Linear(3, 3), nn.ReLU(), nn.Linear(3, 1))
    assert str(tracelab.trace(net, torch.ones(1, 3)).graph) == str(tracelab.trace(net, torch.ones(1, 3)).graph)


def in_place(x):
    y = x.clone()
    y.mul_(2)
    return y


def unpacked(x):
    a, b = x.chunk(2)
    return a + b


PLAIN = {
    "arithmetic": lambda x: (x * 2 + 1) / 3 - x,
    "sizes": lambda x: x.view(x.size(0) * x.size(1)),
    "slices": lambda x: x[1:, :-1],
    "masks": lambda x: x[x > 0],
    "factories": lambda x: x + torch.ones(x.shape, dtype=torch.float64),
    "in place": in_place,
    "unpacked": unpacked,
    "tuples": lambda x: (x, (x.neg(), x)),
    "list arguments": lambda x: torch.cat([x, x.relu()]).permute(1, 0),
    "convolution": lambda x: torch.conv1d(x[None], torch.ones(1, 4, 1), padding=1),
    "casts": lambda x: x.to(torch.int64).float(),
    "infinities": lambda x: x.masked_fill(x > 0, float("-inf")),
    "optional": lambda x: x.clamp(min=0.5).sum(dim=[0], keepdim=True),
    "strings": lambda x: torch.div(x, 2, rounding_mode="floor"),
}


@pytest.mark.parametrize("name", PLAIN)
def test_torch_reads_a_plain_graph_back(name):
    graph = tracelab.trace(PLAIN[name], torch.randn(4, 4)).graph
    parsed = torch._C.parse_ir(str(graph))
    operators = [node.kind for node in graph.nodes if node.kind.startswith("aten::")]
    assert [node.kind() for node in parsed.nodes() if node.kind().startswith("aten::")] == operators


def test_torch_reads_the_graph_of_a_module_back():
    net = nn.Sequential(nn.Conv2d(1, 2, 3), nn.BatchNorm2d(2), nn.ReLU(), nn.Flatten(), nn.Linear(8, 3)).eval()
    graph = tracelab.trace(net, torch.ones(1, 1, 4, 4)).graph
    # torch's parser reads no scopes, not even those that torch prints.
    parsed = torch._C.parse_ir(re.sub(r", scope: [\w.]+", "", str(graph)))
    assert len(list(parsed.inputs())) == len(graph.inputs)


def test_a_graph_s_repr_is_one_short_line():
    graph = tracelab.trace(in_place, torch.ones(2)).graph
    assert repr(graph) == "Graph(in_place, 2 nodes, 1 inputs)"
    assert repr(graph.nodes[1]) == "%mul_ = aten::mul_(%y)"
