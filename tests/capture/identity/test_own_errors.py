"""An error of the user's leaves a trace as what it is, with a note and the graph of what ran before."""

from __future__ import annotations

import pickle

import pytest
import torch

import tracelab


class Refused(Exception):
    def __init__(self, code, *, hint):
        super().__init__(code)
        self.hint = hint


def looks_up(x):
    y = x + 1
    return {}[y.dim()]


def test_it_is_caught_by_its_own_class():
    with pytest.raises(KeyError) as caught:
        tracelab.trace(looks_up, torch.ones(2))
    assert caught.value.args == (1,)


def test_it_is_caught_as_an_error_of_a_trace():
    with pytest.raises(tracelab.TraceError, match="the traced code raised KeyError: 1") as caught:
        tracelab.trace(looks_up, torch.ones(2))
    assert type(caught.value.__cause__) is KeyError


@pytest.mark.parametrize("kind", [StopIteration, OSError, ImportError, ZeroDivisionError, AttributeError, MemoryError])
def test_errors_of_python_keep_their_class(kind):
    def raises(x):
        raise kind("mine")

    with pytest.raises(kind):
        tracelab.trace(raises, torch.ones(2))


def test_an_error_of_a_class_of_the_user_s_keeps_its_attributes():
    def raises(x):
        raise Refused(3, hint="less")

    with pytest.raises(Refused) as caught:
        tracelab.trace(raises, torch.ones(2))
    assert (caught.value.args, caught.value.hint) == ((3,), "less")


def test_the_message_names_the_operator_and_the_line_and_a_note_the_way_to_the_graph():
    with pytest.raises(RuntimeError) as caught:
        tracelab.trace(lambda x: x @ torch.ones(7, 7), torch.ones(2, 3))
    assert "the traced code raised RuntimeError at test_own_errors.py:56: `matmul` needs" in str(caught.value)
    assert caught.value.__notes__ == ["tracelab.last_failure() is the graph of what ran before"]


def test_the_partial_graph_can_be_asked_for():
    with pytest.raises(KeyError):
        tracelab.trace(looks_up, torch.ones(2))
    graph = tracelab.last_failure()
    assert [node.name for node in graph.nodes] == ["add"]


def test_it_is_pickled_as_what_it_is():
    with pytest.raises(KeyError) as caught:
        tracelab.trace(looks_up, torch.ones(2))
    again = pickle.loads(pickle.dumps(caught.value))
    assert isinstance(again, KeyError)
    assert isinstance(again, tracelab.TraceError)
    assert (type(again).__name__, again.args, str(again)) == ("KeyError", (1,), str(caught.value))
    assert again.__notes__ == caught.value.__notes__
    assert [node.name for node in again.graph.nodes] == ["add"]
