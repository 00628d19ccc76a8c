"""Ctrl-C at any instant of a trace leaves torch and the recorder as they were, and the next trace works."""

from __future__ import annotations

import contextlib
import functools
import random
import signal
import sys
import threading
import time
import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab.capture.patches.registry import patched
from tracelab.capture.session import heal
from tracelab.compat.dispatch import PRE_DISPATCH, PYTHON_DISPATCHER, key_included
from tracelab.compat.modes import function_modes

NET = nn.Sequential(nn.Linear(4, 4), nn.BatchNorm1d(4), nn.ReLU()).eval()
X = torch.ones(2, 4)

IN_THE_SUITE = 40
AT_NIGHT = 2000


def code(x):
    with torch.no_grad():
        a = NET(x)
    with torch.autocast("cpu"):
        b = NET(x)
    n = x.shape[0]
    return (a + b.float()).view(n, -1) * min(n, 7)


def state():
    """What a recording changes."""
    return {
        "replaced": patched.verify(),
        "recordings": patched.users,
        "modes": function_modes(),
        "grad mode": torch.is_grad_enabled(),
        "autocast": torch.is_autocast_enabled("cpu"),
        "blocks of autocast": (torch.autocast_increment_nesting(), torch.autocast_decrement_nesting()),
        "keys": [key_included(key) for key in (PRE_DISPATCH, PYTHON_DISPATCHER)],
        "own": tracelab.is_tracing(),
        "size": type(X.shape[0]),
    }


def run():
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(code, X, check_trace=False)


def holds(before, expected):
    assert state() == before
    assert torch.equal(code(X), expected)
    assert torch.equal(run()(X), expected)


class Interrupting:
    """A profile function that interrupts at one call boundary, or counts them."""

    def __init__(self, at=-1):
        self.at, self.passed = at, 0

    def __call__(self, frame, event, arg):
        self.passed += 1
        if self.passed == self.at:
            sys.setprofile(None)
            raise KeyboardInterrupt

    def trace(self, call=run):
        sys.setprofile(self)
        try:
            call()
        except (KeyboardInterrupt, RuntimeError):
            # An interrupt that torch's C++ swallowed is an error of the call that it came in.
            pass
        finally:
            sys.setprofile(None)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize(
    "count", [IN_THE_SUITE, pytest.param(AT_NIGHT, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_at_call_boundaries(count):
    expected = code(X)
    run()
    before = state()
    counted = Interrupting()
    counted.trace()
    for place in random.Random(0).sample(range(1, counted.passed - 20), count):
        Interrupting(place).trace()
        holds(before, expected)


TRACED = {
    "trace with a check": lambda traced: tracelab.trace(code, X),
    "check": lambda traced: traced.check(),
    "call": lambda traced: traced(X),
    "run": lambda traced: traced.run(X),
    "compare": lambda traced: tracelab.compare(traced, traced, X),
}


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("name", TRACED)
@pytest.mark.parametrize("count", [20, pytest.param(400, marks=pytest.mark.nightly)], ids=["some", "many"])
def test_at_call_boundaries_of_what_runs_a_trace(name, count):
    traced = run()
    call = functools.partial(TRACED[name], traced)
    call()
    expected, before = code(X), state()
    counted = Interrupting()
    counted.trace(call)
    places = range(1, counted.passed)
    for place in random.Random(0).sample(places, min(count, len(places))):
        Interrupting(place).trace(call)
        holds(before, expected)


@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.skipif(sys.platform == "win32", reason="signals of POSIX")
@pytest.mark.parametrize(
    "count", [IN_THE_SUITE, pytest.param(AT_NIGHT, marks=pytest.mark.nightly)], ids=["some", "many"]
)
def test_by_signals_at_random_instants(count):
    expected = code(X)
    began = time.perf_counter()
    run()
    took = time.perf_counter() - began
    before = state()
    chosen = random.Random(0)
    main = threading.get_ident()
    for _ in range(count):
        fired = threading.Event()

        wait = chosen.random() * took

        def ring(wait=wait, fired=fired):
            time.sleep(wait)
            signal.pthread_kill(main, signal.SIGINT)
            fired.set()

        try:
            thread = threading.Thread(target=ring)
            thread.start()
            while not fired.is_set():
                with contextlib.suppress(RuntimeError):
                    run()
            time.sleep(0.001)
        except KeyboardInterrupt:
            pass
        thread.join()
        holds(before, expected)


def test_what_is_left_is_healed_before_the_next_recording():
    before = state()
    for item in patched.replacements:
        item.install()
    assert patched.verify()
    heal()
    assert state() == before


def test_each_thing_that_is_replaced_is_listed_and_put_back_twice():
    before = state()
    patched.restore()
    patched.restore()
    assert state() == before
    assert {"torch.autograd.grad", "builtins.min", "math"} <= set(patched.listed())
