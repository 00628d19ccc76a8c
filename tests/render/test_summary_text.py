"""The summary: a whole one compared literally, then what each part says."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from support.source_text import define
from tracelab.demo.gpt import GPT
from tracelab.render import summary_text
from tracelab.render.summary_table import summary_table

SMALL = """
class Net(nn.Module):
    def __init__(self):
        super().__init__()
        self.fc1 = nn.Linear(4, 8)
        self.fc2 = nn.Linear(8, 1)

    def forward(self, x):
        h = torch.relu(self.fc1(x))
        if h.sum() < 1e9:
            h = h * 2
        return self.fc2(h)
"""


def graph_of(function, *args):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace_graph(function, args, strict=False)[0]


def test_the_summary_of_a_small_module():
    text = summary_text(graph_of(define(SMALL, "Net")(), torch.ones(2, 4)))
    head, _, warning = text.partition("9: if h.sum() < 1e9:")
    assert head == (
        "Net: 6 ops, 49 parameters (196 B), 1 warning\n"
        "inputs\n"
        "  x  float32[2, 4]\n"
        "outputs\n"
        "  linear.1  float32[2, 1]\n"
        "ops by module\n"
        "  6  Net\n"
        "  1    fc1  Linear\n"
        "  1    fc2  Linear\n"
        "warnings\n"
        "  <code>, line "
    )
    assert " ".join(warning.split()) == (
        "Converting a tensor to a Python boolean (True) might cause the trace to be incorrect: the branch "
        "taken here is taken for every input. Keep it a tensor, or trace again where it differs. "
        "fix: h = torch.where(h.sum() < 1e9, h * 2, h)"
    )


def test_the_summary_of_a_function():
    assert summary_text(graph_of(torch.relu, torch.ones(2))) == (
        "relu: 1 op\ninputs\n  input_0  float32[2]\noutputs\n  relu  float32[2]"
    )


def test_the_summary_of_an_empty_graph():
    def nothing():
        return ()

    assert summary_text(graph_of(nothing)) == "nothing: 0 ops"


def test_the_failed_node_is_named_with_its_line():
    function = define("def f(x):\n    y = x + 1\n    return y @ torch.ones(7)\n", "f")
    with pytest.raises(tracelab.TraceError) as caught:
        graph_of(function, torch.ones(2, 3))
    assert summary_text(caught.value.graph).splitlines()[-1] == "failed at aten::matmul, <code>, line 3"


def test_equal_modules_in_a_row_are_one_line():
    lines = summary_text(graph_of(nn.Sequential(*[nn.ReLU() for _ in range(50)]), torch.ones(2))).splitlines()
    assert lines[-2:] == ["  50  Sequential", "  50    0 … 49  50 × ReLU"]


def test_a_model_of_many_blocks_fits_on_a_page():
    text = summary_text(graph_of(GPT(layers=12), torch.zeros(1, 8, dtype=torch.int64)))
    assert len(text.splitlines()) <= 30
    assert "blocks.0 … blocks.11  12 × Block" in text


def test_many_inputs_are_told_by_their_number():
    text = summary_text(graph_of(lambda xs: torch.cat(xs), [torch.ones(1)] * 30))
    assert "\n  … 22 more\n" in text


def test_many_warnings_are_told_by_their_number():
    lines = "".join(f"    x = x + bool(x[{index}])\n" for index in range(20))
    branching = define(f"def f(x):\n{lines}    return x\n", "f")
    assert summary_text(graph_of(branching, torch.ones(20))).splitlines()[-1] == "  … 12 more"


def test_sizes_are_told_in_binary_units():
    text = summary_text(graph_of(nn.Linear(512, 512), torch.ones(1, 512)))
    assert text.splitlines()[0] == "Linear: 1 op, 262,656 parameters (1.0 MiB)"


def test_a_parameter_used_twice_is_counted_once():
    class Tied(nn.Module):
        def __init__(self):
            super().__init__()
            self.a = nn.Linear(2, 2, bias=False)
            self.b = nn.Linear(2, 2, bias=False)
            self.b.weight = self.a.weight

        def forward(self, x):
            return self.b(self.a(x))

    assert summary_text(graph_of(Tied(), torch.ones(1, 2))).splitlines()[0] == "Tied: 2 ops, 4 parameters (16 B)"


def test_no_line_has_blanks_at_its_end():
    text = summary_text(graph_of(define(SMALL, "Net")(), torch.ones(2, 4)))
    assert all(line == line.rstrip() for line in text.splitlines())


def test_a_line_that_froze_often_is_one_warning():
    def branching(x):
        for limit in range(20):
            if x.sum() > -limit:
                x = x + 1
        return x

    assert ", 1 warning" in summary_text(graph_of(branching, torch.ones(1))).splitlines()[0]


def test_control_characters_in_names_do_not_reach_the_terminal():
    model = nn.Sequential()
    model.add_module("a\nb\x1b[31m", nn.ReLU())
    assert summary_text(graph_of(model, torch.ones(2))).splitlines()[-1] == "  1    a\ufffdb\ufffd[31m  ReLU"


def test_a_name_of_a_million_characters_is_cut():
    model = nn.Sequential()
    model.add_module("n" * 1_000_000, nn.ReLU())
    assert max(map(len, summary_text(graph_of(model, torch.ones(2))).splitlines())) == 300


class AskingBlock(nn.Module):
    """The first of several asks once for the size that all of them use."""

    def __init__(self, sizes):
        super().__init__()
        self.sizes = sizes
        self.inner = nn.Linear(4, 4)

    def forward(self, x):
        if not self.sizes:
            self.sizes.append(x.size(0))
        return self.inner(x).view(self.sizes[0], 4).relu()


def asking_once():
    sizes: list = []
    return graph_of(nn.Sequential(*[AskingBlock(sizes) for _ in range(4)]), torch.ones(2, 4))


def test_blocks_are_one_row_where_the_first_asked_for_what_all_of_them_use():
    graph = asking_once()
    counts = [sum(node.scope is not None and node.scope.path == str(at) for node in graph.nodes) for at in range(4)]
    assert counts[0] == counts[1] + 1
    assert "0 … 3  4 × AskingBlock, each" in summary_text(graph)
    assert "0 … 3 (4 ×)" in summary_table(graph, depth=1)
