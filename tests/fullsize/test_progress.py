"""A long trace says how far it is, and an interrupt leaves what ran before."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import threading

import pytest
import torch
from torch import nn

import tracelab
from tracelab.capture import progress

NET = nn.Sequential(*(nn.Sequential(nn.Linear(2, 2), nn.ReLU()) for _ in range(100)))


def test_it_says_how_many_operators_ran_and_which_module_runs(monkeypatch, capsys):
    monkeypatch.setenv("TRACELAB_PROGRESS", "1")
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    monkeypatch.setattr(progress, "_INTERVAL", 0.0)
    traced = tracelab.trace(NET, torch.ones(1, 2))
    shown = capsys.readouterr().err
    assert "trace Sequential: 128 operators" in shown
    assert ", 64.0]" in shown
    assert len(traced.graph.nodes) == 200


def test_a_trace_of_less_than_a_second_is_silent(monkeypatch, capsys):
    monkeypatch.setenv("TRACELAB_PROGRESS", "1")
    tracelab.trace(NET[:3], torch.ones(1, 2))
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("asked", ["", "0"])
def test_nothing_is_shown_in_tests_unless_it_is_asked_for(monkeypatch, capsys, asked):
    monkeypatch.setenv("TRACELAB_PROGRESS", asked)
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    tracelab.trace(NET, torch.ones(1, 2))
    assert capsys.readouterr().err == ""


def test_nothing_is_shown_where_there_is_no_terminal():
    code = (
        "import torch, tracelab; from tracelab.capture import progress; progress._DELAY = 0.0; "
        "tracelab.trace(lambda x: [x := x + 1 for _ in range(200)][-1], torch.ones(2))"
    )
    left = {name: value for name, value in os.environ.items() if name != "PYTEST_CURRENT_TEST"}
    ended = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=120, env=left)
    assert (ended.returncode, ended.stderr) == (0, "")


def test_the_bar_is_no_part_of_the_trace(monkeypatch):
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    plain = str(tracelab.trace(NET, torch.ones(1, 2)).graph)
    monkeypatch.setenv("TRACELAB_PROGRESS", "1")
    assert str(tracelab.trace(NET, torch.ones(1, 2)).graph) == plain


def test_a_bar_that_cannot_be_shown_ends_no_trace(monkeypatch):
    class Gone:
        encoding = "utf-8"

        def write(self, text):
            raise OSError("gone")

        def flush(self):
            raise OSError("gone")

    monkeypatch.setenv("TRACELAB_PROGRESS", "1")
    monkeypatch.setattr(progress, "_DELAY", 0.0)
    monkeypatch.setattr(sys, "stderr", Gone())
    assert len(tracelab.trace(NET, torch.ones(1, 2)).graph.nodes) == 200


@pytest.fixture
def interrupts():
    """Python's own handler, where whoever started the tests has interrupts ignored."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


def test_an_interrupt_leaves_the_partial_graph(interrupts):
    def function(x):
        for number in range(100_000):
            x = x + 1
            if number == 10:
                signal.raise_signal(signal.SIGINT)
        return x

    with pytest.raises(KeyboardInterrupt) as caught:
        tracelab.trace(function, torch.ones(2))
    graph = tracelab.last_failure()
    assert 11 <= len(graph.nodes) <= 12
    assert {node.kind for node in graph.nodes} == {"aten::add"}
    assert caught.value.__notes__ == [
        "the trace was interrupted; tracelab.last_failure() is the graph of what ran before"
    ]
    assert tracelab.trace(torch.relu, torch.ones(2)).graph.nodes[0].kind == "aten::relu"


INTERRUPTED = """
import signal, torch, tracelab

signal.signal(signal.SIGINT, signal.default_int_handler)

def function(x):
    for number in range(3_000_000):
        x = x + 1
        if number == 20:
            print("begun", flush=True)
    return x

try:
    tracelab.trace(function, torch.ones(2))
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    print("interrupted", len(tracelab.last_failure().nodes) > 10)
"""


def test_an_interrupt_from_outside_leaves_the_partial_graph():
    process = subprocess.Popen([sys.executable, "-c", INTERRUPTED], stdout=subprocess.PIPE, text=True)
    with process:
        assert process.stdout.readline() == "begun\n"
        said = ""
        for wait in (0.3, *[2] * 20):
            # Python loses an interrupt that comes as it collects garbage: a person presses again.
            threading.Event().wait(wait)
            process.send_signal(signal.SIGINT)
            try:
                said, _ = process.communicate(timeout=1)
                break
            except subprocess.TimeoutExpired:
                continue
        process.kill()
    assert said == "interrupted True\n"
