"""Many inputs: drawn as they are needed, on any executor; a lost worker costs only its own inputs again."""

from __future__ import annotations

import gc
import multiprocessing
import threading
import time
import warnings
import weakref
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor

import pytest
import torch

import tracelab
from support.examples import functions_with_faults as subjects
from tracelab.check import checking
from tracelab.check.parallel import flow as many


def traced(function, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, inputs)


@pytest.fixture
def impatient(monkeypatch):
    """A pool of processes after the first input, as after ten seconds."""
    monkeypatch.setattr(many, "_PATIENCE", 0.0)
    monkeypatch.setattr(checking, "_FEW", 4)


class Counted:
    """A thousand inputs, of which it counts how many are alive."""

    def __init__(self, count):
        self.count = count
        self.alive = weakref.WeakSet()
        self.most = 0

    def __iter__(self):
        for number in range(self.count):
            tensor = torch.full((4,), float(number % 100 - 50))
            self.alive.add(tensor)
            self.most = max(self.most, len(self.alive))
            yield tensor
            del tensor


def test_a_thousand_inputs_are_not_in_memory_together(monkeypatch):
    # On a busy machine a pool of processes would take over, which takes more at a time.
    monkeypatch.setattr(many, "_PATIENCE", 600.0)
    inputs = Counted(1000)
    # What other tests left in circles delays Python in freeing what is made here.
    gc.collect()
    report = traced(subjects.branch, torch.ones(4)).check(inputs=inputs, progress=False)
    gc.collect()
    assert (report.tried, report.wrong) == (1000, 500)
    assert inputs.most <= 40
    assert len(report.worst) == 5


def test_an_executor_gets_few_at_a_time():
    inputs = Counted(1000)
    with ThreadPoolExecutor(2) as executor:
        report = traced(subjects.branch, torch.ones(4)).check(inputs, executor, progress=False)
    assert report.tried == 1000
    assert inputs.most <= 100


class SlowAtFirst(ThreadPoolExecutor):
    """An executor whose first piece of work ends after the others."""

    def submit(self, function, /, *args, **kwargs):
        def late():
            time.sleep(0.5)
            return function(*args, **kwargs)

        first = not getattr(self, "begun", False)
        self.begun = True
        return super().submit(late) if first else super().submit(function, *args, **kwargs)


def test_findings_are_in_the_order_of_the_inputs_whichever_worker_is_faster():
    inputs = (torch.full((2,), float(number - 50)) for number in range(100))
    with SlowAtFirst(4) as executor:
        report = traced(subjects.branch, torch.ones(2)).check(inputs, executor, progress=False)
    assert (report.tried, report.wrong) == (100, 50)
    assert str(report.findings[0].input) == "check input 1"


def test_threads_do_not_mix_up_random_state():
    def noisy(x):
        return x + torch.rand(3)

    with ThreadPoolExecutor(4) as executor:
        report = traced(noisy, torch.ones(3)).check(
            (torch.ones(3) for _ in range(200)), executor, allow={"nondeterminism"}, progress=False
        )
    assert report.ok


@pytest.mark.nightly
@pytest.mark.slow
def test_a_process_pool_of_the_caller():
    with ProcessPoolExecutor(2, multiprocessing.get_context("spawn")) as executor:
        inputs = [torch.full((2,), float(number - 50)) for number in range(100)]
        report = traced(subjects.branch, torch.ones(2)).check(inputs, executor, progress=False)
    assert (report.tried, report.wrong) == (100, 50)


@pytest.mark.slow
def test_a_pool_of_our_own_takes_over(impatient):
    inputs = (torch.full((2,), float(number - 50)) for number in range(100))
    report = traced(subjects.branch, torch.ones(2)).check(inputs, progress=False)
    assert (report.tried, report.wrong, report.notes) == (100, 50, [])


@pytest.mark.slow
def test_a_lost_worker_costs_only_its_own_inputs_again(impatient, monkeypatch, tmp_path):
    flag = tmp_path / "died"
    monkeypatch.setenv("TRACELAB_TEST_FLAG", str(flag))
    trace = traced(subjects.dies_once, torch.ones(1))
    flag.with_suffix(".log").unlink()
    report = trace.check((torch.full((1,), float(number)) for number in range(60)), progress=False)
    assert flag.exists()
    assert report.ok
    assert report.tried == 60
    runs = Counter(int(line) for line in flag.with_suffix(".log").read_text(encoding="utf-8").split())
    assert set(range(60)) <= set(runs)
    # At most what was under way when it died ran twice.
    again = sum(1 for number in range(60) if runs[number] > 1)
    assert again <= 2 * 2 * many._CHUNK


@pytest.mark.nightly
@pytest.mark.slow
def test_a_pool_that_breaks_just_before_more_is_sent_is_begun_anew(impatient, monkeypatch):
    submit, sent = many._Pool.submit, []

    def submit_to_the_dead(pool, chunk):
        sent.append(chunk)
        if len(sent) == 3:
            for process in list(pool.executor._processes.values()):
                process.kill()
            deadline = time.monotonic() + 30
            while not pool.executor._broken and time.monotonic() < deadline:
                time.sleep(0.01)
        return submit(pool, chunk)

    monkeypatch.setattr(many._Pool, "submit", submit_to_the_dead)
    inputs = (torch.full((2,), float(number - 30)) for number in range(60))
    report = traced(subjects.branch, torch.ones(2)).check(inputs, progress=False)
    assert (report.tried, report.wrong) == (60, 30)


def test_a_function_that_cannot_be_sent_is_checked_here_and_that_is_said(impatient):
    lock = threading.Lock()

    def guarded(x):
        with lock:
            return x * 2

    report = traced(guarded, torch.ones(2)).check((torch.ones(2) for _ in range(20)), progress=False)
    assert report.tried == 20
    assert report.ok
    (note,) = report.notes
    assert note.startswith("checked in this process alone: guarded cannot be sent to another process (")


@pytest.mark.slow
def test_a_dask_cluster():
    distributed = pytest.importorskip("distributed")
    scale = 2

    def branch(x):
        return x * scale if x.sum() > 0 else -x

    trace = traced(branch, torch.ones(2))
    inputs = (torch.full((2,), float(number - 50)) for number in range(100))
    with (
        distributed.LocalCluster(n_workers=2, threads_per_worker=1, dashboard_address=None) as cluster,
        distributed.Client(cluster) as client,
    ):
        report = trace.check(inputs, client.get_executor(), progress=False)
    assert (report.tried, report.wrong) == (100, 50)
    assert str(report.findings[0].input) == "check input 1"
