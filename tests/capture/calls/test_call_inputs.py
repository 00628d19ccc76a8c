"""What a traced callable takes: nested inputs, keywords, and clear words where they do not fit."""

from __future__ import annotations

from typing import NamedTuple

import pytest
import torch

import tracelab
from support.replay import agrees, assert_same, replays
from tracelab import InputError

one, two, three = torch.tensor([1.0]), torch.tensor([2.0]), torch.tensor([3.0])


class Point(NamedTuple):
    x: torch.Tensor
    y: torch.Tensor


def test_a_tensor_stands_for_a_tuple_of_one():
    replays(lambda x: x + 1, one, two)


def test_a_list_of_inputs_stands_for_the_tuple():
    traced = tracelab.trace(lambda x, y: x - y, [one, two])
    assert_same(traced(three, one), two)


def test_no_inputs_are_an_empty_tuple():
    assert_same(tracelab.trace(lambda: torch.ones(2), ())(), torch.ones(2))


def test_tuples_nest():
    replays(lambda x, pair: x * pair[0] * pair[1][0], (one, (two, (three,))), (three, (three, (two,))))


def test_a_named_tuple_arrives_as_its_own_class():
    def subtract(point):
        assert isinstance(point, Point)
        return point.x - point.y

    traced = replays(subtract, (Point(one, two),), (Point(three, one),))
    assert_same(traced((three, one)), two)


def test_a_list_arrives_as_a_list():
    def joined(items):
        assert type(items) is list
        return torch.cat(items)

    replays(joined, ([one, two],), ([three, three],))


def test_dicts_nest_with_lists_and_tuples():
    def pick(tree):
        return tree["a"][0]["b"] + tree["c"][1]

    replays(pick, ({"a": [{"b": one}], "c": (two, three)},), ({"a": [{"b": three}], "c": (two, two)},))


def test_the_order_of_a_dict_s_keys_does_not_matter():
    traced = tracelab.trace(lambda d: d["x"] - d["y"], ({"x": one, "y": two},))
    assert_same(traced({"y": one, "x": three}), two)


def test_a_dict_may_hold_more_keys_than_it_was_traced_with():
    traced = tracelab.trace(lambda d: d["x"] + 1, ({"x": one},))
    assert_same(traced({"x": two, "more": one}), three)


def test_a_missing_key_is_named():
    traced = tracelab.trace(lambda d: d["x"] + 1, ({"x": one},))
    with pytest.raises(InputError, match=r"`d` lacks the key 'x'"):
        traced({"y": one})


def test_keys_need_not_be_strings():
    replays(lambda d: d["x"][1] + 1, ({"x": {1: one}},), ({"x": {1: three}},))


def test_a_dict_s_tensors_may_differ_in_dtype():
    replays(lambda d: (d["i"], d["f"] * 2), ({"i": torch.ones(2, dtype=torch.int32), "f": one},))


def test_an_argument_may_be_none():
    def masked(x, mask):
        return x if mask is None else x * mask

    traced = tracelab.trace(masked, (one, None))
    assert_same(traced(two, None), two)
    assert_same(traced(two), two)


def test_an_argument_traced_as_none_takes_nothing_else():
    traced = tracelab.trace(lambda x, mask: x + 1, (one, None))
    with pytest.raises(InputError, match=r"`mask` was None when it was traced"):
        traced(one, two)


def test_keyword_examples_are_taken_by_keyword_or_position():
    traced = tracelab.trace(lambda x, y: x - y, example_kwarg_inputs={"y": one, "x": three})
    assert_same(traced(x=two, y=one), one)


def test_positional_examples_may_be_given_by_name():
    traced = tracelab.trace(lambda x, y: x - y, (one, two))
    assert_same(traced(y=one, x=three), two)


def test_positional_and_keyword_examples_mix():
    traced = tracelab.trace(lambda x, *, scale: x * scale, (one,), example_kwarg_inputs={"scale": two})
    assert_same(traced(three, scale=three), torch.tensor([9.0]))


def test_many_positional_arguments_are_taken_one_by_one():
    replays(lambda *items: items[0] - items[1], (one, two), (three, one))


def test_an_unused_input_is_still_an_input():
    traced = replays(lambda a, b: a * a, (one, two), (three, two))
    assert [value.name for value in traced.graph.inputs] == ["a", "b"]


def test_one_tensor_given_twice_is_two_inputs():
    traced = tracelab.trace(lambda a, b: a + b, (one, one))
    assert_same(traced(one, two), three)


def test_a_gradient_is_asked_for_where_the_example_asks():
    def scaled(x):
        assert x.requires_grad
        return x * 2

    replays(scaled, torch.ones(2, requires_grad=True))


def test_a_function_with_defaults_leaves_them_at_their_value():
    def scaled(x, factor=3):
        return x * factor

    traced = replays(scaled, (one,), (two,))
    assert traced.input_tree.names == ["x"]


def test_a_bound_method_is_traced_with_its_object():
    class Scale:
        def __init__(self, factor):
            self.factor = factor

        def apply(self, x):
            return x * self.factor

    replays(Scale(two).apply, one, three)


def test_a_callable_object_is_traced():
    class Scale:
        def __call__(self, x):
            return x * 2

    replays(Scale(), one, three)


def test_an_operator_of_torch_is_traced():
    replays(torch.sigmoid, one, torch.randn(3))
    replays(torch.add, (one, two), (torch.randn(3), torch.randn(3)))


def test_a_partial_function_is_traced():
    import functools

    replays(functools.partial(torch.sum, dim=0), torch.ones(2, 3), torch.ones(4, 5))


def test_tracing_decorates():
    @lambda function: tracelab.trace(function, torch.rand(1))
    def triple(a):
        return a + a + a

    agrees(triple, lambda a: a + a + a, torch.randn(5, 5))


def test_a_traced_function_traced_again_is_itself():
    traced = tracelab.trace(torch.neg, one)
    assert tracelab.trace(traced, one) is traced


# What does not fit -------------------------------------------------------------------------------------------


def test_missing_examples_are_asked_for():
    with pytest.raises(InputError, match=r"example_inputs are missing: give the tensors .* or \(\) for none"):
        tracelab.trace(torch.neg)


def test_too_many_examples_name_the_function_and_its_parameters():
    def add(x, y):
        return x + y

    with pytest.raises(InputError, match=r"add\(x, y\) does not take these example inputs \(3 positional\)"):
        tracelab.trace(add, (one, two, three))


def test_too_few_examples_name_the_missing_parameter():
    with pytest.raises(InputError, match="missing a required argument: 'y'"):
        tracelab.trace(lambda x, y: x + y, (one,))


def test_an_unknown_keyword_is_named():
    with pytest.raises(InputError, match="unexpected keyword argument 'z'"):
        tracelab.trace(lambda x: x, (one,), example_kwarg_inputs={"z": one})


def test_an_input_that_cannot_be_compared_is_refused_with_a_way_out():
    with pytest.raises(InputError, match=r"input `b` is of type object.*functools.partial"):
        tracelab.trace(lambda a, b: a, (one, object()))


def test_a_number_where_the_function_needs_a_tensor_is_torch_s_own_error():
    with pytest.raises(TypeError, match=r"neg\(\): argument 'input' \(position 1\) must be Tensor"):
        tracelab.trace(torch.neg, 3)


def test_what_cannot_be_called_is_refused():
    with pytest.raises(InputError, match="trace needs a function or a module, but got Tensor"):
        tracelab.trace(one, one)


def test_an_empty_list_is_refused():
    with pytest.raises(InputError, match=r"List trace input `d\[1\]` is empty"):
        tracelab.trace(lambda d: one, ({1: []},))


def test_a_list_of_mixed_elements_is_refused():
    with pytest.raises(InputError, match="must have elements of one consistent type"):
        tracelab.trace(lambda items: one, ([one, (one, two)],))


def test_an_empty_dict_is_refused():
    with pytest.raises(InputError, match="dict input `d` is empty"):
        tracelab.trace(lambda d: one, ({},))


def test_a_replay_that_takes_no_argument_refuses_one():
    traced = tracelab.trace(lambda: torch.ones(2) + 1, ())
    with pytest.raises(InputError, match=r"takes 0 arguments, but 1 was given"):
        traced(one)


def test_a_replay_with_too_many_arguments_counts_them():
    traced = tracelab.trace(lambda x: x + 1, one)
    with pytest.raises(InputError, match=r"takes 1 argument \(x\), but 2 were given"):
        traced(one, two)


def test_a_replay_without_an_argument_names_it():
    traced = tracelab.trace(lambda x, y: x + y, (one, two))
    with pytest.raises(InputError, match="needs the argument `y`"):
        traced(one)


def test_a_replay_with_an_unknown_keyword_names_it():
    traced = tracelab.trace(lambda x: x + 1, one)
    with pytest.raises(InputError, match="has no argument `z`; it takes x"):
        traced(one, z=two)


def test_a_replay_with_an_argument_given_twice_names_it():
    traced = tracelab.trace(lambda x: x + 1, one)
    with pytest.raises(InputError, match="got `x` twice"):
        traced(one, x=two)


def test_a_replay_on_a_number_says_that_it_should_be_a_tensor():
    traced = tracelab.trace(lambda x: x + 1, one)
    with pytest.raises(InputError, match="`x` should be a tensor, as when it was traced, but is int"):
        traced(1)


def test_a_replay_on_a_list_of_another_length_counts_both():
    traced = tracelab.trace(lambda items: torch.cat(items), ([one, two],))
    with pytest.raises(InputError, match="`items` has 3 elements, but had 2"):
        traced([one, two, three])


def test_a_replay_on_another_container_says_what_it_should_be():
    traced = tracelab.trace(lambda d: d["x"] + 1, ({"x": one},))
    with pytest.raises(InputError, match="`d` should be a dict"):
        traced(one)


def test_each_of_these_errors_is_one_line():
    for bad in ((one, two, three), (one, object()), (one, [])):
        with pytest.raises(InputError) as caught:
            tracelab.trace(lambda x, y: x, bad)
        assert "\n" not in str(caught.value)


def test_trace_module_needs_methods_that_exist():
    net = torch.nn.Linear(2, 2)
    with pytest.raises(InputError, match="Linear has no method `encode`"):
        tracelab.trace_module(net, {"encode": one})
    with pytest.raises(InputError, match="needs example inputs for at least one method"):
        tracelab.trace_module(net, {})
    with pytest.raises(InputError, match="trace_module needs a module, but got function"):
        tracelab.trace_module(lambda x: x, {"forward": one})


def test_lists_inside_of_a_list_may_have_other_lengths():
    def code(groups):
        return torch.stack([torch.stack(group).sum(0) for group in groups])

    groups = [[one, two], [three]]
    traced = tracelab.trace(code, (groups,))
    other = [[part * 2 for part in group] for group in groups]
    assert torch.equal(traced(other), code(other))
    with pytest.raises(InputError, match="has 1 element, but had 2"):
        traced([groups[1], groups[1]])
