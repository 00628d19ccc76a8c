"""A replay has the gradient mode that the code had at each step, however the code set it."""

from __future__ import annotations

import pytest
import torch

import tracelab
from tracelab.graph import Graph


def set_inside_no_grad(x):
    with torch.no_grad():
        torch.set_grad_enabled(True)
        inside = x * 2
    return inside, x * 3


def set_twice_inside_no_grad(x):
    with torch.no_grad():
        torch.set_grad_enabled(True)
        torch.set_grad_enabled(False)
        inside = x * 2
    return inside, x * 3


def set_inside_two_regions(x):
    with torch.no_grad():
        with torch.enable_grad():
            torch.set_grad_enabled(False)
            inner = x * 2
        outer = x * 3
    return inner, outer, x * 4


def set_inside_autocast(x):
    with torch.no_grad():
        with torch.autocast("cpu", dtype=torch.bfloat16):
            torch.set_grad_enabled(True)
            inside = x * 2
        behind = x * 3
    return inside, behind, x * 4


def set_before_a_region(x):
    torch.set_grad_enabled(False)
    before = x * 2
    with torch.enable_grad():
        inside = x * 3
    behind = x * 4
    torch.set_grad_enabled(True)
    return before, inside, behind, x * 5


def set_by_the_function_itself(x):
    torch._C._set_grad_enabled(False)
    off = x * 2
    torch._C._set_grad_enabled(True)
    return off, x * 3


def decorated(x):
    @torch.set_grad_enabled(False)
    def double(x):
        return x * 2

    before = x * 3
    return before, double(x), x * 4


def decorated_again(x):
    @torch.no_grad()
    def double(x):
        return x * 2

    return double(x), x * 3, double(x)


def entered_later_than_made(x):
    region = torch.set_grad_enabled(False)
    off = x * 2
    torch.set_grad_enabled(True)
    on = x * 3
    with region:
        inside = x * 4
    return off, on, inside, x * 5


def entered_twice(x):
    region = torch.set_grad_enabled(False)
    with region:
        first = x * 2
    between = x * 3
    with torch.no_grad():
        with region:
            second = x * 4
        behind = x * 5
    return first, between, second, behind, x * 6


def ended_by_a_generator(x):
    def parts():
        with torch.no_grad():
            yield x * 2
            yield x * 3

    made = parts()
    first = next(made)
    with torch.enable_grad():
        inside = x * 4
        second = next(made)
        assert next(made, None) is None
        behind = x * 5
    torch.set_grad_enabled(True)
    return first, inside, second, behind, x * 6


def ended_inside_autocast(x):
    def parts():
        with torch.no_grad():
            yield x * 2

    made = parts()
    first = next(made)
    with torch.autocast("cpu", dtype=torch.bfloat16):
        assert next(made, None) is None
        inside = x * 3
    return first, inside, x * 4


def left_by_an_error(x):
    try:
        with torch.no_grad():
            torch.set_grad_enabled(True)
            raise KeyError
    except KeyError:
        return (x * 2,)


def in_a_loop(x):
    made = []
    for enabled in (True, False, True):
        with torch.set_grad_enabled(enabled):
            made.append(x * 2)
        torch.set_grad_enabled(not enabled)
        made.append(x * 3)
    return tuple(made)


FUNCTIONS = [
    set_inside_no_grad,
    set_twice_inside_no_grad,
    set_inside_two_regions,
    set_inside_autocast,
    set_before_a_region,
    set_by_the_function_itself,
    decorated,
    decorated_again,
    entered_later_than_made,
    entered_twice,
    ended_by_a_generator,
    ended_inside_autocast,
    left_by_an_error,
    in_a_loop,
]


def traced_with_gradients(function):
    # Some of the functions leave another mode than they found.
    with torch.set_grad_enabled(True):
        return tracelab.trace(function, torch.ones(2), check_trace=False)


def gradients_asked(function, outer):
    """Which results ask for gradients, called in a mode."""
    with torch.set_grad_enabled(outer):
        return [result.requires_grad for result in function(torch.ones(2, requires_grad=True))]


@pytest.mark.parametrize("function", FUNCTIONS)
@pytest.mark.parametrize("recorded", [True, False], ids=["recorded with gradients", "recorded without"])
def test_each_result_asks_for_gradients_as_in_python(function, recorded):
    with torch.set_grad_enabled(recorded):
        traced = traced_with_gradients(function)
    for outer in (True, False):
        assert gradients_asked(traced, outer) == gradients_asked(function, outer)


@pytest.mark.parametrize("function", FUNCTIONS)
def test_the_mode_after_a_replay_is_the_one_before(function):
    traced = traced_with_gradients(function)
    for outer in (True, False):
        with torch.set_grad_enabled(outer):
            traced(torch.ones(2))
            assert torch.is_grad_enabled() == outer


@pytest.mark.parametrize("function", FUNCTIONS)
def test_a_run_node_by_node_has_the_same_modes(function):
    traced = traced_with_gradients(function)
    run = traced.run(torch.ones(2, requires_grad=True))
    assert [item.requires_grad for item in run.outputs] == gradients_asked(function, False)


def test_a_region_ends_what_was_set_inside_of_it():
    graph: Graph = tracelab.trace_graph(set_inside_no_grad, torch.ones(2))[0]
    assert [(node.name, node.args) for node in graph.nodes if "GradMode" in node.kind] == [
        ("EnterGradMode", (False,)),
        ("EnterGradMode", (True,)),
        ("ExitGradMode", ()),
        ("ExitGradMode", ()),
    ]


def test_a_mode_that_is_left_stands_at_the_line_that_left_it():
    graph: Graph = tracelab.trace_graph(set_inside_no_grad, torch.ones(2))[0]
    lines = [node.source.text.strip() for node in graph.nodes if "GradMode" in node.kind]
    assert lines == ["with torch.no_grad():", "torch.set_grad_enabled(True)", *["with torch.no_grad():"] * 2]
