"""What `print_readable` and `print_tabular` print."""

from __future__ import annotations

import re

import pytest
import torch
from torch import nn

import tracelab
from tracelab.graph import Graph


class Twice(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x * 2, x + 1

    @staticmethod
    def backward(ctx, double, more):
        return double * 2 + more


class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc = nn.Linear(3, 2)
        self.register_buffer("count", torch.zeros(()))

    def forward(self, x):
        self.count += 1
        h = self.fc(x).relu()
        with torch.no_grad():
            a, b = Twice.apply(h)
        c = torch.add(a, b, alpha=2)
        torch._foreach_add_([c], 1.0)
        return {"sum": c.sum(dim=0, keepdim=True), "parts": list(c.view(x.shape[0], -1).chunk(2, 1))}


def graph() -> Graph:
    return tracelab.trace_graph(Net(), torch.ones(4, 3), strict=False)[0]


def without_lines(text: str) -> str:
    return re.sub(r"test_readable_graph.py:\d+", "test.py:7", text)


READABLE = """\
def Net(x: "float32[4, 3]", count: "float32[]", fc.weight: "float32[2, 3]", fc.bias: "float32[2]"):
    add_: "float32[]" = aten.add_.Tensor(count, 1)  # test.py:7
    linear: "float32[4, 2]" = aten.linear(x, fc.weight, fc.bias)  # fc · test.py:7
    h: "float32[4, 2]" = aten.relu(linear)  # test.py:7
    prim.EnterGradMode(False)  # test.py:7
    PythonOp: "(Tensor, Tensor)" = Twice(h)  # test.py:7
    a: "float32[4, 2]", b: "float32[4, 2]" = prim.TupleUnpack(PythonOp)  # test.py:7
    prim.ExitGradMode()  # test.py:7
    c: "float32[4, 2]" = aten.add.Tensor(a, b, alpha=2)  # test.py:7
    aten._foreach_add_.Scalar([c], 1.0)  # test.py:7
    sum: "float32[1, 2]" = aten.sum.dim_IntList(c, [0], True)  # test.py:7
    size: "int" = aten.size(x, 0)  # test.py:7
    view: "float32[4, 2]" = aten.view(c, [size, -1])  # test.py:7
    chunk: "Tensor[]" = aten.chunk(view, 2, 1)  # test.py:7
    chunk.1: "float32[4, 1]", chunk.2: "float32[4, 1]" = prim.ListUnpack(chunk)  # test.py:7
    list: "Tensor[]" = prim.ListConstruct(chunk.1, chunk.2)
    dict: "Dict(str, Tensor)" = prim.DictConstruct('sum', sum, 'parts', list)
    return dict
"""

TABLE = """\
operator                   output            type                          arguments                  module  source
-------------------------  ----------------  ----------------------------  -------------------------  ------  ---------
input                      x                 float32[4, 3]
input                      count             float32[]
input                      fc.weight         float32[2, 3]                                            fc
input                      fc.bias           float32[2]                                               fc
aten.add_.Tensor           add_              float32[]                     count, 1                           test.py:7
aten.linear                linear            float32[4, 2]                 x, fc.weight, fc.bias      fc      test.py:7
aten.relu                  h                 float32[4, 2]                 linear                             test.py:7
prim.EnterGradMode                                                         False                              test.py:7
Twice                      PythonOp          (Tensor, Tensor)              h                                  test.py:7
prim.TupleUnpack           a, b              float32[4, 2], float32[4, 2]  PythonOp                           test.py:7
prim.ExitGradMode                                                                                             test.py:7
aten.add.Tensor            c                 float32[4, 2]                 a, b, alpha=2                      test.py:7
aten._foreach_add_.Scalar                                                  [c], 1.0                           test.py:7
aten.sum.dim_IntList       sum               float32[1, 2]                 c, [0], True                       test.py:7
aten.size                  size              int                           x, 0                               test.py:7
aten.view                  view              float32[4, 2]                 c, [size, -1]                      test.py:7
aten.chunk                 chunk             Tensor[]                      view, 2, 1                         test.py:7
prim.ListUnpack            chunk.1, chunk.2  float32[4, 1], float32[4, 1]  chunk                              test.py:7
prim.ListConstruct         list              Tensor[]                      chunk.1, chunk.2
prim.DictConstruct         dict              Dict(str, Tensor)             'sum', sum, 'parts', list
output                     dict              Dict(str, Tensor)
"""


def test_print_readable_prints_lines_of_python(capsys):
    text = graph().print_readable()
    assert without_lines(text) + "\n" == READABLE
    assert capsys.readouterr().out == text + "\n"


def test_print_tabular_prints_one_line_a_node(capsys):
    graph().print_tabular()
    lines = without_lines(capsys.readouterr().out).splitlines()
    # The rule under the last column is as wide as the file name and the line number.
    lines[1] = TABLE.splitlines()[1]
    assert "\n".join(lines) + "\n" == TABLE


def test_a_run_that_raised_ends_in_the_call_that_raised(capsys):
    with pytest.raises(tracelab.TraceError) as raised:
        tracelab.trace(lambda x: x.exp() @ torch.ones(7, 7), torch.ones(2, 3))
    assert without_lines(raised.value.graph.print_readable()) == (
        'def forward(x: "float32[2, 3]"):\n'
        '    exp: "float32[2, 3]" = aten.exp(x)  # test.py:7\n'
        "    ones: \"float32[7, 7]\" = aten.ones([7, 7], device='cpu', pin_memory=False)  # test.py:7\n"
        "    aten.matmul(exp, ones)  # test.py:7\n"
        "    raise  # in aten::matmul"
    )


def test_a_graph_without_nodes(capsys):
    empty = tracelab.trace_graph(lambda x: x, torch.ones(2))[0]
    assert empty.print_readable() == 'def forward(x: "float32[2]"):\n    return x'


def test_a_long_argument_ends_in_an_ellipsis(capsys):
    graph = tracelab.trace_graph(lambda x: x.view([1] * 30), torch.ones(1))[0]
    graph.print_tabular()
    row = capsys.readouterr().out.splitlines()[3]
    assert "x, [1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, 1, … 30 it…" in row
