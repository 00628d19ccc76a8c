"""A recording blames the call that is the reason of an error, and no call whose error the code caught before."""

from __future__ import annotations

import contextlib
import warnings

import pytest
import torch

import tracelab
from tracelab import TraceError

SQUARE = torch.ones(7, 7)


class Stop(Exception):
    pass


class Multiplies(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        return x @ SQUARE


class CatchesAndStops(torch.autograd.Function):
    @staticmethod
    def forward(ctx, x):
        try:
            return x @ SQUARE
        except RuntimeError:
            pass
        raise Stop


def caught(x):
    try:
        x @ SQUARE
    except RuntimeError as error:
        return error


def then_an_error_of_the_code(x):
    caught(x)
    raise Stop


def then_an_error_raised_from_itself(x):
    caught(x)
    error = Stop()
    raise error from error


def then_an_error_with_an_older_reason(x):
    caught(x)
    try:
        raise KeyError
    except KeyError as reason:
        raise Stop from reason


def caught_in_opaque_code(x):
    with contextlib.suppress(RuntimeError):
        Multiplies.apply(x)
    raise Stop


def caught_twice(x):
    caught(x)
    caught(x)
    raise Stop


NOBODY = [
    then_an_error_of_the_code,
    then_an_error_raised_from_itself,
    then_an_error_with_an_older_reason,
    caught_in_opaque_code,
    caught_twice,
]


@pytest.mark.parametrize("function", NOBODY)
def test_an_error_of_the_code_blames_no_call(function):
    with pytest.raises(TraceError, match="the traced code raised Stop: ") as raised:
        tracelab.trace(function, torch.ones(2, 3))
    assert raised.value.graph.failed is None
    assert not raised.value.graph.find_nodes("matmul")


def then_another_operator_raises(x):
    caught(x)
    return x.view(100)


def another_operator_raises_in_the_handler(x):
    try:
        return x @ SQUARE
    except RuntimeError:
        return x.view(100)


@pytest.mark.parametrize("function", [then_another_operator_raises, another_operator_raises_in_the_handler])
def test_another_operator_that_raises_is_blamed(function):
    with pytest.raises(
        TraceError, match=r"raised RuntimeError at .*: `view` cannot .*\(shape '\[100\]' is invalid"
    ) as raised:
        tracelab.trace(function, torch.ones(2, 3))
    assert raised.value.graph.failed.kind == "aten::view"
    assert not raised.value.graph.find_nodes("matmul")


def raised_from_it(x):
    try:
        x @ SQUARE
    except RuntimeError as error:
        raise Stop from error


def raised_while_it_is_handled(x):
    try:
        x @ SQUARE
    except RuntimeError:
        raise Stop from None


def raised_from_an_error_of_its_handler(x):
    try:
        x @ SQUARE
    except RuntimeError:
        try:
            raise KeyError
        except KeyError as error:
            raise Stop from error


def raised_again_later(x):
    error = caught(x)
    x * 2
    raise error


def raised_again_in_the_handler(x):
    try:
        return x @ SQUARE
    except RuntimeError:
        x * 2
        raise


def raised_in_a_group(x):
    errors = [caught(x), caught(x)]
    raise ExceptionGroup("both", errors)


def raised_from_it_later(x):
    error = caught(x)
    try:
        raise KeyError
    except KeyError:
        raise Stop from error


BLAMED = [
    raised_from_it,
    raised_while_it_is_handled,
    raised_from_an_error_of_its_handler,
    raised_again_later,
    raised_again_in_the_handler,
    raised_in_a_group,
    raised_from_it_later,
]


@pytest.mark.parametrize("function", BLAMED)
def test_a_call_that_is_the_reason_is_blamed(function):
    with pytest.raises(TraceError, match=r"( at .*: `matmul` needs|because aten::matmul failed( at |$))") as raised:
        tracelab.trace(function, torch.ones(2, 3))
    assert raised.value.graph.find_nodes("matmul") == [raised.value.graph.failed]


@pytest.mark.parametrize("function", [Multiplies, CatchesAndStops])
def test_an_error_inside_opaque_code_blames_the_call_of_that_code(function):
    with pytest.raises(TraceError, match="in prim::PythonOp at ") as raised:
        tracelab.trace(lambda x: function.apply(x), torch.ones(2, 3))
    assert [node.name for node in raised.value.graph.nodes] == ["PythonOp"]


def test_an_error_inside_a_transform_blames_the_transform():
    with pytest.raises(TraceError, match="in prim::PythonOp at "):
        tracelab.trace(lambda x: torch.vmap(lambda row: row @ SQUARE)(x), torch.ones(2, 3))


def test_a_warning_behind_a_caught_error_stands_at_its_place():
    def specialized(x):
        caught(x)
        y = x * 2
        return y * int(y.sum())

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = tracelab.trace_graph(specialized, torch.ones(2, 3))[0]
    (warning,) = graph.warnings
    assert [node.name for node in graph.nodes][: warning.position] == ["mul", "sum"]


def warned(function):
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        graph = tracelab.trace_graph(function, torch.ones(2, 3))[0]
    return [(warning.kind, warning.source.text[warning.source.column :]) for warning in graph.warnings]


def test_two_conversions_of_one_kind_on_one_line_are_two_warnings():
    def twice(x):
        return x * int(x.sum()) * int(x.max())

    assert warned(twice) == [("int", "int(x.sum()) * int(x.max())"), ("int", "int(x.max())")]


def test_two_branches_on_one_line_are_two_warnings():
    def branches(x):
        return x if x.shape[0] > 1 and x.shape[1] > 2 else -x

    assert warned(branches) == [
        ("bool", "x.shape[0] > 1 and x.shape[1] > 2 else -x"),
        ("bool", "x.shape[1] > 2 else -x"),
    ]


def test_a_conversion_inside_another_is_a_warning_of_its_own():
    def nested(x):
        return x * float(float(x.sum()) + x.max())

    assert warned(nested) == [("float", "float(x.sum()) + x.max())"), ("float", "float(float(x.sum()) + x.max())")]


def test_one_conversion_that_runs_again_is_one_warning():
    def repeated(x):
        for _ in range(3):
            x = x * int(x.sum())
        return x

    assert warned(repeated) == [("int", "int(x.sum())")]


def test_an_error_raised_because_a_call_failed_is_not_blamed_on_the_call():
    def looked_up(x):
        try:
            return x.view(8, 8)
        except RuntimeError as error:
            raise KeyError("k") from error

    with pytest.raises(tracelab.TraceError, match="the traced code raised KeyError because aten::view failed at "):
        tracelab.trace(looked_up, torch.ones(3))
