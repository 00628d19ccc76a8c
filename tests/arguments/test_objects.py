"""Objects as arguments: their tensors are inputs, what the code writes into them is written by each replay."""

from __future__ import annotations

import collections
import copy
import io
import pickle
import re
import threading
import types
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import pytest
import torch
from torch import Tensor
from torch.nn.utils.rnn import pack_sequence, pad_packed_sequence

import tracelab


@dataclass
class Batch:
    x: Tensor
    y: Tensor
    name: str = "train"
    parts: list[Tensor] = field(default_factory=list)


@dataclass(frozen=True)
class Frozen:
    x: Tensor
    scale: str = "double"


@dataclass
class Nested:
    inner: Frozen
    batches: dict[str, Batch]


class Own:
    def __init__(self, x: Tensor) -> None:
        self.x = x
        self.options = {"left": 1}


class Slotted:
    __slots__ = ("__hidden", "x")

    def __init__(self, x: Tensor) -> None:
        self.x, self.__hidden = x, x + 1

    def total(self) -> Tensor:
        return self.x + self.__hidden


class Pair(NamedTuple):
    left: Tensor
    right: Tensor


def batch(size: int = 2, **options: Any) -> Batch:
    return Batch(torch.arange(float(size)), torch.ones(size), **options)


def grow(batch: Batch) -> tuple[Tensor, Batch]:
    batch.parts.append(batch.x + batch.y)
    batch.y = batch.x * 2
    return batch.y.sum(), batch


def test_the_printed_graph():
    graph = str(tracelab.trace(grow, batch()).graph).replace(", requires_grad=0, device=cpu", "")
    assert re.sub(r" # .*", "", graph) == GROWN


GROWN = """\
graph(%batch.x : Float(2, strides=[1]),
      %batch.y : Float(2, strides=[1])):
  %1 : str = prim::Constant[value="batch.parts"]()
  %batch.parts : list = prim::Argument(%1)
  %2 : str = prim::Constant[value="batch"]()
  %batch : Batch = prim::Argument(%2)
  %3 : int = prim::Constant[value=1]()
  %add : Float(2, strides=[1]) = aten::add(%batch.x, %batch.y, %3)
  %4 : int = prim::Constant[value=2]()
  %y : Float(2, strides=[1]) = aten::mul(%batch.x, %4)
  %5 : NoneType = prim::Constant()
  %sum : Float(requires_grad=0, device=cpu) = aten::sum(%y, %5)
  %tuple : (Float(requires_grad=0, device=cpu), Batch) = prim::TupleConstruct(%sum, %batch)
  %6 : Tensor[] = prim::ListConstruct(%add)
  prim::SetItems(%batch.parts, %6)
  %7 : str = prim::Constant[value="y"]()
  prim::SetField(%batch, %7, %y)
  return (%tuple)
"""


def test_what_the_code_writes_is_written_into_the_object_that_was_given():
    traced = tracelab.trace(grow, batch())
    given = batch(3)
    total, back = traced(given)
    assert back is given
    assert total == 6
    assert torch.equal(given.y, torch.tensor([0.0, 2.0, 4.0]))
    assert torch.equal(given.parts[0], torch.tensor([1.0, 2.0, 3.0]))


def test_after_the_trace_the_object_is_as_after_one_call():
    given = batch()
    tracelab.trace(grow, given)
    assert len(given.parts) == 1
    assert torch.equal(given.y, torch.tensor([0.0, 2.0]))


def test_a_tensor_in_an_object_that_is_written_to_is_as_after_one_call():
    def add(own: Own) -> None:
        own.x.add_(1)

    own = Own(torch.zeros(2))
    traced = tracelab.trace(add, own, strict=False)
    assert torch.equal(own.x, torch.ones(2))
    traced(own)
    assert torch.equal(own.x, torch.full((2,), 2.0))


def test_after_trace_graph_the_object_is_as_after_one_call():
    given = batch()
    tracelab.trace_graph(grow, given)
    assert len(given.parts) == 1


def test_a_list_that_was_given_grows():
    def grow(items: list[Tensor]) -> Tensor:
        items.append(items[0] + 1)
        return items[-1]

    given = [torch.ones(1)]
    traced = tracelab.trace(grow, (given,))
    assert len(given) == 2
    other = [torch.zeros(3)]
    traced(other)
    assert torch.equal(other[1], torch.ones(3))


def test_keys_and_attributes_that_go_are_taken_out():
    def change(own: Own) -> Tensor:
        del own.options["left"]
        own.options["right"] = 2
        own.y = own.x + 1
        del own.x
        return own.y

    traced = tracelab.trace(change, Own(torch.ones(2)))
    own = Own(torch.zeros(2))
    traced(own)
    assert own.options == {"right": 2}
    assert list(vars(own)) == ["options", "y"]


def test_an_object_that_the_code_makes_is_of_its_class():
    def wrap(own: Own) -> Tensor:
        own.inner = Own(own.x * 2)
        return own.x

    traced = tracelab.trace(wrap, Own(torch.ones(2)))
    own = Own(torch.full((2,), 3.0))
    traced(own)
    assert type(own.inner) is Own
    assert torch.equal(own.inner.x, own.x * 2)


def test_frozen_and_nested_dataclasses():
    def total(item: Nested) -> Tensor:
        return item.inner.x * (2 if item.inner.scale == "double" else 1) + item.batches["a"].y

    traced = tracelab.trace(total, Nested(Frozen(torch.ones(2)), {"a": batch()}))
    assert torch.equal(traced(Nested(Frozen(torch.zeros(3)), {"a": batch(3)})), torch.ones(3))


def test_slots_and_private_names():
    traced = tracelab.trace(lambda item: item.total(), Slotted(torch.ones(2)))
    assert torch.equal(traced(Slotted(torch.zeros(3))), torch.ones(3))


def test_an_object_in_two_places_is_one_object():
    def write(a: Own, b: Own) -> Tensor:
        a.x = a.x + 1
        return b.x * 2

    own = Own(torch.zeros(2))
    traced = tracelab.trace(write, (own, own), check_trace=True)
    again = Own(torch.zeros(3))
    assert torch.equal(traced(again, again), torch.full((3,), 2.0))
    with pytest.raises(tracelab.AssumptionError, match="`b` was the object at `a`"):
        traced(Own(torch.zeros(2)), Own(torch.zeros(2)))


CLASSES = {
    "OrderedDict": lambda x: collections.OrderedDict(x=x),
    "defaultdict": lambda x: collections.defaultdict(list, x=x),
    "UserDict": lambda x: collections.UserDict(x=x),
    "deque": lambda x: collections.deque([x], maxlen=3),
    "namespace": lambda x: Own(x),
    "namedtuple": lambda x: Pair(x, x),
    "structseq": lambda x: torch.return_types.max((x, x)),
}


def first(item: Any) -> Tensor:
    if isinstance(item, (dict, collections.UserDict)):
        return item["x"] * 2
    return (item.x if isinstance(item, Own) else item[0]) * 2


@pytest.mark.parametrize("name", CLASSES)
def test_classes_of_containers(name: str):
    traced = tracelab.trace(lambda item: (first(item), type(item).__name__), (CLASSES[name](torch.ones(2)),))
    result, cls = traced(CLASSES[name](torch.arange(3.0)))
    assert torch.equal(result, torch.arange(3.0) * 2)
    assert cls == type(CLASSES[name](torch.ones(1))).__name__


def test_packed_sequences():
    lstm = torch.nn.LSTM(3, 4)

    def run(packed: Any) -> tuple[Tensor, Tensor]:
        out, (hidden, _) = lstm(packed)
        return pad_packed_sequence(out)[0], hidden

    def packed(*lengths: int) -> Any:
        return pack_sequence([torch.randn(length, 3) for length in lengths])

    traced = tracelab.trace(run, (packed(4, 2),), on_violation="retrace")
    for lengths in ((5, 3), (4, 4, 1), (2,)):
        given = packed(*lengths)
        for mine, theirs in zip(traced(given), run(given), strict=True):
            assert torch.allclose(mine, theirs)


def test_another_structure_is_told_by_its_path():
    traced = tracelab.trace(lambda item: item.batches["a"].x, Nested(Frozen(torch.ones(2)), {"a": batch()}))
    with pytest.raises(tracelab.AssumptionError, match=r"`item.batches\['a'\].parts` has 1 element, but had 0"):
        traced(Nested(Frozen(torch.ones(2)), {"a": batch(parts=[torch.ones(1)])}))
    with pytest.raises(tracelab.AssumptionError, match=r"`item.inner.x` should be a tensor.* is None"):
        traced(Nested(Frozen(None), {"a": batch()}))
    with pytest.raises(tracelab.AssumptionError, match=r"`item.inner` was Frozen when it was traced, but is Own"):
        traced(Nested(Own(torch.ones(2)), {"a": batch()}))


def test_another_structure_is_recorded_under_retrace():
    def total(batch: Batch) -> Tensor:
        return sum(batch.parts, batch.x)

    traced = tracelab.trace(total, batch(), on_violation="retrace")
    for count in (0, 2, 1, 2):
        given = batch(parts=[torch.ones(2)] * count)
        assert torch.equal(traced(given), total(given))
    assert len(traced.cases) == 3


def test_a_field_that_is_no_tensor_is_an_assumption():
    traced = tracelab.trace(lambda batch: batch.x * (2 if batch.name == "train" else 3), batch())
    assert [(item.kind, item.about, item.constant) for item in traced.assumptions] == [
        ("argument", "batch.name", "train")
    ]
    with pytest.warns(tracelab.AssumptionWarning, match="`batch.name` was 'train' when it was traced, and is 'test'"):
        traced(batch(name="test"))


def test_what_is_inside_of_itself_is_refused_in_one_sentence():
    own = Own(torch.ones(1))
    own.options["self"] = own
    with pytest.raises(tracelab.InputError, match=r"the argument `own.options\['self'\]` is inside of itself"):
        tracelab.trace(lambda own: own.x, own)


def test_what_cannot_be_taken_apart_is_refused_with_its_path():
    own = Own(torch.ones(1))
    own.lock = threading.Lock()
    with pytest.raises(tracelab.InputError, match=r"input `own.lock` is of type lock .*register_structure"):
        tracelab.trace(lambda own: own.x, own)


def test_classes_that_are_registered():
    class Locked(Own):
        def __init__(self, x: Tensor, unit: str) -> None:
            super().__init__(x)
            self.unit, self.lock = unit, threading.Lock()

    tracelab.register_structure(Locked, lambda item: ([item.x], item.unit), lambda parts, unit: Locked(*parts, unit))
    traced = tracelab.trace(lambda item: Locked(item.x + 1, item.unit), Locked(torch.ones(2), "m"))
    back = traced(Locked(torch.zeros(3), "m"))
    assert type(back) is Locked
    assert torch.equal(back.x, torch.ones(3))
    with pytest.warns(tracelab.AssumptionWarning, match="'m' when it was traced, and is 's'"):
        traced(Locked(torch.zeros(3), "s"))


def test_classes_that_torch_knows():
    class Wrapped:
        def __init__(self, x: Tensor) -> None:
            self.x, self.lock = x, threading.Lock()

    torch.utils._pytree.register_pytree_node(Wrapped, lambda item: ([item.x], None), lambda parts, _: Wrapped(*parts))
    traced = tracelab.trace(lambda item: item.x + 1, Wrapped(torch.ones(2)))
    assert torch.equal(traced(Wrapped(torch.zeros(3))), torch.ones(3))


def test_a_file_runs_without_the_classes():
    stored = io.BytesIO()
    tracelab.save(tracelab.trace(grow, batch()), stored)
    stored.seek(0)
    loaded = tracelab.load(stored)
    given = batch(3)
    assert loaded(given)[1] is given
    assert len(given.parts) == 1
    plain = {"x": torch.ones(3), "y": torch.ones(3), "name": "train", "parts": []}
    loaded(plain)
    assert torch.equal(plain["y"], torch.full((3,), 2.0))


@pytest.mark.parametrize("copied", [copy.copy, copy.deepcopy, lambda item: pickle.loads(pickle.dumps(item))])
def test_copies_and_pickles_write_too(copied: Any):
    given = batch(3)
    assert copied(tracelab.trace(grow, batch()))(given)[1] is given
    assert len(given.parts) == 1


def test_a_run_leaves_the_objects_as_they_are():
    given = batch(3)
    run = tracelab.trace(grow, batch()).run(given)
    assert run.outputs[0] == 6
    assert given.parts == []


def test_a_check_leaves_the_objects_as_they_are():
    traced = tracelab.trace(grow, batch())
    given = batch(3)
    assert traced.check([given]).ok
    assert given.parts == []


def test_threads_write_into_their_own_objects():
    traced = tracelab.trace(grow, batch())
    given = [batch(size) for size in range(1, 9)]
    threads = [threading.Thread(target=lambda item=item: [traced(item) if not item.parts else None]) for item in given]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert [item.parts[0].numel() for item in given] == list(range(1, 9))


def test_calls_keep_no_object_alive():
    import gc
    import weakref

    traced = tracelab.trace(grow, batch())
    given = batch(3)
    watched = weakref.ref(given)
    traced(given)
    del given
    gc.collect()
    assert watched() is None


def test_simple_namespaces():
    traced = tracelab.trace(lambda item: item.x + 1, (types.SimpleNamespace(x=torch.ones(2)),))
    assert torch.equal(traced(types.SimpleNamespace(x=torch.zeros(3))), torch.ones(3))


@pytest.mark.parametrize("backend", ["inductor", "cudagraph"])
def test_on_other_backends_objects_are_written_to(backend: str):
    given = batch(3)
    compiled = tracelab.trace(grow, batch()).with_backend(backend)
    with pytest.warns(UserWarning, match="ran as Python code"):
        assert compiled(given)[1] is given
    assert len(given.parts) == 1


def test_a_flatten_that_gives_no_context_is_refused():
    class Held:
        __slots__ = ("__weakref__", "x")

    tracelab.register_structure(Held, lambda item: [item.x], lambda parts, _: Held())
    held = Held()
    held.x = torch.ones(2)
    with pytest.raises(tracelab.InputError, match=r"`flatten` gives a tuple of the parts and a context"):
        tracelab.trace(lambda item: item.x + 1, held)
