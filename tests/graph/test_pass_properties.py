"""Passes leave what a program does as it was, on random programs: see `support.random_programs`.

Each program runs as Python, as the replay of its trace, and as the replay after each pass and after chains of passes.
All runs agree in values, dtypes, gradients, aliasing between results, inputs, parameters and buffers, in what those
hold afterwards, and in the random state. A program that fails is printed as small as it gets.
"""

from __future__ import annotations

import math
import random
import warnings
from collections import Counter
from collections.abc import Callable

import pytest
import torch

from support.observed_calls import difference
from support.random_programs import FEATURES, TEMPLATES, Program, Traced, module_of, observed, programs, shrunk
from tracelab.graph import Graph, passes
from tracelab.graph.ir import TensorType, map_values

ALL = 2_000
"""How many programs there are."""
DAILY = 120
"""How many of them a plain run takes: those at the beginning."""
A_PART = 100
"""How many run in one test."""

Edit = Callable[[Graph], Graph]


def with_known_sizes(graph: Graph) -> Graph:
    """The same graph with the recorded sizes written down, so that there is arithmetic to fold."""
    known = {}
    for node in graph.nodes:
        given = node.args[0].type if node.kind in ("aten::size", "aten::numel") else None
        if isinstance(given, TensorType):
            size = given.shape[node.args[1]] if node.kind == "aten::size" else math.prod(given.shape)
            known[node.output] = size
    for node in graph.nodes:
        node.args = map_values(node.args, lambda value: known.get(value, value))
        node.kwargs = map_values(node.kwargs, lambda value: known.get(value, value))
    return graph


def folded(graph: Graph) -> Graph:
    return passes.fold_constants(with_known_sizes(graph))


PASSES: dict[str, Edit] = {
    "dce": passes.dce,
    "cse": passes.cse,
    "fold_constants": folded,
    "canonicalize": passes.canonicalize,
    "inline": passes.inline,
}


def edits_of(seed: int) -> dict[str, Edit]:
    """Nothing at all, each pass, what `graph_for` does, and a chain of passes that depends on the seed."""
    names = random.Random(seed).choices(list(PASSES), k=6)

    def chain(graph: Graph) -> Graph:
        for name in names:
            graph = PASSES[name](graph)
        return graph

    return {
        "copy": lambda graph: graph,
        **PASSES,
        "dce, cse": lambda graph: passes.cse(passes.dce(graph)),
        ", ".join(names): chain,
    }


def failure(program: Program, grad: bool) -> str:
    """What one edit of the program's graph does otherwise than Python; empty where none does."""
    wanted = observed(module_of(program), grad)
    traced = Traced(program)
    before = str(traced.graph)
    for name, edit in edits_of(program.seed).items():
        problem = difference(observed(traced.replay(edit), grad), wanted)
        if problem:
            return f"after {name}: {problem}"
    return "" if str(traced.graph) == before else "an edit of a copy changed the original"


def fails(program: Program, grad: bool) -> bool:
    try:
        return bool(failure(program, grad))
    except Exception:
        return True


def check(first: int, last: int) -> None:
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for program in programs(range(first, last)):
            # One in four runs with gradients off, where a replay takes another path.
            grad = program.seed % 4 != 0
            if fails(program, grad):
                small = shrunk(program, lambda tried, grad=grad: fails(tried, grad))
                pytest.fail(f"{failure(small, grad)}\n\n{small}\n\nof\n\n{program}")


@pytest.mark.parametrize("first", range(0, DAILY, A_PART // 5))
def test_passes_leave_a_random_program_as_it_was(first):
    check(first, first + A_PART // 5)


@pytest.mark.nightly
@pytest.mark.parametrize("first", range(DAILY, ALL, A_PART))
def test_passes_leave_every_random_program_as_it_was(first):
    check(first, min(first + A_PART, ALL))


def test_the_programs_of_a_plain_run_have_every_feature():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sum((program.features for program in programs(range(DAILY))), Counter())
    assert not [feature for feature in FEATURES if not found[feature]]


@pytest.mark.nightly
def test_the_programs_have_every_form_of_line():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        found = sum((program.templates for program in programs(range(ALL))), Counter())
    assert not [template for _, template in TEMPLATES if not found[template]]


def test_a_program_is_the_same_each_time():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        once, again = (list(map(str, programs(range(3)))) for _ in range(2))
    assert once == again


def test_a_fault_is_found_and_made_small():
    """A pass that is wrong on purpose: it takes out each node that writes."""

    def careless(program: Program) -> bool:
        def edit(graph: Graph) -> None:
            graph.retain([node for node in graph.nodes if node.outputs or not node.kind.startswith("aten::_foreach")])

        return bool(difference(observed(Traced(program).replay(edit)), observed(module_of(program))))

    lines = ["v1 = b * 2", "v2 = c * 3", "torch._foreach_add_([v1, v2], 1.0)", "v3 = a.exp()"]
    program = Program(0, lines, "(v1, v3)")
    assert shrunk(program, careless).lines == [lines[0], lines[1], lines[2], lines[3]]
    assert shrunk(Program(0, lines, "(v1,)"), careless).lines == lines[:3]


def test_a_replay_is_told_from_python_by_more_than_values():
    calls = {
        "a dtype": lambda x: x.double(),
        "a gradient": lambda x: x.detach() * 1,
        "another tensor": lambda x: x.view(2),
        "other memory": lambda x: x.clone(),
        "random state": lambda x: (torch.rand(1), x)[1],
    }
    from support.observed_calls import observed_call

    x = torch.ones(2, requires_grad=True)
    wanted = observed_call(lambda x: x, [x])
    assert [name for name, call in calls.items() if not difference(observed_call(call, [x]), wanted)] == []
