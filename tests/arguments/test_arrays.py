"""NumPy arrays as arguments are inputs: a replay takes the values of the call; what NumPy computed of them is told."""

from __future__ import annotations

import copy
import io
import pickle
import re
import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy
import pytest
import torch
from hypothesis import given, settings
from hypothesis import strategies as st
from torch import Tensor, nn

import tracelab

A = numpy.arange(6, dtype=numpy.float32).reshape(2, 3)
X = torch.ones(3)


@pytest.fixture(autouse=True)
def nothing_is_told() -> Iterator[None]:
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        # A tensor and an array in one operation, by NumPy.
        warnings.filterwarnings("ignore", message="__array_wrap__", category=DeprecationWarning)
        yield


def same(a: Any, b: Any) -> bool:
    if isinstance(a, Tensor):
        return isinstance(b, Tensor) and a.dtype == b.dtype and torch.equal(a, b)
    if isinstance(a, numpy.ndarray):
        return type(a) is type(b) and a.dtype == b.dtype and numpy.array_equal(a, b)
    return len(a) == len(b) and all(map(same, a, b))


def other(*shape: int, dtype: Any = numpy.float32) -> Any:
    return (numpy.arange(numpy.prod(shape)).reshape(shape) * 3 + 1).astype(dtype)


FOLLOWED: dict[str, Callable[[Any], Any]] = {
    "from_numpy": lambda a: torch.from_numpy(a) + 1,
    "as_tensor": lambda a: torch.as_tensor(a) * 2,
    "as_tensor with a dtype": lambda a: torch.as_tensor(a, dtype=torch.float64),
    "asarray": lambda a: torch.asarray(a) + 1,
    "tensor": lambda a: torch.tensor(a) + 1,
    "tensor with a dtype": lambda a: torch.tensor(a, dtype=torch.float64),
    "with a tensor": lambda a: X + torch.from_numpy(a),
    "operator with a tensor": lambda a: (X + a, X - a, X * a, X / (a + 1)),
    "arithmetic": lambda a: torch.from_numpy(a * 2 - 1 + a / 3),
    "numbers first": lambda a: torch.from_numpy(1 - a * 0.5),
    "another dtype": lambda a: torch.from_numpy(a.astype(numpy.float64) / 7),
    "turned": lambda a: torch.from_numpy(a.T) + torch.from_numpy(a.transpose(1, 0)),
    "reshaped": lambda a: torch.from_numpy(a.reshape(-1)),
    "row": lambda a: torch.from_numpy(a[0]) + torch.from_numpy(a[-1]),
    "slices": lambda a: torch.from_numpy(a[None, :, 1:]),
    "every second": lambda a: torch.from_numpy(a[:, ::2]),
    "concatenate": lambda a: torch.from_numpy(numpy.concatenate([a, a * 2], axis=1)),
    "stack": lambda a: torch.from_numpy(numpy.stack([a, a])),
    "contiguous": lambda a: torch.from_numpy(numpy.ascontiguousarray(a.T)),
    "asarray of NumPy": lambda a: torch.from_numpy(numpy.asarray(a, dtype=numpy.float64)),
    "copy in order": lambda a: (torch.from_numpy(numpy.ascontiguousarray(a.T)).add_(1), torch.from_numpy(a) + 0),
    "array of NumPy": lambda a: torch.from_numpy(numpy.array(a) * 2),
    "expand_dims": lambda a: torch.from_numpy(numpy.expand_dims(a, 0)),
    "copy": lambda a: torch.from_numpy(a.copy()).mul_(2),
    "shape": lambda a: torch.zeros(a.shape) + a.size + a.shape[0],
    "class": lambda a: torch.from_numpy(a) if isinstance(a, numpy.ndarray) else a,
    "back": lambda a: (X + 1, a, a * 2),
}


@pytest.mark.parametrize("name", FOLLOWED)
def test_another_array_is_followed(name: str):
    function = FOLLOWED[name]
    traced = tracelab.trace(function, A)
    for array in (A, other(2, 3), other(4, 3)):
        assert same(traced(array), function(array))


def test_the_printed_graph():
    graph = str(tracelab.trace(lambda x, a: x + torch.from_numpy(a), X, A).graph)
    assert re.sub(r" # .*", "", graph).replace(", requires_grad=0, device=cpu", "") == ADDED


ADDED = """\
graph(%x : Float(3, strides=[1]),
      %a : Float(2, 3, strides=[3, 1])):
  %1 : int = prim::Constant[value=1]()
  %add : Float(2, 3, strides=[3, 1]) = aten::add(%x, %a, %1)
  return (%add)
"""


@pytest.mark.parametrize("dtype", ["uint8", "int16", "int64", "float32", "float64", "bool"])
def test_every_kind_of_number(dtype: str):
    function = FOLLOWED["from_numpy"]
    traced = tracelab.trace(function, numpy.ones((2, 3), dtype))
    assert same(traced(other(4, 3, dtype=dtype)), function(other(4, 3, dtype=dtype)))


def test_an_image_is_scaled():
    def code(image: Any) -> Tensor:
        return torch.from_numpy(image.transpose(2, 0, 1) / 255.0).float()

    traced = tracelab.trace(code, numpy.ones((4, 5, 3), numpy.uint8))
    image = numpy.random.default_rng(0).integers(0, 255, (6, 7, 3), numpy.uint8)
    assert torch.equal(traced(image), code(image))


def test_arrays_index_tensors():
    def code(x: Tensor, rows: Any, mask: Any) -> Tensor:
        return x[rows].sum() + x[mask]

    x = torch.arange(4.0)
    traced = tracelab.trace(code, x, numpy.array([0, 1]), numpy.array([True, False, False, True]))
    rows, mask = numpy.array([3, 2, 2]), numpy.array([True, True, True, False])
    assert torch.equal(traced(x, rows, mask), code(x, rows, mask))


@dataclass
class Batch:
    x: Any
    y: Any
    name: str = "train"


def test_arrays_inside_of_arguments():
    def code(batch: Batch, options: Any) -> Tensor:
        return torch.from_numpy(batch.x) + sum(torch.from_numpy(part) for part in options["parts"]) + batch.y

    traced = tracelab.trace(code, Batch(A, X), {"parts": [A, A], "x": X})
    assert [value.name for value in traced.graph.user_inputs] == [
        "batch.x",
        "batch.y",
        'options["parts"].0',
        'options["parts"].1',
        'options["x"]',
    ]
    batch, options = Batch(other(4, 3), X * 2), {"parts": [other(4, 3), other(1, 3)], "x": X}
    assert torch.equal(traced(batch, options), code(batch, options))


COMPUTED: dict[str, Callable[[Any], Any]] = {
    "mean": lambda a: torch.from_numpy(a) - float(a.mean()),
    "element": lambda a: X * float(a[1, 1]),
    "item": lambda a: X * a.max().item(),
    "list of arrays": lambda a: torch.from_numpy(numpy.array([a, a])),
    "where": lambda a: torch.from_numpy(numpy.where(a > 2, a, 0)),
    "branch": lambda a: X * 2 if (a > 2).all() else X,
    "list": lambda a: torch.tensor(a.tolist()),
    "memory": lambda a: X * float(memoryview(a.tobytes())[4]),
    "reciprocal": lambda a: torch.from_numpy(1 / (a + 1)),
    "class": lambda a: X * (2 if type(a) is numpy.ndarray else 3),
    "of the view": lambda a: X * float(a[0].sum()),
    "of the result": lambda a: X * float((a * 2).sum()),
    "text": lambda a: X * len(str(a)),
    "in": lambda a: X * (2 if 5 in a else 3),
}


@pytest.mark.parametrize("name", COMPUTED)
def test_what_numpy_computes_of_an_array_is_told(name: str):
    function = COMPUTED[name]
    traced = tracelab.trace(function, A)
    assert same(traced(A), function(A))
    with pytest.warns(tracelab.AssumptionWarning, match="`a` was array"):
        traced(other(2, 3))


@pytest.mark.parametrize("name", COMPUTED)
def test_under_retrace_it_is_right(name: str):
    function = COMPUTED[name]
    traced = tracelab.trace(function, A, on_violation="retrace")
    for array in (other(2, 3), A, other(4, 3)):
        assert same(traced(array), function(array))


def test_arithmetic_of_another_dtype_is_told():
    traced = tracelab.trace(lambda a: torch.from_numpy(a * 2), A)
    with pytest.warns(tracelab.AssumptionWarning, match=r"a\.dtype was torch\.float32"):
        traced(other(2, 3, dtype=numpy.float64))


WRITES: dict[str, Callable[[Any], Any]] = {
    "element": lambda a: a.__setitem__(0, 5.0),
    "rows": lambda a: a.__setitem__(slice(1, None), a[:1] * 3),
    "in place": lambda a: a.__iadd__(1),
    "by a tensor": lambda a: torch.from_numpy(a).add_(1),
    "by a row": lambda a: torch.from_numpy(a[1]).zero_(),
}


@pytest.mark.parametrize("name", WRITES)
def test_what_is_written_into_an_array_is_written_by_the_replay(name: str):
    def code(a: Any) -> Tensor:
        WRITES[name](a)
        return torch.from_numpy(a) * 2

    example, wanted = A.copy(), A.copy()
    traced = tracelab.trace(code, example)
    code(wanted)
    assert same(example, wanted)
    mine, theirs = other(2, 3), other(2, 3)
    assert torch.equal(traced(mine), code(theirs))
    assert same(mine, theirs)


def test_an_array_that_cannot_be_written_to_is_refused_where_the_code_writes():
    traced = tracelab.trace(lambda a: torch.from_numpy(a).add_(1), A.copy())
    sealed = other(2, 3)
    sealed.flags.writeable = False
    with pytest.raises(tracelab.AssumptionError, match="writes to `a`, and this array cannot be written to"):
        traced(sealed)


def test_a_sealed_array_is_read():
    sealed = other(2, 3)
    sealed.flags.writeable = False
    traced = tracelab.trace(lambda a: torch.as_tensor(a) * 2, sealed)
    assert torch.equal(traced(sealed), torch.from_numpy(sealed.copy()) * 2)
    assert torch.equal(traced(A), torch.from_numpy(A) * 2)


def test_an_array_that_runs_backwards_is_copied():
    traced = tracelab.trace(lambda a: torch.as_tensor(a.copy()) * 2, A)
    assert torch.equal(traced(A[::-1]), torch.from_numpy(A[::-1].copy()) * 2)


def test_what_a_tensor_wrote_into_an_array_is_told_where_numpy_reads_it():
    def code(x: Tensor, a: Any) -> Tensor:
        torch.from_numpy(a).copy_(x)
        return x * float(a.sum())

    with pytest.warns(tracelab.TracerWarning, match="Converting a tensor to a NumPy array"):
        traced = tracelab.trace(code, X, X.numpy().copy())
    with pytest.warns(tracelab.AssumptionWarning, match=r"was array\(\[1., 1., 1.\]"):
        traced(X * 2, X.numpy().copy())


def test_code_that_takes_only_arrays_gets_them():
    def code(a: Any) -> Tensor:
        return X * float(numpy.ndarray.sum(a))

    traced = tracelab.trace(code, A)
    assert torch.equal(traced(A), code(A))
    with pytest.warns(tracelab.AssumptionWarning, match="`a` was array"):
        traced(other(2, 3))


def test_an_array_of_text_is_an_assumption():
    traced = tracelab.trace(lambda x, names: x * len(names), X, numpy.array(["a", "b"]))
    assert torch.equal(traced(X, numpy.array(["a", "b"])), X * 2)
    with pytest.warns(tracelab.AssumptionWarning, match="`names` was array"):
        traced(X, numpy.array(["a", "c"]))


def test_something_else_than_an_array_is_refused_by_its_path():
    traced = tracelab.trace(lambda batch: torch.from_numpy(batch["x"]), {"x": A})
    with pytest.raises(tracelab.InputError, match=r"`batch\['x'\]` should be an array, .* but is Tensor"):
        traced({"x": X})
    with pytest.raises(tracelab.InputError, match="is an array of <U1, which no tensor holds"):
        traced({"x": numpy.array(["a"])})


def test_nothing_of_the_stand_in_outlives_the_trace():
    kept: list[Any] = []

    def code(a: Any) -> Tensor:
        kept.append(a)
        return torch.from_numpy(a) * 2

    tracelab.trace(code, A, check_trace=False)
    assert float(kept[0].sum()) == float(A.sum())
    assert numpy.array_equal(numpy.asarray(kept[0]), A)


def test_gradients_flow_to_a_tensor_that_shares_nothing():
    def code(x: Tensor, a: Any) -> Tensor:
        return (x * torch.from_numpy(a)).sum()

    traced = tracelab.trace(code, torch.ones(3, requires_grad=True), A)
    x = torch.ones(3, requires_grad=True)
    traced(x, other(1, 3)).backward()
    assert torch.equal(x.grad, torch.from_numpy(other(1, 3)[0]))


def test_a_module_takes_arrays():
    class Net(nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.linear = nn.Linear(3, 2)

        def forward(self, a: Any) -> Tensor:
            made: Tensor = self.linear(torch.from_numpy(a))
            return made

    net = Net()
    assert torch.equal(tracelab.trace(net, A)(other(5, 3)), net(other(5, 3)))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_copies_and_pickles_follow(copied: Callable[[Any], Any]):
    traced = copied(tracelab.trace(lambda a: torch.from_numpy(a) * 2, A))
    assert torch.equal(traced(other(2, 3)), torch.from_numpy(other(2, 3)) * 2)


def stored(traced: Any) -> Any:
    file = io.BytesIO()
    tracelab.save(traced, file)
    file.seek(0)
    return tracelab.load(file)


def test_files_follow():
    loaded = stored(tracelab.trace(lambda a: (torch.from_numpy(a) * 2, a + 1), A))
    assert same(loaded(other(4, 3)), (torch.from_numpy(other(4, 3)) * 2, other(4, 3) + 1))


def test_files_know_the_content_that_was_read():
    loaded = stored(tracelab.trace(lambda a: torch.from_numpy(a) * float(a.max()), A))
    assert torch.equal(loaded(A), torch.from_numpy(A) * 5)
    with pytest.warns(tracelab.AssumptionWarning, match="`a` was array"):
        loaded(other(2, 3))


def test_a_run_follows():
    traced = tracelab.trace(lambda a: torch.from_numpy(a) * 2, A)
    assert torch.equal(traced.run(other(2, 3)).outputs, torch.from_numpy(other(2, 3)) * 2)


def test_a_check_tries_other_arrays():
    assert tracelab.trace(lambda a: torch.from_numpy(a) * 2, A).check(max_examples=6).ok


def test_a_trace_in_a_trace_follows():
    inner = tracelab.trace(lambda a: torch.from_numpy(a) + 1, A)
    outer = tracelab.trace(lambda a: inner(a) * 2, A)
    assert torch.equal(outer(other(4, 3)), (torch.from_numpy(other(4, 3)) + 1) * 2)


STEPS = st.sampled_from(["double", "shift", "turn", "row", "join", "wide", "mean", "write", "thirds"])
DOES: dict[str, Callable[[Any], Any]] = {
    "double": lambda a: a * 2,
    "shift": lambda a: a - 0.25,
    "turn": lambda a: a.T,
    "row": lambda a: a[:1],
    "join": lambda a: numpy.concatenate([a, a]),
    "wide": lambda a: a.astype(numpy.float64),
    "mean": lambda a: a - a.mean(),
    "write": lambda a: a.__setitem__(0, 7.0) or a,
    "thirds": lambda a: a / 3,
}


@settings(deadline=None, max_examples=40)
@given(st.lists(STEPS, max_size=5), st.integers(1, 4))
def test_any_steps_under_retrace(steps: list[str], rows: int):
    def code(a: Any) -> Tensor:
        for step in steps:
            a = DOES[step](a)
        return torch.from_numpy(a) + 1

    traced = tracelab.trace(code, A.copy(), on_violation="retrace")
    mine, theirs = other(rows, 3), other(rows, 3)
    assert torch.equal(traced(mine), code(theirs))
    assert same(mine, theirs)
