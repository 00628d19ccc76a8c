"""torch's classes of symbolic numbers are replaced from the first number of a recording to its end."""

from __future__ import annotations

import threading

import pytest
import torch

import tracelab
from support.printed_graphs import kinds
from tracelab.capture.patches.registry import patched

X = torch.ones(2, 3)


def replaced():
    """What is replaced of these classes now."""
    return [name for name in patched.verify() if name.startswith("Sym")]


def trace(function):
    return tracelab.trace(function, X, check_trace=False)


def test_a_recording_without_numbers_leaves_them():
    found = []
    trace(lambda x: (x + 1, found.append(replaced()))[0])
    assert found == [[]]


def test_the_first_number_finds_them_replaced():
    found = []

    def code(x):
        found.append(replaced())
        rows = x.shape[0]
        found.append(replaced())
        return x.view(rows, -1)

    trace(code)
    assert not found[0]
    assert {"SymInt.__divmod__", "SymFloat.__format__", "SymBool.__hash__", "SymInt.__class__"} <= set(found[1])


def test_a_number_that_is_read_from_a_tensor_finds_them_replaced():
    traced = trace(lambda x: x * divmod(x.sum().item(), 4)[1])
    assert float(traced(X * 3)[0, 0]) == 3 * (18 % 4)


@pytest.mark.parametrize("error", [None, ValueError, KeyboardInterrupt, SystemExit])
def test_they_are_put_back_whatever_ends_it(error):
    before = [dict(vars(owner)) for owner in (torch.SymInt, torch.SymFloat, torch.SymBool)]

    def code(x):
        rows = x.shape[0]
        if error is not None:
            raise error
        return x.view(rows, -1)

    if error is None:
        trace(code)
    else:
        with pytest.raises((error, tracelab.TraceError)):
            trace(code)
    assert [dict(vars(owner)) for owner in (torch.SymInt, torch.SymFloat, torch.SymBool)] == before
    assert patched.verify() == []


def test_they_stay_while_another_thread_has_numbers():
    made, go_on = threading.Event(), threading.Event()
    found = []

    def waits(x):
        rows = x.shape[0]
        made.set()
        go_on.wait(30)
        return x.view(divmod(rows, 1)[0], -1)

    thread = threading.Thread(target=lambda: found.append(trace(waits)))
    thread.start()
    assert made.wait(30)
    trace(lambda x: x + 1)
    assert replaced()
    go_on.set()
    thread.join()
    assert not replaced()
    assert "floordiv" in kinds(found[0].graph)


def test_a_number_that_outlives_its_recording_replaces_nothing():
    kept = []

    def code(x):
        kept.append([x.shape[0]])
        return x + 1

    trace(code)
    assert kept[0][0] * 2 + 1 == 5
    assert patched.verify() == []


def test_a_number_that_is_made_when_the_recording_is_over_replaces_nothing():
    kept = []

    class Keeps:
        __slots__ = ("number",)

    def code(x):
        keeps = Keeps()
        keeps.number = x.shape[0].node
        kept.append(keeps)
        return x + 1

    trace(code)
    kept[0].number.wrap_int(3)
    assert patched.verify() == []
