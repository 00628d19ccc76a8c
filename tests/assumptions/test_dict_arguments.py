"""More keys in a dict argument, or another order of them: told where the code can tell, and allowed elsewhere."""

from __future__ import annotations

import collections
import copy
import warnings

import hypothesis
import hypothesis.strategies as st
import pytest
import torch

import tracelab
from support.told import told
from tracelab import AssumptionError

GIVEN = {"a": torch.ones(2), "b": torch.full((2,), 2.0)}
MORE = {**GIVEN, "z": torch.full((2,), 5.0)}
TURNED = {"b": GIVEN["b"], "a": GIVEN["a"]}


def is_in(d):
    return d["a"] * 2 if "z" in d else d["a"] * 1


def got(d):
    return d["a"] * 2 if d.get("z") is not None else d["a"] * 1


def popped(d):
    return d["a"] + d.pop("z", 0)


def missed(d):
    try:
        return d["z"] * 1
    except KeyError:
        return d["a"] * 1


def counted(d):
    return d["a"] * len(d)


def gone_through(d):
    total = 0
    for key in d:
        total = total * 2 + d[key]
    return total


def all_values(d):
    return torch.cat(list(d.values()))


def all_items(d):
    return torch.cat([item for _, item in d.items()])


def given_on(d):
    def last(**more):
        return list(more.values())[-1] * 1

    return last(**d)


def made_anew(d):
    return torch.cat(list({**d}.values()))


def plain(d):
    return d["a"] + d.get("b") * (2 if "a" in d and d else 3)


ASKING = [is_in, got, popped, missed, counted, gone_through, all_values, all_items, given_on, made_anew]
ORDERED = [gone_through, all_values, all_items, given_on, made_anew]


def traced_on(function, *example, policy="warn"):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", tracelab.TracerWarning)
        return tracelab.trace(function, example, check_trace=False, strict=False, on_violation=policy)


def named(item):
    return getattr(item, "__name__", "")


@pytest.mark.parametrize("function", ASKING, ids=named)
def test_a_key_that_the_code_can_tell_is_told(function):
    (sentence,) = told(traced_on(function, dict(GIVEN)), dict(MORE))
    assert f"when {function.__name__} was traced (test_dict_arguments.py:" in sentence


@pytest.mark.parametrize("function", ORDERED, ids=named)
def test_another_order_that_the_code_can_tell_is_told(function):
    (sentence,) = told(traced_on(function, dict(GIVEN)), dict(TURNED))
    assert "list(d) was ['a', 'b']" in sentence
    assert "is ['b', 'a'] at this call" in sentence


@pytest.mark.parametrize("function", ASKING, ids=named)
def test_a_key_that_the_code_can_tell_raises_where_it_is_asked_to(function):
    with pytest.raises(AssumptionError):
        traced_on(function, dict(GIVEN), policy="raise")(dict(MORE))


@pytest.mark.parametrize("function", ASKING, ids=named)
def test_a_key_that_the_code_can_tell_is_right_with_retrace(function):
    traced = traced_on(function, dict(GIVEN), policy="retrace")
    for given in (MORE, GIVEN, TURNED, MORE):
        assert torch.equal(traced(dict(given)), function(dict(given)))


@pytest.mark.parametrize("function", [plain, *ASKING], ids=named)
def test_the_same_keys_are_told_nothing(function):
    assert told(traced_on(function, dict(GIVEN)), dict(GIVEN)) == []


@pytest.mark.parametrize("given", [MORE, TURNED, collections.UserDict(MORE)], ids=["more", "turned", "another class"])
def test_keys_that_nobody_asks_for_are_told_nothing(given):
    assert told(traced_on(plain, dict(GIVEN)), given) == []


def test_a_dict_of_another_class_is_told_too():
    assert len(told(traced_on(is_in, dict(GIVEN)), collections.UserDict(MORE))) == 1


def test_a_dict_inside_of_another_is_told_by_its_place():
    traced = traced_on(lambda d: d["inner"]["a"] * (2 if "z" in d["inner"] else 1), {"inner": dict(GIVEN)})
    (sentence,) = told(traced, {"inner": dict(MORE)})
    assert sentence.startswith("'z' in d['inner'] was False")


def test_a_dict_that_is_given_back_is_the_one_that_was_given():
    given = dict(MORE)
    assert traced_on(lambda d: d, dict(GIVEN))(given) is given


def test_a_dict_that_is_given_back_is_a_dict():
    assert type(traced_on(lambda d: d, dict(GIVEN))(dict(GIVEN))) is dict


def test_torch_takes_a_dict_apart():
    def doubled(d):
        return torch.utils._pytree.tree_map(lambda item: item * 2, d)["b"]

    assert torch.equal(traced_on(doubled, dict(GIVEN))(dict(GIVEN)), GIVEN["b"] * 2)


def test_a_copy_of_a_trace_is_told_too():
    assert len(told(copy.deepcopy(traced_on(is_in, dict(GIVEN))), dict(MORE))) == 1


@hypothesis.given(st.permutations(["a", "b", "c"]), st.sampled_from(ASKING[4:]), st.booleans())
@hypothesis.settings(max_examples=40, deadline=None)
def test_a_call_is_right_or_told(keys, function, more):
    given = {key: torch.full((2,), float(ord(key))) for key in keys}
    if not more:
        given = {key: item for key, item in given.items() if key != "c"}
    traced = traced_on(function, dict(GIVEN))
    assert told(traced, dict(given)) or torch.equal(traced(dict(given)), function(dict(given)))
