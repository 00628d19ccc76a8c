"""Whether two arguments are one tensor, and whether a function is the one that was given at the trace."""

from __future__ import annotations

import functools
import io
import warnings
from collections.abc import Callable

import pytest
import torch
from torch import Tensor, nn

import tracelab


def by_identity(a: Tensor, b: Tensor) -> Tensor:
    return a * 2 if a is b else a + b


def in_a_helper(a: Tensor, b: Tensor) -> Tensor:
    def same(left: Tensor, right: Tensor) -> bool:
        return left is not right

    return a + b if same(a, b) else a * 3


class Attention(nn.Module):
    def forward(self, query: Tensor, key: Tensor) -> Tensor:
        return query.relu() if key is query else query @ key


def of_a_dict(a: Tensor, rest: dict[str, Tensor]) -> Tensor:
    b = rest["b"]
    return a * 2 if b is a else a + b


def by_id(a: Tensor, b: Tensor) -> Tensor:
    return a * 2 if id(a) == id(b) else a + b


def in_a_list(a: Tensor, b: Tensor) -> Tensor:
    both = [a, b]
    return a * 2 if both[0] is both[1] else a + b


X, Y = torch.ones(2, 2), torch.full((2, 2), 2.0)
CODES: list[Callable[..., Tensor]] = [by_identity, in_a_helper, Attention(), by_id, in_a_list]


@pytest.mark.parametrize("code", CODES)
@pytest.mark.parametrize("then", [(X, X), (X, Y)])
def test_another_identity_is_told(code: Callable[..., Tensor], then: tuple[Tensor, Tensor]):
    traced = tracelab.trace(code, *then)
    for now in [(X, X), (Y, Y), (X, Y), (Y, X.clone())]:
        with warnings.catch_warnings(record=True) as heard:
            warnings.simplefilter("always")
            found = traced(*now)
        fits = (now[0] is now[1]) is (then[0] is then[1])
        assert fits is not bool(heard)
        assert not fits or torch.equal(found, code(*now))


def test_retrace_keeps_a_recording_of_each():
    traced = tracelab.trace(by_identity, X, X, on_violation="retrace")
    for now in [(X, X), (X, Y), (Y, Y), (Y, X)]:
        assert torch.equal(traced(*now), by_identity(*now))


def test_a_tensor_in_a_container_is_compared_too():
    traced = tracelab.trace(of_a_dict, (X, {"b": X}), strict=False)
    assert torch.equal(traced(Y, {"b": Y}), Y * 2)
    with pytest.warns(tracelab.AssumptionWarning, match="a is rest.* was True"):
        traced(Y, {"b": X})


def test_files_keep_it():
    stored = io.BytesIO()
    tracelab.save(tracelab.trace(by_identity, X, X), stored)
    stored.seek(0)
    with pytest.warns(tracelab.AssumptionWarning, match="`a is b` was True"):
        tracelab.load(stored)(X, Y)


def test_one_tensor_twice_is_two_inputs_where_the_code_does_not_ask():
    traced = tracelab.trace(lambda a, b: a * b, X, X)
    assert torch.equal(traced(X, Y), X * Y)


def test_a_comparison_with_none_asks_for_no_identity():
    def code(a: Tensor, b: Tensor | None = None) -> Tensor:
        flag = b is None
        return a if flag else a + b

    assert len(tracelab.trace(code, X, Y).assumptions) == 0


# Functions ----------------------------------------------------------------------------------------------------------


def scaling(factor: float) -> Callable[[Tensor], Tensor]:
    return lambda x: x * factor


def applied(x: Tensor, function: Callable[[Tensor], Tensor]) -> Tensor:
    return function(x)


def recursive(steps: int) -> Callable[[Tensor], Tensor]:
    def step(x: Tensor, left: int = steps) -> Tensor:
        return step(x + 1, left - 1) if left else x

    return step


@pytest.mark.parametrize(
    ("then", "now", "fits"),
    [
        (scaling(2), scaling(2), True),
        (scaling(2), scaling(3), False),
        (scaling(2), scaling(2.0), False),
        (recursive(2), recursive(2), True),
        (recursive(2), recursive(3), False),
        (functools.partial(torch.mul, other=2), functools.partial(torch.mul, other=2), True),
        (functools.partial(torch.mul, other=2), functools.partial(torch.mul, other=3), False),
        (functools.partial(scaling(2)), functools.partial(scaling(2)), True),
    ],
)
def test_a_function_with_the_same_definition_and_content_is_the_same(
    then: Callable[[Tensor], Tensor], now: Callable[[Tensor], Tensor], fits: bool
):
    traced = tracelab.trace(applied, X, then)
    with warnings.catch_warnings(record=True) as heard:
        warnings.simplefilter("always")
        found = traced(X, now)
    assert fits is not bool(heard)
    assert not fits or torch.equal(found, now(X))


def test_another_object_that_looks_the_same_is_called_another():
    traced = tracelab.trace(applied, X, nn.PReLU())
    with pytest.warns(tracelab.AssumptionWarning, match="`function` was one PReLU when .* and is another at this call"):
        traced(X, nn.PReLU())


def test_a_method_of_a_class_is_an_argument():
    traced = tracelab.trace(applied, X, Tensor.exp)
    assert torch.equal(traced(X, Tensor.exp), X.exp())
    with pytest.warns(tracelab.AssumptionWarning, match="`function` was <method 'exp'"):
        traced(X, Tensor.sin)
