"""State that the code reads and changes is told wherever Python keeps it: slots, containers in containers, arrays.

Each function counts its calls, so that a replay, which counts none, is wrong at once.
"""

from __future__ import annotations

import array
import collections
import ctypes
import dataclasses
import enum
import sys
import types
import warnings

import numpy as np
import pytest
import torch

import tracelab
from tracelab import AssumptionWarning


def an_attribute_of_the_function_that_was_not_there():
    def count(x):
        count.calls = getattr(count, "calls", 0) + 1
        return x * count.calls

    return count


def an_attribute_after_an_error():
    def count(x):
        try:
            count.calls += 1
        except AttributeError:
            count.calls = 1
        return x * count.calls

    return count


def an_attribute_of_another_function():
    def helper(x):
        if not hasattr(helper, "seen"):
            helper.seen = True
            return x
        return -x

    return lambda x: helper(x) + 1


def a_slot():
    class Counter:
        __slots__ = ("calls",)

        def __init__(self):
            self.calls = 0

    counter = Counter()

    def count(x):
        counter.calls += 1
        return x * counter.calls

    return count


def a_slot_that_was_empty():
    class Counter:
        __slots__ = ("calls",)

    counter = Counter()

    def count(x):
        if not hasattr(counter, "calls"):
            counter.calls = 1
            return x
        return -x

    return count


def a_list_in_a_slot_of_a_dataclass():
    @dataclasses.dataclass(slots=True)
    class Counter:
        calls: list = dataclasses.field(default_factory=list)

        def up(self):
            self.calls.append(1)
            return len(self.calls)

    counter = Counter()
    return lambda x: x * counter.up()


def a_metaclass():
    class Counting(type):
        calls = 0

        def up(cls):
            Counting.calls += 1
            return Counting.calls

    class Counted(metaclass=Counting):
        pass

    return lambda x: x * Counted.up()


class Counter:
    def __init__(self):
        self.calls = 0

    def up(self):
        self.calls += 1
        return self.calls


def an_object_in_a_list():
    counters = [Counter(), Counter()]
    return lambda x: x * counters[0].up()


def an_object_in_a_dict():
    counters = {"a": Counter()}
    return lambda x: x * counters["a"].up()


def an_object_in_a_tuple_of_an_object():
    class Holder:
        def __init__(self):
            self.parts = (Counter(), Counter())

    holder = Holder()

    def count(x):
        for part in holder.parts:
            x = x * part.up()
        return x

    return count


def a_function_in_a_list():
    def counted(x):
        counted.calls += 1
        return x * counted.calls

    counted.calls = 0
    steps = [counted]
    return lambda x: steps[0](x)


def a_dict_in_a_dict():
    state = {"a": {"calls": 0}}

    def count(x):
        state["a"]["calls"] += 1
        return x * state["a"]["calls"]

    return count


def a_list_in_a_list_of_a_module():
    class Counted(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.state = [[0]]

        def forward(self, x):
            self.state[0][0] += 1
            return x * self.state[0][0]

    return Counted()


def a_namespace():
    state = types.SimpleNamespace(calls=0)

    def count(x):
        state.calls += 1
        return x * state.calls

    return count


def _counted_in(state):
    def count(x):
        state[0] += 1
        return x * float(state[0])

    return count


def an_array_of_numpy():
    return _counted_in(np.zeros(1))


def an_array_of_numpy_in_a_dict():
    state = {"calls": np.zeros(1)}

    def count(x):
        state["calls"] += 1
        return x * float(state["calls"][0])

    return count


def an_array_of_python():
    return _counted_in(array.array("i", [0]))


def bytes_that_change():
    return _counted_in(bytearray(1))


def a_number_of_c():
    state = ctypes.c_int(0)

    def count(x):
        state.value += 1
        return x * state.value

    return count


def a_dict_class():
    state = collections.UserDict(calls=0)

    def count(x):
        state["calls"] += 1
        return x * state["calls"]

    return count


def a_chain_of_dicts():
    state = collections.ChainMap({"calls": 0})

    def count(x):
        state["calls"] += 1
        return x * state["calls"]

    return count


def a_member_of_an_enum():
    class Kind(enum.Enum):
        ONE = 1

    def count(x):
        Kind.ONE.calls = getattr(Kind.ONE, "calls", 0) + 1
        return x * Kind.ONE.calls

    return count


def a_variable_of_a_module():
    module = types.ModuleType("counting")
    module.calls = 0

    def count(x):
        module.calls += 1
        return x * module.calls

    return count


def a_function_of_a_module():
    module = types.ModuleType("counting")
    exec("calls = 0\ndef up():\n    global calls\n    calls += 1\n    return calls\n", vars(module))
    return lambda x: x * module.up()


def a_module_that_the_code_imports():
    sys.modules["counting_calls"] = types.ModuleType("counting_calls")
    sys.modules["counting_calls"].calls = 0

    def count(x):
        import counting_calls

        counting_calls.calls += 1
        return x * counting_calls.calls

    return count


def a_global_by_its_text():
    space = {"calls": 0}
    exec("def count(x):\n    globals()['calls'] += 1\n    return x * globals()['calls']\n", space)
    return space["count"]


def an_attribute_by_a_name_that_is_computed():
    counter = Counter()

    def count(x, kind="cal"):
        setattr(counter, kind + "ls", getattr(counter, kind + "ls") + 1)
        return x * getattr(counter, kind + "ls")

    return count


KINDS = [
    an_attribute_of_the_function_that_was_not_there,
    an_attribute_after_an_error,
    an_attribute_of_another_function,
    a_slot,
    a_slot_that_was_empty,
    a_list_in_a_slot_of_a_dataclass,
    a_metaclass,
    an_object_in_a_list,
    an_object_in_a_dict,
    an_object_in_a_tuple_of_an_object,
    a_function_in_a_list,
    a_dict_in_a_dict,
    a_list_in_a_list_of_a_module,
    a_namespace,
    an_array_of_numpy,
    an_array_of_numpy_in_a_dict,
    an_array_of_python,
    bytes_that_change,
    a_number_of_c,
    a_dict_class,
    a_chain_of_dicts,
    a_member_of_an_enum,
    a_variable_of_a_module,
    a_function_of_a_module,
    a_module_that_the_code_imports,
    a_global_by_its_text,
    an_attribute_by_a_name_that_is_computed,
]


def told(traced, x):
    with warnings.catch_warnings(record=True) as found:
        warnings.simplefilter("always")
        result = traced(x)
    return result, [str(item.message) for item in found if item.category is AssumptionWarning]


@pytest.mark.parametrize("make", KINDS, ids=lambda make: make.__name__)
def test_a_replay_tells_that_it_does_not_count(make):
    count, x = make(), torch.ones(2)
    traced = tracelab.trace(count, x, check_trace=False)
    result, said = told(traced, x)
    assert not torch.equal(result, count(x))
    assert said


ALONE = [make for make in KINDS if make is not a_module_that_the_code_imports]
"""Of which there can be two at once."""


@pytest.mark.parametrize("make", ALONE, ids=lambda make: make.__name__)
def test_a_checked_trace_counts_as_one_call_does(make):
    x = torch.ones(2)
    once, twice = make(), make()
    once(x)
    with pytest.raises(tracelab.TracingCheckError):
        tracelab.trace(twice, x, check_trace=True)
    torch.testing.assert_close(twice(x), once(x))


def test_what_the_code_sets_before_it_reads_it_is_no_state():
    def last(x):
        last.result = x * 2
        return last.result + 1

    _, said = told(tracelab.trace(last, torch.ones(2), check_trace=False), torch.ones(2))
    assert not said


def test_what_the_code_only_reads_is_no_state():
    table = {"a": {"scale": [2.0, 3.0]}, "of": np.arange(3.0)}

    def scale(x):
        return x * table["a"]["scale"][1] + float(table["of"][1])

    _, said = told(tracelab.trace(scale, torch.ones(2), check_trace=False), torch.ones(2))
    assert not said
