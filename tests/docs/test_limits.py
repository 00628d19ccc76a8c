"""The table of honest limits is true: each row has a test here, and each test here a row."""

from __future__ import annotations

import asyncio
import itertools
import random
import re
import sys
import threading
import time
import warnings
from pathlib import Path

import numpy
import pytest
import torch

import tracelab
from tracelab.graph.assumptions import AssumptionKind

PAGE = Path(__file__).parents[2] / "docs" / "concepts" / "limits.md"
ONES = torch.ones(3)


def traced(function, *args, **options):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, *args, **options)


def test_a_branch_on_a_value():
    def branch(x):
        return x * 2 if x.sum() > 0 else x - 5

    with pytest.warns(tracelab.AssumptionWarning):
        found = traced(branch, ONES)(-ONES)
    assert not torch.equal(found, branch(-ONES))
    assert torch.equal(traced(branch, ONES, on_violation="retrace")(-ONES), branch(-ONES))


def test_a_loop_over_rows():
    def total(x):
        found = torch.zeros(2)
        for row in x:
            found = found + row
        return found

    with pytest.raises(tracelab.AssumptionError, match="number of parts"):
        traced(total, torch.ones(3, 2))(torch.ones(5, 2))


def test_numpy_inside():
    def sort(x):
        return x + torch.from_numpy(x.numpy() ** 2)

    trace = traced(sort, ONES)
    assert [item.kind for item in trace.assumptions] == [AssumptionKind.VALUES]
    with pytest.warns(tracelab.AssumptionWarning):
        assert not torch.equal(trace(ONES * 2), sort(ONES * 2))


def test_another_thread():
    def other(x):
        made = []
        thread = threading.Thread(target=lambda: made.append(torch.full((3,), 7.0)))
        thread.start()
        thread.join()
        return x + made[0]

    assert [warning.kind for warning in traced(other, ONES).graph.warnings] == ["constant"]


def test_python_side_effects():
    log = []

    def noted(x):
        log.append("ran")
        return x + 1

    trace = traced(noted, ONES)
    before = len(log)
    trace(ONES)
    assert before > 0
    assert len(log) == before


def test_the_clock(recwarn):
    trace = traced(lambda x: x * time.time(), ONES, check_trace=False)
    assert not trace.graph.warnings
    assert not list(trace.assumptions)
    first = trace(ONES)
    time.sleep(0.01)
    assert torch.equal(trace(ONES), first)


def test_a_setting_from_outside():
    class Scaled(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.scale = 2.0

        def forward(self, x):
            return x * self.scale

    net = Scaled()
    trace = traced(net, ONES)
    net.scale = 3.0
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        assert torch.equal(trace(ONES), ONES * 2)


ARRAY = numpy.ones(3, dtype=numpy.float32)


def test_numpy_arithmetic_on_a_global():
    trace = traced(lambda x: x * torch.from_numpy(ARRAY * 2), ONES)
    direct = traced(lambda x: x * torch.from_numpy(ARRAY), ONES)
    ARRAY[:] = 5
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("error")
            assert torch.equal(trace(ONES), ONES * 2)
        with pytest.warns(tracelab.AssumptionWarning, match="written to since"):
            direct(ONES)
    finally:
        ARRAY[:] = 1


def test_an_iterator_from_outside():
    numbers = itertools.count()
    trace = traced(lambda x: x * next(numbers), ONES, check_trace=False)
    with pytest.warns(tracelab.AssumptionWarning, match="an iterator that has gone on"):
        assert torch.equal(trace(ONES), ONES * 0)
    with pytest.raises(tracelab.TracingCheckError):
        traced(lambda x: x * next(numbers), ONES)
    assert next(numbers) > 2


def test_a_cache_by_size_in_a_dict():
    tables = {}

    def added(x):
        n = x.shape[0]
        if n not in tables:
            tables[n] = torch.arange(n)
        return x + tables[n]

    trace = traced(added, ONES)
    with pytest.warns(tracelab.AssumptionWarning, match="n not in tables was 3"):
        assert torch.equal(trace(torch.ones(5)), torch.ones(5) + torch.arange(5))


def test_an_argument_of_another_class():
    def scaled(x, factor, device):
        return (x * factor).to(device)

    trace = traced(scaled, ONES, 1, "cpu")
    for args in [(True, "cpu"), (1, torch.device("cpu"))]:
        with pytest.warns(tracelab.AssumptionWarning):
            assert torch.equal(trace(ONES, *args), scaled(ONES, *args))


def test_python_s_random_numbers():
    trace = traced(lambda x: x * random.random(), ONES, check_trace=False)
    assert [item.kind for item in trace.assumptions] == [AssumptionKind.RANDOM]
    drawn = traced(lambda x: x * torch.rand(3), ONES)
    assert not torch.equal(drawn(ONES), drawn(ONES))


def test_a_compiled_trace():
    def branch(x):
        return x * 2 if x.shape[0] > 3 else x - 5

    torch.compiler.reset()
    compiled = torch.compile(traced(branch, ONES), backend="eager")
    with pytest.warns(tracelab.AssumptionWarning, match="1 assumption of the trace of branch is not checked"):
        compiled(ONES)
    assert not torch.equal(compiled(torch.ones(5)), branch(torch.ones(5)))
    torch.compiler.reset()


def test_a_coroutine_function():
    async def later(x):
        await asyncio.sleep(0)
        return x

    with pytest.raises(tracelab.InputError, match="coroutine"):
        traced(later, ONES)


def test_a_generator_as_a_result():
    with pytest.raises(tracelab.TracelabError, match="generator"):
        traced(lambda x: (row for row in x), ONES)


def test_a_file_has_no_python(tmp_path):
    traced(torch.relu, ONES).save(tmp_path / "relu.tlab")
    loaded = tracelab.load(tmp_path / "relu.tlab")
    assert torch.equal(loaded(-ONES), torch.zeros(3))
    with pytest.raises(tracelab.TracelabError, match="no Python function to check it against"):
        loaded.check()
    assert tracelab.compare(loaded, torch.relu, ONES)


def test_operators_of_other_packages_in_a_file(tmp_path):
    @torch.library.custom_op("limits::twice", mutates_args=())
    def twice(x: torch.Tensor) -> torch.Tensor:
        return x * 2

    traced(lambda x: twice(x), ONES).save(tmp_path / "own.tlab")
    with pytest.raises(tracelab.TracelabError, match="allow="):
        tracelab.load(tmp_path / "own.tlab")(ONES)
    assert torch.equal(tracelab.load(tmp_path / "own.tlab", allow={"limits::twice"})(ONES), ONES * 2)


def test_in_place_writes_in_onnx(tmp_path):
    pytest.importorskip("onnxscript")
    with pytest.raises(tracelab.TracelabError, match="writes to `x`"):
        traced(lambda x: x.add_(1) * 2, ONES).to_onnx(tmp_path / "writes.onnx")


def test_a_proof():
    """A check finds no counterexample where only one in millions of inputs is one."""

    def nearly(x):
        return torch.where(x == 0.123456789, 5.0, x) if (x == 0.123456789).any() else x * 1

    trace = traced(nearly, ONES)
    assert trace.check(progress=False, max_examples=8).specializations[0].finding is None
    with pytest.warns(tracelab.AssumptionWarning):
        assert not torch.equal(trace(ONES * 0.123456789), nearly(ONES * 0.123456789))


def test_each_row_has_a_test_and_each_test_a_row():
    rows = re.findall(r"^\| ([^|]+) \|", PAGE.read_text(encoding="utf-8"), re.MULTILINE)[1:]
    wanted = {"test_" + re.sub(r"\W+", "_", row.strip().lower()) for row in rows if not row.startswith("---")}
    here = {name for name in vars(sys.modules[__name__]) if name.startswith("test_")}
    assert here - {"test_each_row_has_a_test_and_each_test_a_row"} == wanted
