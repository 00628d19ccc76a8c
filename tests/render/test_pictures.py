"""DOT and SVG: bounded, deterministic, and literal about names."""

from __future__ import annotations

import re
from xml.etree import ElementTree

import pytest
import torch
from torch import nn

import tracelab
from support.source_text import define
from tracelab.demo.gpt import GPT
from tracelab.render import dot_source, svg

HOSTILE = [
    "<script>alert(1)</script>",
    "</svg><img src=x onerror=alert(1)>",
    '"]; evil [label="',
    "\\",
    "\\N \\G \\l",
    "a\nb\x00\x1b[31m",
    "<b>bold</b>",
    "half \ud800 pair",
    "n" * 100_000,
    "&amp; &#x3c;",
    "\u202e\u2028",
]


def graph_of(function, *args):
    return tracelab.trace_graph(function, args, strict=False)[0]


def chain(x):
    for step in range(1000):
        x = x * step
    return x


def boxes(dot):
    """The names of the boxes for operators and modules."""
    return re.findall(r"^\s*(n\d+) \[label=", dot, flags=re.MULTILINE)


def with_names(name):
    """A small graph in which a value, a scope and its class have this name."""
    graph = graph_of(nn.Sequential(nn.Linear(2, 2)), torch.ones(1, 2))
    graph.inputs[0].name = name
    for scope in graph.scopes():
        if scope.parent is not None:
            scope.class_name = name
    return graph


def texts(picture):
    """What a person reads in an SVG."""
    return "\n".join(ElementTree.fromstring(picture).itertext())


# What is drawn -----------------------------------------------------------------------------------------------


def test_a_small_graph_is_drawn_op_by_op():
    def small(x, y):
        z = x + y
        return z * 2

    lines = [line.strip() for line in dot_source(graph_of(small, torch.ones(2), torch.ones(2))).splitlines()]
    assert [re.sub(" color=.*", "", line) for line in lines[4:-1]] == [
        r'i0 [label="x\nfloat32[2]"',
        r'i1 [label="y\nfloat32[2]"',
        r'n0 [label="add\nfloat32[2]"',
        r'n1 [label="mul\nfloat32[2]"',
        r'o0 [label="mul\nfloat32[2]"',
        "i0 -> n0",
        "i1 -> n0",
        "n0 -> n1",
        "n1 -> o0",
    ]


def test_a_small_module_is_one_box():
    dot = dot_source(graph_of(nn.Sequential(nn.Linear(2, 2), nn.ReLU()), torch.ones(1, 2)))
    assert re.findall(r'label="(\d  \w+)', dot) == ["0  Linear", "1  ReLU"]


def test_arithmetic_on_sizes_is_left_out():
    dot = dot_source(graph_of(lambda x: x.view(x.shape[0] * 2, -1), torch.ones(2, 4)))
    assert re.findall(r'label="(\w+)\\n', dot) == ["x", "view", "view"]


def test_a_use_after_an_in_place_operator_is_drawn_behind_it():
    def bumped(x):
        y = x * 2
        y.add_(1)
        return y.exp()

    assert re.findall(r"\w+ -> \w+", dot_source(graph_of(bumped, torch.ones(2)))) == [
        "i0 -> n0",
        "n0 -> n1",
        "n1 -> n2",
        "n2 -> o0",
    ]


def test_the_node_that_raised_is_drawn_as_failed():
    with pytest.raises(tracelab.TraceError) as caught:
        graph_of(lambda x: (x + 1) @ torch.ones(7), torch.ones(2, 3))
    assert r"matmul\nfailed" in dot_source(caught.value.graph)


def test_many_inputs_are_told_by_their_number():
    dot = dot_source(graph_of(lambda xs: torch.cat(xs), [torch.ones(1)] * 30))
    assert "… 22 more inputs" in dot


def test_an_empty_graph_is_drawn():
    graph = graph_of(lambda: ())
    assert boxes(dot_source(graph)) == []
    assert ElementTree.fromstring(svg(graph)).tag.endswith("svg")


def test_a_function_that_gives_back_its_input_is_drawn():
    assert "i0 -> o0" in dot_source(graph_of(lambda x: x, torch.ones(2)))


# Bounded -----------------------------------------------------------------------------------------------------


def test_twelve_transformer_blocks_are_at_most_sixty_boxes():
    graph = graph_of(GPT(layers=12).eval(), torch.zeros(1, 8, dtype=torch.int64))
    assert 10 <= len(boxes(dot_source(graph))) <= 60


def test_a_chain_of_a_thousand_ops_is_at_most_sixty_boxes():
    assert 1 <= len(boxes(dot_source(graph_of(chain, torch.ones(2))))) <= 60


@pytest.mark.parametrize("most", [1, 2, 7, 20])
def test_the_number_of_boxes_can_be_chosen(most):
    graph = graph_of(GPT(layers=3).eval(), torch.zeros(1, 8, dtype=torch.int64))
    assert 1 <= len(boxes(dot_source(graph, max_boxes=most))) <= most


def test_alternating_ops_and_modules_are_bounded():
    class Alternating(nn.Module):
        def __init__(self):
            super().__init__()
            self.parts = nn.ModuleList(nn.Linear(2, 2) if i % 2 else nn.ReLU() for i in range(200))

        def forward(self, x):
            for part in self.parts:
                x = part(x) + 1
            return x

    assert 1 <= len(boxes(dot_source(graph_of(Alternating(), torch.ones(1, 2))))) <= 60


def test_modules_far_down_are_bounded():
    model = nn.Sequential(nn.ReLU(), nn.ReLU())
    for _ in range(60):
        model = nn.Sequential(model, nn.ReLU())
    assert 1 <= len(boxes(dot_source(graph_of(model, torch.ones(2))))) <= 60


def test_every_box_that_an_edge_names_is_drawn():
    dot = dot_source(graph_of(GPT(layers=12).eval(), torch.zeros(1, 8, dtype=torch.int64)))
    ends = {end for edge in re.findall(r"(\w+) -> (\w+)", dot) for end in edge}
    assert ends <= set(re.findall(r"^\s*(\w+) \[label=", dot, flags=re.MULTILINE))


# SVG ---------------------------------------------------------------------------------------------------------


def test_the_same_trace_gives_the_same_picture():
    model, x = GPT(layers=2).eval(), torch.zeros(1, 8, dtype=torch.int64)
    assert svg(graph_of(model, x)) == svg(graph_of(model, x))


def test_a_picture_is_well_formed_and_has_the_names():
    text = texts(svg(graph_of(nn.Sequential(nn.Linear(2, 2)), torch.ones(1, 2))))
    assert "0  Linear" in text.replace("\N{NO-BREAK SPACE}", " ")
    assert "float32[1, 2]" in text


def test_a_picture_has_no_version_or_type_declaration():
    picture = svg(graph_of(torch.relu, torch.ones(2)))
    assert picture.startswith("<svg ")
    assert "<!" not in picture


def test_a_picture_shrinks_on_a_small_page():
    assert "max-width:100%" in svg(graph_of(torch.relu, torch.ones(2))).partition(">")[0]


def test_no_path_is_in_a_picture(tmp_path):
    function = define("def f(x):\n    return x + 1\n", "f", str(tmp_path / "code.py"))
    assert str(tmp_path) not in svg(graph_of(function, torch.ones(2)))


@pytest.mark.parametrize("name", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_names_are_drawn_as_text(name):
    picture = svg(with_names(name))
    tags = {element.tag.rpartition("}")[2] for element in ElementTree.fromstring(picture).iter()}
    assert tags <= {"svg", "g", "title", "text", "polygon", "path", "polyline", "ellipse", "a", "tspan"}
    assert "<script" not in picture.lower()


@pytest.mark.parametrize("name", ["<script>alert(1)</script>", '"]; evil [label="', "\\N \\G \\l", "&amp; &#x3c;"])
def test_names_are_literal_in_a_picture(name):
    assert name in texts(svg(with_names(name))).replace("\N{NO-BREAK SPACE}", " ").replace("\u200b", "")


def test_a_long_name_is_cut():
    assert "n" * 61 not in svg(with_names("n" * 1000))
