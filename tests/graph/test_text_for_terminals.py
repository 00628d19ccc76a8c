"""What is printed of a graph steers no terminal, whatever names stand in it."""

from __future__ import annotations

import torch

import tracelab


def test_a_printed_graph_shows_the_letters_that_would_steer_a_terminal():
    graph = tracelab.trace(lambda x: x + 1, torch.ones(1)).graph
    graph.nodes[-1].outputs[0].name = "\x1b]0;title\x07red\u202e"
    assert "%\\x1b]0;title\\x07red\\u202e" in str(graph)
    assert all(line.isprintable() for line in str(graph).split("\n"))


def test_letters_of_any_language_stay():
    graph = tracelab.trace(lambda x: x + 1, torch.ones(1)).graph
    graph.nodes[-1].outputs[0].name = "größe_大"
    assert "%größe_大" in str(graph)
