"""Recordings beside other threads and in forked processes: nobody waits for ever, and others see torch as it is."""

from __future__ import annotations

import math
import os
import pickle
import sys
import threading
import time
import warnings

import pytest
import torch
from torch.utils.data import DataLoader, TensorDataset

import tracelab
from tracelab.capture.patches.registry import patched
from tracelab.compat.dispatch import PRE_DISPATCH, PYTHON_DISPATCHER, key_included

X = torch.ones(2)


def trace(function, x=X):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        return tracelab.trace(function, x, check_trace=False)


class Tracing:
    """A context in which another thread is in the middle of a trace."""

    def __enter__(self):
        inside, self.done = threading.Event(), threading.Event()

        def waits(x):
            inside.set()
            self.done.wait(30)
            return x + 1

        self.thread = threading.Thread(target=trace, args=(waits,))
        self.thread.start()
        assert inside.wait(30)

    def __exit__(self, *error):
        self.done.set()
        self.thread.join()


def test_threads_that_trace_and_import_do_not_wait_for_each_other(tmp_path, monkeypatch):
    (tmp_path / "mod_tl_x.py").write_text("value = 1")
    (tmp_path / "mod_tl_y.py").write_text("import time; time.sleep(0.4); import mod_tl_x")
    monkeypatch.syspath_prepend(str(tmp_path))

    def first(x):
        import mod_tl_y  # noqa: F401

        return x + 1

    def second(x):
        time.sleep(0.2)
        import mod_tl_x

        return x + mod_tl_x.value

    threads = [threading.Thread(target=trace, args=(function,), daemon=True) for function in (first, second)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join(20)
    assert not any(thread.is_alive() for thread in threads)
    assert patched.verify() == []


def test_a_module_that_is_read_inside_a_trace_holds_what_torch_holds(tmp_path, monkeypatch):
    (tmp_path / "mod_tl_z.py").write_text(
        "from math import sqrt\nfrom torch.overrides import has_torch_function\nfrom torch import ceil\nsmaller = min\n"
    )
    monkeypatch.syspath_prepend(str(tmp_path))
    before = (math.sqrt, torch.overrides.has_torch_function, torch.ceil, min)

    def reads(x):
        import mod_tl_z

        return x + mod_tl_z.sqrt(4)

    trace(reads)
    module = sys.modules["mod_tl_z"]
    assert (module.sqrt, module.has_torch_function, module.ceil, module.smaller) == before


@pytest.mark.parametrize(
    "item", [math.sqrt, math.floor, torch.autograd.grad, torch.random.manual_seed, torch.func.jacrev]
)
def test_what_others_see_is_the_same_object_and_can_be_pickled(item):
    with Tracing():
        assert pickle.loads(pickle.dumps(item)) is item


def test_others_see_functions_and_classes_as_they_are():
    before = (math.sqrt, torch.Generator, torch.nn.Module.__call__)
    with Tracing():
        assert before == (math.sqrt, torch.Generator, torch.nn.Module.__call__)
        assert type(torch.Generator()) is torch.Generator
        assert math.sqrt(4.0) == 2.0
        assert min(3, 2) == 2
        assert pickle.loads(pickle.dumps(min))(3, 2) == 2


def test_others_compute_as_always():
    net = torch.nn.Linear(2, 2)
    wanted = net(X)
    with Tracing():
        assert torch.equal(net(X), wanted)
        assert torch.autograd.grad(net(X).sum(), net.weight)[0].shape == (2, 2)
        assert type(X.shape[0]) is int


def test_a_loader_with_workers_runs_inside():
    def f(x):
        for (batch,) in DataLoader(TensorDataset(torch.arange(4.0)), batch_size=2, num_workers=2):
            x = x + batch
        return x

    traced = trace(f)
    assert torch.equal(traced(X), f(X))


def clean_child(code=lambda: True):
    """Fork; whether the child is clean, can run torch, and can trace."""
    child = os.fork()
    if child == 0:
        try:
            good = (
                code()
                and not tracelab.is_tracing()
                and patched.verify() == []
                and not any(map(key_included, (PRE_DISPATCH, PYTHON_DISPATCHER)))
                and type(X.shape[0]) is int
                and (X + 1).tolist() == [2, 2]
                and trace(lambda x: x * 2)(X).tolist() == [2, 2]
            )
        except BaseException:
            good = False
        os._exit(0 if good else 1)
    return os.waitpid(child, 0)[1] == 0


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_of_a_recording_records_nothing():
    found = []

    def forks(x):
        y = x + 1
        found.append(clean_child())
        return y * 2

    traced = trace(forks)
    assert found == [True]
    assert [node.name for node in traced.graph.nodes] == ["add", "mul"]


@pytest.mark.skipif(not hasattr(os, "fork"), reason="there is no fork")
def test_a_child_that_is_forked_while_another_thread_traces_is_clean():
    with Tracing():
        assert clean_child()


def test_eight_threads_trace_beside_plain_work():
    faults = []
    stop = threading.Event()
    net = torch.nn.Linear(3, 3)
    x = torch.ones(2, 3)
    wanted = net(x)

    def traces(number):
        try:
            for round_ in range(12):
                size = 2 + (number + round_) % 3
                traced = trace(lambda x: net(x) * min(x.shape[0], 3) / math.sqrt(x.shape[1]), torch.ones(size, 3))
                assert torch.equal(traced(x), wanted * 2 / math.sqrt(3))
        except BaseException as error:
            faults.append(error)

    def works():
        try:
            while not stop.is_set():
                assert torch.equal(net(x), wanted)
                assert math.sqrt(9.0) == 3.0
        except BaseException as error:
            faults.append(error)

    plain = threading.Thread(target=works)
    plain.start()
    threads = [threading.Thread(target=traces, args=(number,)) for number in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    stop.set()
    plain.join()
    assert faults == []
    assert patched.verify() == []
