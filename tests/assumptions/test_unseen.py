"""A tensor that the traced code makes in a way that tracing does not see is never a constant in silence."""

from __future__ import annotations

import gc
import sys
import threading
import warnings
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
import torch
from torch.autograd import forward_ad

import tracelab
from tracelab import AssumptionWarning
from tracelab.capture.analysis.epoch import Epoch

POOL = ThreadPoolExecutor(1)
POOL.submit(len, "").result()


@pytest.fixture(autouse=True, params=["free", "set aside"])
def _objects(request, monkeypatch):
    """The garbage collector has nothing set aside, as it is elsewhere, or all that there is."""
    gc.unfreeze()
    monkeypatch.setattr(Epoch, "used", False)
    if request.param == "set aside":
        gc.freeze()
    yield
    assert (gc.get_freeze_count() > 0) == (request.param == "set aside")
    gc.freeze()


def made(function, x=None):
    """The trace, and what was said while it was made."""
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        traced = tracelab.trace(function, torch.ones(2) if x is None else x, check_trace=False)
    return traced, [str(item.message) for item in found if issubclass(item.category, tracelab.TracerWarning)]


def told(traced, x):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        traced(x)
    return [str(item.message) for item in found if item.category is AssumptionWarning]


def by_a_pool(x):
    return POOL.submit(lambda: x * 3).result() + 0


def by_an_operator_in_a_pool(x):
    return POOL.submit(torch.mul, x, 3).result() + 0


def by_a_thread(x):
    found = []
    thread = threading.Thread(target=lambda: found.append(x * 3))
    thread.start()
    thread.join()
    return found[0] + 0


def returned_as_it_is(x):
    return POOL.submit(torch.mul, x, 3).result()


functional = torch.func.functionalize(lambda x: x.clone().view(-1).mul_(3))


def by_a_transform_from_before(x):
    return functional(x) + 0


@pytest.mark.parametrize(
    "function",
    [
        by_a_pool,
        by_an_operator_in_a_pool,
        by_a_thread,
        returned_as_it_is,
        by_a_transform_from_before,
    ],
    ids=lambda item: item.__name__,
)
def test_it_is_told_by_the_trace_and_at_each_call(function):
    traced, said = made(function)
    assert any("in a way that tracing does not see" in sentence for sentence in said)
    sentences = told(traced, torch.full((2,), 5.0))
    assert any("test_unseen.py:" in sentence and function.__name__ in sentence for sentence in sentences)


def functionalized(x):
    return torch.func.functionalize(lambda item: item.view(-1).mul_(3))(x.clone()) + 0


def forward_derivative(x):
    with forward_ad.dual_level():
        dual = forward_ad.make_dual(x, torch.ones_like(x))
        primal, tangent = forward_ad.unpack_dual(dual.sin() * dual)
    return primal + tangent


@pytest.mark.parametrize("function", [functionalized, forward_derivative])
def test_what_can_be_followed_is(function):
    traced, said = made(function)
    assert said == []
    for x in (torch.ones(2), torch.full((2,), 5.0)):
        torch.testing.assert_close(traced(x), function(x))


WEIGHT, TABLE = torch.ones(2), np.arange(2.0)


@pytest.mark.parametrize(
    "function",
    [
        lambda x: x + WEIGHT,
        lambda x: x + torch.from_numpy(TABLE),
        lambda x: x + torch.from_numpy(np.arange(2.0)),
        lambda x: x + torch.frombuffer(bytearray(8), dtype=torch.float32),
        lambda x: x + torch.tensor([1, 2]) + torch.ones(2) + torch.nn.Parameter(torch.ones(2)),
        lambda x: torch.nn.Linear(2, 2)(x),
        lambda x: torch.nn.LazyLinear(2)(x),
        lambda x: torch.vmap(lambda item: item * 2)(x) + torch.func.grad(lambda item: item.sum())(x),
        lambda x: x + torch.from_dlpack(WEIGHT),
    ],
)
def test_other_constants_are_not_told(function):
    traced, said = made(function)
    assert [sentence for sentence in said if "does not see" in sentence] == []
    assert [item for item in traced.assumptions if item.kind == "unseen"] == []


def test_two_threads_that_trace_at_once_do_not_take_each_other_s_constants_for_new():
    inside, done = threading.Event(), threading.Event()

    def waits(x):
        inside.set()
        done.wait(30)
        return x + WEIGHT

    other = []
    thread = threading.Thread(target=lambda: other.append(made(waits)))
    thread.start()
    assert inside.wait(30)
    weight = torch.ones(2)
    traced, _ = made(lambda x: x + weight)
    done.set()
    thread.join()
    assert traced.assumptions == other[0][0].assumptions == []


def test_a_package_that_is_imported_while_tracing_has_its_objects_listed_once(tmp_path, monkeypatch):
    """Each list goes over all objects of the process: a package of a thousand modules would take a minute."""
    package = tmp_path / "imported_while_tracing"
    package.mkdir()
    parts = [f"part{number}" for number in range(12)]
    (package / "__init__.py").write_text("".join(f"from . import {part}\n" for part in parts))
    for part in parts:
        (package / f"{part}.py").write_text("import torch\n\nKEPT = torch.full((2,), 3.0)\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    for name in [name for name in sys.modules if name.partition(".")[0] == package.name]:
        monkeypatch.delitem(sys.modules, name)
    listed = []
    objects = gc.get_objects
    monkeypatch.setattr(gc, "get_objects", lambda *args: listed.append(1) or objects(*args))

    def uses(x):
        from imported_while_tracing import part3

        return x + part3.KEPT

    traced, told = made(uses)
    assert not told
    assert torch.equal(traced(torch.ones(2)), torch.full((2,), 4.0))
    assert len(listed) <= 4
