"""Expressions of the user's code as they stand in labels and sentences."""

from __future__ import annotations

import pytest

from tracelab.graph.expressions import negated, tidy


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
