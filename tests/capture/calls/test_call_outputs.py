"""What a traced callable returns: structures come back as they were, and what cannot is refused."""

from __future__ import annotations

import warnings
from collections import OrderedDict
from typing import NamedTuple

import pytest
import torch

import tracelab
from support.replay import assert_same, replays
from tracelab import TracelabError, TracerWarning

x = torch.tensor([1.0, 2.0])


class Pair(NamedTuple):
    low: torch.Tensor
    high: object


def test_a_tuple_of_one_comes_back_as_one():
    replays(lambda x: (x + 1,), x, torch.randn(3))


def test_an_input_may_be_the_output():
    replays(lambda x: x, x)
    replays(lambda a, b: (b, a), (x, x + 1))


def test_tuples_nest():
    replays(lambda x: (x * 2, (x**2, (x + 2,)), x * 4), x)


def test_a_named_tuple_comes_back_as_its_own_class():
    replays(lambda x: Pair(x - 1, x + 1), x)


def test_a_named_tuple_may_hold_others():
    replays(lambda x: Pair(x, (Pair(x, x + 1), x)), x)


def test_a_result_type_of_torch_comes_back_as_a_tuple_of_its_tensors():
    values, indices = tracelab.trace(lambda x: x.max(0), x)(torch.tensor([3.0, 1.0]))
    assert (values.item(), indices.item()) == (3, 0)


def test_one_value_returned_twice_is_one_value():
    def twice(a, b):
        z = a + b
        return z, z

    traced = replays(twice, (x, x))
    first, second = traced.graph.nodes[-1].inputs
    assert first is second
    one, two = traced(x, x)
    assert one is two


def test_a_list_warns_that_its_length_is_frozen_and_comes_back():
    def listed(x):
        return [x, x + 1]

    with pytest.warns(TracerWarning, match="list at the output of the tracer might cause the trace to be incorrect"):
        traced = tracelab.trace(listed, x)
    assert_same(traced(x), [x, x + 1])


def test_a_list_is_taken_without_a_word_where_strict_is_off():
    replays(lambda x: [x, x + 1], x, strict=False)


def test_a_dict_is_refused_with_a_way_out():
    with pytest.raises(TracelabError, match=r"Encountering a dict at the output of the tracer.*strict=False"):
        tracelab.trace(lambda x: {"a": x}, x)


def test_a_dict_comes_back_where_strict_is_off():
    replays(lambda x: {"a": x, "b": {"c": x + 1, "d": (x, x)}}, x, strict=False)


def test_the_order_of_a_dict_s_keys_comes_back():
    traced = tracelab.trace(lambda x: {"z": x, "a": x}, x, strict=False)
    assert list(traced(x)) == ["z", "a"]


def test_an_ordered_dict_comes_back_as_one():
    replays(lambda x: OrderedDict(b=x, a=x + 1), x, strict=False)


def test_a_dict_may_have_tensors_as_keys():
    a, b = torch.rand(2), torch.rand(2)
    traced = tracelab.trace(lambda a, b: {a: b, b: a}, (a, b), strict=False)
    found = traced(a, b)
    assert found[a] is b
    assert found[b] is a


def test_a_dict_may_have_numbers_as_keys():
    replays(lambda x: {0: x, 1: x + 1}, x, strict=False)


def test_a_model_output_of_transformers_comes_back_as_its_own_class():
    outputs = pytest.importorskip("transformers.modeling_outputs")
    replays(lambda x: outputs.BaseModelOutput(last_hidden_state=x + 1), x, strict=False)


def test_none_may_stand_inside_an_output():
    replays(lambda x: (x, None), x)


def test_no_result_at_all_is_refused():
    with pytest.raises(TracelabError, match=r"Only tensors .* can be output .*, but the result is None"):
        tracelab.trace(lambda x: None, x)


@pytest.mark.parametrize("item", [1, 2.5, True, "word"])
def test_a_plain_python_value_is_refused(item):
    with pytest.raises(TracelabError, match=rf"Only tensors .*the result is .*{type(item).__name__}.*return a tensor"):
        tracelab.trace(lambda x: item, x)


def test_the_place_of_a_refused_value_is_named():
    with pytest.raises(TracelabError, match=r"the result\[1\]\[0\] is \{5\} \(set\)"):
        tracelab.trace(lambda x: (x, ({5}, x)), x)


def test_values_of_pythons_own_stand_beside_tensors():
    made, (number, text) = tracelab.trace(lambda x: (x * 2, (5, "five")), x)(x)
    assert torch.equal(made, x * 2)
    assert (number, text) == (5, "five")


def test_a_list_of_numbers_is_refused():
    with pytest.raises(TracelabError, match=r"Only tensors.+can be output from traced functions"):
        tracelab.trace(lambda x: [1, 5], x)


def test_a_list_of_lists_is_refused_in_strict_mode():
    with pytest.raises(TracelabError, match=r"Only tensors.+can be output from traced functions"):
        tracelab.trace(lambda x: [[x], [x]], x)


def test_a_traced_size_is_an_output_that_follows_the_input():
    traced = tracelab.trace(lambda x: x.numel(), torch.ones(2, 3))
    assert traced(torch.ones(4, 5)) == 20
    assert type(traced(torch.ones(1))) is int


def test_sizes_and_tensors_may_be_returned_together():
    traced = tracelab.trace(lambda x: (x, x.shape[0] * 2), torch.ones(2, 3))
    assert traced(torch.ones(5, 1))[1] == 10


def test_a_shape_is_returned_as_its_sizes():
    traced = tracelab.trace(lambda x: tuple(x.shape), torch.ones(2, 3))
    assert traced(torch.ones(5, 1)) == (5, 1)


def test_a_constant_made_in_the_function_is_new_at_each_call():
    traced = tracelab.trace(lambda x: torch.tensor([1.0, 2.0]), x)
    traced(x).add_(1)
    assert traced(x).tolist() == [1, 2]


def test_a_refusal_leaves_no_warning_behind():
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        with pytest.raises(TracelabError):
            tracelab.trace(lambda x: 3, x)
