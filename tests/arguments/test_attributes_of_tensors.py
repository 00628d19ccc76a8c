"""Attributes that a user gives to tensors: `x.scale = 2.0`, `hasattr(x, "mask")`."""

from __future__ import annotations

import warnings

import pytest
import torch
from torch import nn

import tracelab
from tracelab import AssumptionWarning


def given(**attributes):
    x = torch.tensor([1.0, 2.5])
    vars(x).update(attributes)
    return x


def scaled(x):
    return x * x.scale


def scaled_where_asked(x):
    return x * x.scale if hasattr(x, "scale") else x + 1


def scaled_by_default(x):
    return x * getattr(x, "scale", 1.5)


def scaled_or_not(x):
    try:
        return x * x.scale
    except AttributeError:
        return x + 1


def in_silence(traced, *inputs):
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        return traced(*inputs)


ASKING = [scaled_where_asked, scaled_by_default, scaled_or_not]


@pytest.mark.parametrize("function", [scaled, *ASKING])
def test_a_recording_sees_them(function):
    assert torch.equal(tracelab.trace(function, given(scale=3.0))(given(scale=3.0)), function(given(scale=3.0)))


@pytest.mark.parametrize("function", [scaled, *ASKING])
def test_another_value_is_told(function):
    traced = tracelab.trace(function, given(scale=3.0))
    with pytest.warns(AssumptionWarning, match=r"x\.scale was 3\.0 .* is 4\.0"):
        traced(given(scale=4.0))


@pytest.mark.parametrize("function", ASKING)
def test_one_that_is_missing_is_told(function):
    traced = tracelab.trace(function, given(scale=3.0))
    with pytest.warns(AssumptionWarning, match=r"x\.scale was 3\.0 .* is absent"):
        traced(given())


@pytest.mark.parametrize("function", ASKING)
def test_one_that_was_missing_is_told_with_the_line(function):
    traced = tracelab.trace(function, given())
    with pytest.warns(AssumptionWarning, match=r"x\.scale was absent .*test_attributes_of_tensors.py:\d+: .* is 2\.0"):
        traced(given(scale=2.0))


@pytest.mark.parametrize("function", ASKING)
def test_tensors_without_them_are_right_in_silence(function):
    traced = tracelab.trace(function, given())
    assert torch.equal(in_silence(traced, given()), function(given()))


def test_the_answer_of_a_subclass_is_told():
    class Scaled(torch.Tensor):
        scale = 3.0

    traced = tracelab.trace(scaled_where_asked, given())
    with pytest.warns(AssumptionWarning, match=r"x\.scale was absent"):
        traced(given().as_subclass(Scaled))


def test_a_tensor_among_them_follows():
    traced = tracelab.trace(lambda x: x + x.offset, given(offset=torch.ones(2)))
    other = given(offset=torch.tensor([5.0, 7.0]))
    assert torch.equal(in_silence(traced, other), other + other.offset)


def test_one_that_the_code_does_not_name_is_no_assumption():
    traced = tracelab.trace(lambda x: x + 1, given(note="first"))
    in_silence(traced, given(note="second"))


def test_what_the_code_writes_is_written_to_the_input_of_each_call():
    def marked(x):
        x.twice, x.length = x * 2, x.shape[0]
        return x.twice + 1

    x = given()
    traced = tracelab.trace(marked, x)
    other = torch.ones(3)
    in_silence(traced, other)
    assert (x.length, other.length) == (2, 3)
    assert torch.equal(x.twice, x * 2)
    assert torch.equal(other.twice, other * 2)


def test_a_flag_that_the_first_call_sets_is_told_at_the_second():
    def once(x):
        if hasattr(x, "done"):
            return x + 1
        x.done = True
        return x * 3

    traced = tracelab.trace(once, given())
    x = given()
    assert torch.equal(in_silence(traced, x), x * 3)
    with pytest.warns(AssumptionWarning, match=r"x\.done was absent"):
        traced(x)


def test_a_parameter_keeps_those_that_it_has():
    weight = nn.Parameter(torch.ones(2))
    weight.scale = 2.0
    assert torch.equal(tracelab.trace(scaled, weight)(weight), scaled(weight))


def test_retrace_records_each_case():
    traced = tracelab.trace(scaled_where_asked, given(), on_violation="retrace")
    for inputs in (given(), given(scale=2.0), given(scale=5.0), given()):
        assert torch.equal(in_silence(traced, inputs), scaled_where_asked(inputs))


def test_a_file_keeps_what_was_assumed(tmp_path):
    tracelab.trace(scaled_where_asked, given()).save(tmp_path / "absent.tlab")
    tracelab.trace(scaled_where_asked, given(scale=3.0)).save(tmp_path / "three.tlab")
    absent, three = tracelab.load(tmp_path / "absent.tlab"), tracelab.load(tmp_path / "three.tlab")
    in_silence(absent, given())
    in_silence(three, given(scale=3.0))
    with pytest.warns(AssumptionWarning, match=r"x\.scale was absent"):
        absent(given(scale=3.0))
    with pytest.warns(AssumptionWarning, match=r"x\.scale was 3\.0"):
        three(given())


def test_a_trace_inside_another_hands_them_on():
    inner = tracelab.trace(scaled_where_asked, given())
    outer = tracelab.trace(lambda x: inner(x) + 1, given())
    with pytest.warns(AssumptionWarning, match=r"x\.scale was absent"):
        outer(given(scale=3.0))


def test_the_error_for_a_missing_one_is_that_of_python():
    with pytest.raises(AttributeError, match="'Tensor' object has no attribute 'scale'"):
        tracelab.trace(lambda x: x * x.scale if getattr(x, "other", 1) else x, given())
    assert "__getattr__" not in vars(torch.Tensor)
