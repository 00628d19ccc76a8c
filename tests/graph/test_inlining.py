"""The operators of a script function stand in the place of its call, or the call stays as it is."""

from __future__ import annotations

import warnings

import pytest
import torch

import tracelab
from support.observed_calls import changed_by
from tracelab.graph import Graph, passes

with warnings.catch_warnings():
    # `torch.jit.script` is deprecated in newer versions of torch.
    warnings.simplefilter("ignore")

    @torch.jit.script
    def writes(x):
        y = x.view(-1)
        y.mul_(2)
        return y + 1

    @torch.jit.script
    def gives_back(x):
        return x

    @torch.jit.script
    def random(x):
        return torch.dropout(x, 0.5, True) + torch.rand_like(x)

    @torch.jit.script
    def numbers(x, n: int):
        return x * (n + 1) + x.size(0)

    @torch.jit.script
    def other_dtype(x):
        return x.to(torch.float64).clone(memory_format=torch.contiguous_format) + torch.zeros([2], dtype=torch.int32)

    @torch.jit.script
    def two_results_of_one(x):
        largest, _ = torch.max(x, 0)
        return largest * 2

    @torch.jit.script
    def constant(x):
        return torch.full([2], 1.5) * x + torch.ones_like(x)

    @torch.jit.script
    def appends(x):
        parts = [x]
        parts.append(x * 2)
        return torch.stack(parts)

    @torch.jit.script
    def looks_into_a_list(x):
        return x * x.shape[0]

    @torch.jit.script
    def splits(x):
        first, second = torch.split(x, 1)
        return first + second

    @torch.jit.script
    def asks_for_a_dtype(x):
        return torch.zeros([2], dtype=x.dtype) + x

    @torch.jit.script
    def makes_a_tensor_of_numbers(x):
        return torch.tensor([1.5, 2.5]) * x

    @torch.jit.script
    def prints(x):
        print("printed")
        return x * 2

    @torch.jit.script
    def checks(x):
        assert x.sum() > 0
        return x * 2

    @torch.jit.script
    def without_gradients(x):
        with torch.no_grad():
            y = x * 2
        return y + x

    @torch.jit.script
    def two_results(x):
        return x * 2, x.view(-1)


INLINED = {
    "writes": (lambda x: writes(x * 1), ["mul", "view", "mul_", "add"]),
    "gives_back": (lambda x: (gives_back(x), x), ["TupleConstruct"]),
    "random": (lambda x: random(x), ["dropout", "rand_like", "add"]),
    "numbers": (lambda x: numbers(x, 3), ["add", "mul", "size", "add"]),
    "other_dtype": (lambda x: other_dtype(x), ["to", "clone", "zeros", "add"]),
    "two_results_of_one": (lambda x: two_results_of_one(x), ["max", "mul"]),
    "constant": (lambda x: constant(x), ["full", "mul", "ones_like", "add"]),
}
CALLED = {
    "appends": lambda x: appends(x),
    "looks_into_a_list": lambda x: looks_into_a_list(x),
    "splits": lambda x: splits(x),
    "asks_for_a_dtype": lambda x: asks_for_a_dtype(x),
    "makes_a_tensor_of_numbers": lambda x: makes_a_tensor_of_numbers(x),
    "prints": lambda x: prints(x),
    "checks": lambda x: checks(x),
    "without_gradients": lambda x: without_gradients(x),
    "two_results": lambda x: two_results(x),
}


def everything(graph: Graph) -> Graph:
    return passes.canonicalize(passes.dce(passes.cse(passes.fold_constants(passes.inline(graph)))))


def graph_of(function) -> Graph:
    return tracelab.trace_graph(function, torch.ones(2), strict=False)[0]


@pytest.mark.parametrize("name", INLINED)
def test_its_operators_stand_in_the_place_of_the_call(name):
    function, kinds = INLINED[name]
    assert [node.name for node in passes.inline(graph_of(function)).nodes] == kinds


@pytest.mark.parametrize("name", CALLED)
def test_what_a_graph_cannot_hold_stays_a_call(name):
    graph = passes.inline(graph_of(CALLED[name]))
    assert [node.name for node in graph.nodes if node.traits.opaque] == ["CallFunction"]


@pytest.mark.parametrize("edit", [passes.inline, everything], ids=["inline", "everything"])
@pytest.mark.parametrize("name", [*INLINED, *CALLED])
def test_the_graph_does_what_it_did(name, edit):
    function = INLINED[name][0] if name in INLINED else CALLED[name]
    assert changed_by(edit, function, torch.tensor([1.0, 2.0], requires_grad=True)) == ""


def test_two_calls_of_one_function_have_names_of_their_own():
    graph = passes.inline(graph_of(lambda x: constant(x) + constant(x)))
    names = [value.name for value in graph.values()]
    assert len(names) == len(set(names))


def test_a_warning_stays_at_its_place():
    def warned(x):
        y = constant(x)
        return y * int(y.sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = tracelab.trace_graph(warned, torch.ones(2))[0]
    assert [warning.position for warning in graph.warnings] == [2]
    passes.inline(graph)
    assert [node.name for node in graph.nodes][: graph.warnings[0].position] == [
        "full",
        "mul",
        "ones_like",
        "add",
        "sum",
    ]
