"""Expressions of the user's code as they stand in labels and sentences."""

from __future__ import annotations

import pytest

from tracelab.graph.expressions import condition, negated, tidy


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        ("x.shape[0]>4", "x.shape[0] > 4"),
        ('d["a"].sum()>0', 'd["a"].sum() > 0'),
        ("d['a']", "d['a']"),
        ("if x:", "if x:"),
        ("x\0", "x\0"),
    ],
)
def test_one_spelling(written: str, expected: str):
    assert tidy(written) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("x.shape[0]>4", "x.shape[0] <= 4"),
        ("mask is None", "mask is not None"),
        ("mask is not None", "mask is None"),
        ("x in table", "x not in table"),
        ("not done", "done"),
        ("done", "not done"),
        ("x.is_cuda()", "not x.is_cuda()"),
        ("a == 1 and b < 2", "a != 1 or b >= 2"),
        ("0 < x < 4", "not 0 < x < 4"),
        ("if x:", "not (if x:)"),
    ],
)
def test_what_is_true_where_it_is_false(text: str, expected: str):
    assert negated(text) == expected


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("if x.any():", "x.any()"),
        ("elif x.shape[0]%2:", "x.shape[0] % 2"),
        ("while not done(x):  # until it is", "done(x)"),
        ("if x.any(): x = x + 1", "x.any()"),
        ("assert x.any(), 'none'", "x.any()"),
        ("y if not x.any() else z", "x.any()"),
        ("if a(x) and b(x):", "if a(x) and b(x):"),
        ("x.shape[0] > 4", "x.shape[0] > 4"),
        ("not done(x)", "not done(x)"),
        ("for a in x:", "for a in x:"),
        ("x\0", "x\0"),
        ("", ""),
    ],
)
def test_what_was_asked_for_its_truth(text: str, expected: str):
    assert condition(text) == expected
